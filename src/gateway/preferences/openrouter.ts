/**
 * OpenRouter's `models`, `provider`, `route`, `session_id`. Shapes as in `@openrouter/sdk` 1.3: prices in US dollars a million
 * tokens (texts or numbers), latencies in seconds.
 */
import type { Draft } from './draft.ts'
import { refuse } from './error.ts'
import { type Headers, headerOf } from './headers.ts'
import { MAX_NAMES, MAX_TIMEOUT_MS } from './limits.ts'
import type { Cutoffs, MaxPrice } from './preferences.ts'
import { partitionAt, sortsAt } from './sort-words.ts'
import {
  type Doc,
  docAt,
  flagAt,
  isSaid,
  listAt,
  nameAt,
  namesAt,
  numberAt,
  numeric,
  own,
  providersAt,
  wordAt,
} from './values.ts'
import { wishesAt } from './wish.ts'

const PROVIDER = [
  'order',
  'only',
  'ignore',
  'sort',
  'max_price',
  'allow_fallbacks',
  'require_parameters',
  'data_collection',
  'zdr',
  'enforce_distillable_text',
  'quantizations',
  'preferred_min_throughput',
  'preferred_max_latency',
]

export function readOpenrouter(body: Doc, headers: Headers, draft: Draft): void {
  draft.behind(wishesAt(own(body, 'models'), 'models'), 'models')
  wordAt(own(body, 'route'), 'route', ['fallback'])
  for (const name of ['plugins', 'transforms']) {
    const list = listAt(own(body, name), name, MAX_NAMES)
    if (list && list.length > 0) refuse(name, 'cannot be done here: nothing changes a request on its way')
  }
  for (const name of ['trace', 'usage', 'debug']) if (isSaid(own(body, name))) draft.ignore(name)
  readSession(body, headers, draft)
  const provider = docAt(own(body, 'provider'), 'provider')
  if (!provider) return
  draft.spoken('openrouter')
  draft.ignoreRest(provider, PROVIDER, 'provider')
  refuseUnknowable(provider)
  for (const name of ['order', 'only', 'ignore'] as const) {
    const path = `provider.${name}`
    draft.say(name, providersAt(own(provider, name), path), path)
  }
  draft.say(
    'allowFallbacks',
    flagAt(own(provider, 'allow_fallbacks'), 'provider.allow_fallbacks'),
    'provider.allow_fallbacks',
  )
  draft.say(
    'requireParameters',
    flagAt(own(provider, 'require_parameters'), 'provider.require_parameters'),
    'provider.require_parameters',
  )
  readSort(own(provider, 'sort'), draft)
  draft.say('maxPrice', priceAt(own(provider, 'max_price'), 'provider.max_price'), 'provider.max_price')
  const throughput = 'provider.preferred_min_throughput'
  draft.say('minThroughput', cutoffsAt(own(provider, 'preferred_min_throughput'), throughput), throughput)
  const latency = 'provider.preferred_max_latency'
  draft.say(
    'maxLatencyMs',
    inMilliseconds(cutoffsAt(own(provider, 'preferred_max_latency'), latency)),
    latency,
  )
}

function readSession(body: Doc, headers: Headers, draft: Draft): void {
  const said = nameAt(own(body, 'session_id'), 'session_id')
  draft.say('session', said ?? nameAt(headerOf(headers, 'x-session-id'), 'x-session-id'), 'session_id')
}

function readSort(value: unknown, draft: Draft): void {
  const path = 'provider.sort'
  if (!isSaid(value)) return
  if (Array.isArray(value)) return refuse(path, 'must be a text or an object')
  const config = typeof value === 'string' ? undefined : docAt(value, path)
  if (config) draft.say('partition', partitionAt(config, path), path)
  if (!config || isSaid(own(config, 'by'))) draft.say('sort', sortsAt(value, path), path)
}

/** What is asked of whoever serves the request, and cannot be known here, is refused rather than hoped for. */
function refuseUnknowable(provider: Doc): void {
  const why = 'cannot be kept here: it is not known of any target; name those that may be used in only'
  if (wordAt(own(provider, 'data_collection'), 'provider.data_collection', ['allow', 'deny']) === 'deny')
    refuse('provider.data_collection', why)
  for (const name of ['zdr', 'enforce_distillable_text'])
    if (flagAt(own(provider, name), `provider.${name}`)) refuse(`provider.${name}`, why)
  const quantizations = namesAt(own(provider, 'quantizations'), 'provider.quantizations', MAX_NAMES)
  if (quantizations && quantizations.length > 0) refuse('provider.quantizations', why)
}

const DOLLARS = { min: 0, max: 1_000_000 }

function priceAt(value: unknown, path: string): MaxPrice | undefined {
  const doc = docAt(value, path)
  if (!doc) return undefined
  for (const name of ['request', 'image', 'audio'])
    if (isSaid(own(doc, name)))
      refuse(`${path}.${name}`, 'cannot be kept here: only prices of tokens are known')
  const prompt = numberAt(numeric(own(doc, 'prompt')), `${path}.prompt`, DOLLARS)
  const completion = numberAt(numeric(own(doc, 'completion')), `${path}.completion`, DOLLARS)
  return { ...(prompt !== undefined && { prompt }), ...(completion !== undefined && { completion }) }
}

const CUTOFF = { min: 0, max: MAX_TIMEOUT_MS }

function cutoffsAt(value: unknown, path: string): Cutoffs | undefined {
  if (!isSaid(value)) return undefined
  if (typeof value === 'number') return { p50: numberAt(value, path, CUTOFF) ?? 0 }
  const doc = docAt(value, path)
  const cutoffs = (['p50', 'p75', 'p90', 'p99'] as const).flatMap((name) => {
    const cutoff = numberAt(own(doc, name), `${path}.${name}`, CUTOFF)
    return cutoff === undefined ? [] : [[name, cutoff] as const]
  })
  return Object.fromEntries(cutoffs)
}

function inMilliseconds(cutoffs: Cutoffs | undefined): Cutoffs | undefined {
  if (!cutoffs) return undefined
  return Object.fromEntries(Object.entries(cutoffs).map(([name, seconds]) => [name, seconds * 1000]))
}
