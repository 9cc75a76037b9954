/**
 * An OpenRouter request's `model`, `models` and `provider`. Each model becomes a target of the provider `openrouter`, which gets
 * the preferences with every call as they are: which host serves the model stays OpenRouter's decision.
 */
import { Notes } from './notes.ts'
import { importedOf } from './rules.ts'
import { type Doc, type Imported, isDoc, NotImportable, own, textOf, textsOf } from './shapes.ts'
import { Providers, paramsOf, targetOf, written } from './targets.ts'

const NAME = /^[A-Za-z0-9][A-Za-z0-9._/:-]{0,63}$/
const isName = (value: unknown) => typeof value === 'string' && NAME.test(value) && !LOOKS_SECRET.test(value)
const isNames = (value: unknown) => Array.isArray(value) && value.length <= 64 && value.every(isName)
const isNumber = (value: unknown) => typeof value === 'number' && Number.isFinite(value)
const isPrice = (value: unknown) =>
  isNumber(value) || (typeof value === 'string' && /^\d{1,9}(\.\d{1,9})?$/.test(value))
const numbers = (names: readonly string[], holds: (value: unknown) => boolean) => (value: unknown) =>
  isDoc(value) && Object.entries(value).every(([name, one]) => names.includes(name) && holds(one))
const among =
  (...words: readonly string[]) =>
  (value: unknown) =>
    typeof value === 'string' && words.includes(value)
const isFlag = (value: unknown) => typeof value === 'boolean'
const LOOKS_SECRET = /^(sk|pk|key|Bearer)[-_]/
const percentiles = numbers(['p50', 'p75', 'p90', 'p99'], isNumber)

/** The preferences that are handed on, and what each must be. */
const PREFERENCES: Readonly<Record<string, (value: unknown) => boolean>> = {
  order: isNames,
  only: isNames,
  ignore: isNames,
  quantizations: isNames,
  allow_fallbacks: isFlag,
  require_parameters: isFlag,
  zdr: isFlag,
  enforce_distillable_text: isFlag,
  data_collection: among('allow', 'deny'),
  sort: (value) =>
    among('price', 'throughput', 'latency')(value) ||
    (isDoc(value) &&
      Object.entries(value).every(
        ([name, one]) =>
          (name === 'by' ? among('price', 'throughput', 'latency') : among('model', 'none'))(one) &&
          ['by', 'partition'].includes(name),
      )),
  max_price: numbers(['prompt', 'completion', 'request', 'image', 'audio'], isPrice),
  preferred_min_throughput: (value) => isNumber(value) || percentiles(value),
  preferred_max_latency: (value) => isNumber(value) || percentiles(value),
}

export function importOpenrouter(doc: unknown): Imported {
  if (!isDoc(doc)) throw new NotImportable('is no OpenRouter request')
  const notes = new Notes()
  const provider = preferencesOf(own(doc, 'provider'), notes)
  const used = ['model', 'models', 'provider', 'messages', 'route']
  const params: Doc = {
    ...paramsOf(doc, [], notes, used),
    ...(Object.keys(provider).length > 0 ? { provider } : {}),
  }
  if (own(doc, 'messages') !== undefined)
    notes.add(['messages'], 'belongs to one request; write `instructions` for a system prompt')
  const first = textOf(own(doc, 'model'))
  const list = [...(first === undefined ? [] : [first]), ...textsOf(own(doc, 'models'))].flatMap((model) => {
    const target = targetOf('openrouter', model)
    if (target === undefined) notes.add(['models'], 'a model whose name is none is left out')
    return target === undefined ? [] : [written(target, params)]
  })
  const imported = importedOf(
    'openrouter',
    [{ name: 'any', when: null, shares: [{ id: 'any', weight: 1, list }], path: ['models'] }],
    {
      providers: new Providers(),
      notes,
      sticky: 'session.id',
    },
  )
  const openrouter = {
    type: 'openai',
    baseUrl: 'https://openrouter.ai/api/v1',
    apiKey: `\${OPENROUTER_API_KEY}`,
  }
  return { ...imported, providers: { openrouter } }
}

function preferencesOf(value: unknown, notes: Notes): Doc {
  const kept: Record<string, unknown> = {}
  for (const [name, one] of Object.entries(isDoc(value) ? value : {})) {
    if (Object.hasOwn(PREFERENCES, name) && PREFERENCES[name]?.(one)) kept[name] = one
    else notes.add(['provider', name], 'not known, or not of the documented form')
  }
  return kept
}
