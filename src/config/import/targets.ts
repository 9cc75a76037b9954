/** Names of providers, targets and their parameters. Nothing that could be a credential passes through here. */
import type { Notes } from './notes.ts'
import { type Doc, isDoc, textOf, type Written, type WrittenProvider } from './shapes.ts'

const TARGET = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\/[A-Za-z0-9@:._/+-]+$/

/** Parameters of a call that are numbers, switches, or short words: a list of what may pass, so that a key never does. */
const NUMBERS = [
  'temperature',
  'top_p',
  'max_tokens',
  'max_completion_tokens',
  'frequency_penalty',
  'presence_penalty',
  'repetition_penalty',
  'seed',
]

/** `provider/model`, or undefined where it cannot be a target. */
export function targetOf(provider: string, model: string): string | undefined {
  const text = `${provider}/${model}`
  return text.length <= 200 && TARGET.test(text) ? text : undefined
}

/** The provider that a bare model name tells of. */
export function providerOfModel(model: string): string | undefined {
  if (/^(gpt-|o\d|chatgpt-)/.test(model)) return 'openai'
  if (/^claude-/.test(model)) return 'anthropic'
  if (/^gemini-/.test(model)) return 'google'
  return undefined
}

/** What of `doc` goes to the provider with each call; everything else is noted. */
export function paramsOf(
  doc: unknown,
  path: readonly PropertyKey[],
  notes: Notes,
  skip: readonly string[],
): Doc {
  if (!isDoc(doc)) return {}
  const params: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(doc)) {
    if (skip.includes(name)) continue
    if (NUMBERS.includes(name) && typeof value === 'number' && Number.isFinite(value)) params[name] = value
    else notes.add([...path, name], 'not among the parameters that are carried over')
  }
  return params
}

export function written(target: string, params: Doc): Written {
  return Object.keys(params).length === 0 ? target : { target, params }
}

export function idOf(target: Written): string {
  return typeof target === 'string' ? target : target.target
}

/** A list without repetitions. */
export function distinct(list: readonly Written[]): Written[] {
  const seen = new Set<string>()
  return list.filter((one) => {
    const key = JSON.stringify(one)
    return seen.has(key) ? false : seen.add(key)
  })
}

/** `support line` → `support-line`; letters and digits as the schema wants them. */
export function nameOf(text: string, otherwise: string): string {
  const name = text
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+|-+$/g, '')
    .slice(0, 48)
  return name === '' ? otherwise : name
}

/** `name`, or `name-2` where it is taken. */
export function free(name: string, taken: { has(name: string): boolean }): string {
  for (let n = 1; ; n++) {
    const one = n === 1 ? name : `${name}-${n}`
    if (!taken.has(one)) return one
  }
}

export class Providers {
  readonly #byName = new Map<string, WrittenProvider>()
  readonly #byPlace = new Map<string, string>()

  /** The name under which targets call this endpoint. Keys become a reference; `key` tells two accounts apart and goes nowhere. */
  at(
    provider: string,
    endpoint: { readonly url?: unknown; readonly key?: unknown },
    path: readonly PropertyKey[],
    notes: Notes,
  ): string {
    const base = nameOf(provider, 'provider')
    const url = this.#cleanUrl(endpoint.url, path, notes)
    const key = textOf(endpoint.key)
    if (url === undefined && key === undefined) return base
    const place = `${base}\0${url ?? ''}\0${key ?? ''}`
    const before = this.#byPlace.get(place)
    if (before !== undefined) return before
    const name = free(base, this.#byName)
    const reference = /^os\.environ\/([A-Za-z_][A-Za-z0-9_]*)$/.exec(key ?? '')?.[1]
    if (key !== undefined && reference === undefined) {
      notes.add(path, `the key is not copied: set ${variableOf(name)} in the environment`)
    }
    if (url !== undefined && base !== 'openai') {
      notes.add(path, 'the endpoint is set up as one that speaks as OpenAI does: check that it is')
    }
    this.#byPlace.set(place, name)
    this.#byName.set(name, {
      ...(name === base && url === undefined ? {} : { type: url === undefined ? base : 'openai' }),
      ...(url === undefined ? {} : { baseUrl: url }),
      ...(key === undefined ? {} : { apiKey: `\${${reference ?? variableOf(name)}}` }),
    })
    return name
  }

  #cleanUrl(value: unknown, path: readonly PropertyKey[], notes: Notes): string | undefined {
    const text = textOf(value)
    if (text === undefined) return undefined
    const url = URL.canParse(text) ? new URL(text) : undefined
    const plain = url && /^(https?|wss?):$/.test(url.protocol) && url.username + url.password === ''
    if (plain && url.search === '' && url.hash === '') return text
    notes.add(path, 'the address is not copied: it is none, or may hold a credential')
    return undefined
  }

  get all(): Readonly<Record<string, WrittenProvider>> {
    return Object.fromEntries(this.#byName)
  }
}

function variableOf(name: string): string {
  return `${name
    .toUpperCase()
    .replace(/[^A-Z0-9]/g, '_')
    .replace(/^(?=\d)/, '_')}_API_KEY`
}
