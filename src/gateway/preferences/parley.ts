/** Our own member `parley` and header `x-parley-pipeline`. A name that is not known is refused: it is a mistake, for these are ours. */
import type { HedgeAfter } from '../../attempt/hedge.ts'
import type { Draft } from './draft.ts'
import { refuse } from './error.ts'
import { type Headers, headerOf } from './headers.ts'
import type { Said } from './preferences.ts'
import { type Doc, docAt, flagAt, isSaid, millisecondsAt, nameAt, own } from './values.ts'

const KNOWN = ['pipeline', 'resume', 'firstTokenMs', 'timeoutMs', 'hedge', 'keys']

export function readParley(body: Doc, headers: Headers, draft: Draft): void {
  const header = 'x-parley-pipeline'
  const doc = docAt(own(body, 'parley'), 'parley')
  for (const name of Object.keys(doc ?? {}))
    if (!KNOWN.includes(name)) refuse('parley', `has a member that is none of ${KNOWN.join(', ')}`)
  // A proxy sets the header for everybody; who asks for another pipeline in the body means it.
  const said = nameAt(own(doc, 'pipeline'), 'parley.pipeline')
  const pipeline = said ?? nameAt(headerOf(headers, header), header)
  draft.say(
    'pipeline',
    pipeline?.replace(/^(router|inworld)\//, ''),
    said === undefined ? header : 'parley.pipeline',
  )
  draft.say('resume', flagAt(own(doc, 'resume'), 'parley.resume'), 'parley.resume')
  for (const name of ['firstTokenMs', 'timeoutMs'] as const)
    draft.say(name, millisecondsAt(own(doc, name), `parley.${name}`), `parley.${name}`)
  draft.say('hedge', hedgeAt(own(doc, 'hedge')), 'parley.hedge')
  draft.say('keys', keysAt(docAt(own(doc, 'keys'), 'parley.keys')), 'parley.keys')
}

const MAX_KEYS = 16
const MAX_KEY_CHARS = 8_000

/** By provider. What is wrong with a key is told without it. */
function keysAt(doc: Doc | undefined): Said['keys'] | undefined {
  if (!doc) return undefined
  const names = Object.keys(doc)
  if (names.length > MAX_KEYS) refuse('parley.keys', `has more than ${MAX_KEYS} members`)
  return new Map(
    names.map((name) => {
      const key = own(doc, name)
      const fits = typeof key === 'string' && key.length <= MAX_KEY_CHARS && /^[\x21-\x7e]+$/.test(key)
      return [name, fits ? key : refuse('parley.keys', 'holds a key that no HTTP header may hold')]
    }),
  )
}

const PERCENTILES = ['p50', 'p90', 'p95', 'p99'] as const

/** `false`, a percentile, or milliseconds. A route's cap on hedges holds whatever is asked. */
function hedgeAt(value: unknown): Said['hedge'] | undefined {
  if (!isSaid(value)) return undefined
  if (value === false) return 'off'
  if (typeof value === 'number') return { ms: millisecondsAt(value, 'parley.hedge') ?? 1 }
  const percentile: HedgeAfter | undefined = PERCENTILES.find((one) => one === value)
  return (
    percentile ?? refuse('parley.hedge', `must be false, milliseconds, or one of ${PERCENTILES.join(', ')}`)
  )
}
