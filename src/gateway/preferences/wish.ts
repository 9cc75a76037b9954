/** Names of models as clients write them, with the suffixes that say how to route. */
import { refuse } from './error.ts'
import { MAX_MODELS } from './limits.ts'
import type { Plan, Sort, Wish } from './preferences.ts'
import { nameAt, namesAt } from './values.ts'

const SUFFIXES: Readonly<Record<string, Sort>> = {
  floor: { key: 'price', worstFirst: false, asked: ':floor' },
  nitro: { key: 'throughput', worstFirst: false, asked: ':nitro' },
}

/**
 * `:floor` and `:nitro` are taken off and followed. `:online` means a search on the web, which nobody does here. Every other
 * suffix belongs to the model's name (`llama3.2:3b`, `:free`, `:extended`, `:thinking`): who serves it knows it, or says so.
 * OpenRouter's own targets keep all of theirs, for OpenRouter follows them. `@provider/model` is Portkey's way to write one.
 */
export function wishOf(written: string, place: string): Wish {
  const text = written.replace(/^@(?=[^/]+\/)/, '')
  const wish: Wish = { name: text, params: {}, sort: null, timeoutMs: null, retry: null, nextOn: null, place }
  if (text.startsWith('openrouter/')) return wish
  const colon = text.lastIndexOf(':')
  const suffix = colon > 0 ? text.slice(colon + 1) : ''
  if (suffix === 'online') return refuse(place, 'ends in :online, and there is no web search here')
  const sort = Object.hasOwn(SUFFIXES, suffix) ? SUFFIXES[suffix] : undefined
  return sort ? { ...wish, name: text.slice(0, colon), sort } : wish
}

export function wishAt(value: unknown, place: string): Wish | undefined {
  const name = nameAt(value, place)
  return name === undefined ? undefined : wishOf(name, place)
}

export function wishesAt(value: unknown, place: string): readonly Wish[] | undefined {
  return namesAt(value, place, MAX_MODELS)?.map((name, i) => wishOf(name, `${place}[${i}]`))
}

/** `@openai` and `openai` are one; a model that names the provider already is left as it is. */
export function targetName(provider: string | null, model: string): string {
  const bare = model.replace(/^@/, '')
  const host = provider?.replace(/^@/, '')
  return host === undefined || bare.startsWith(`${host}/`) ? bare : `${host}/${bare}`
}

/** One after the other; a name that comes again with the same parameters is left out. Null: none. */
export function firstOf(wishes: readonly Wish[]): Plan | null {
  const seen = new Set<string>()
  const of = wishes.flatMap((wish): Plan[] => {
    const key = JSON.stringify([wish.name, wish.sort?.key, wish.params])
    if (seen.has(key)) return []
    seen.add(key)
    return [{ type: 'model', wish }]
  })
  const [only] = of
  return of.length > 1 || !only ? (only ? { type: 'first', of, nextOn: null } : null) : only
}
