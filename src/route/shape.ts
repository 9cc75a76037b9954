/** What a condition may read: names, members and types of the routing context, and since when each is known. */
import type { StageName } from '../errors.ts'

export type Type = 'string' | 'int' | 'double' | 'bool' | 'timestamp' | 'dyn'

export type Shape =
  | { readonly type: Type }
  | { readonly type: 'members'; readonly members: Readonly<Record<string, Shape>> }
  /** Any name leads to `value`; of `any` nothing is known. */
  | { readonly type: 'map'; readonly value: Shape; readonly keys: 'any' | 'targets' }
  | { readonly type: 'list'; readonly item: Shape }

const of = (type: Type): Shape => ({ type })
const members = (all: Readonly<Record<string, Shape>>): Shape => ({ type: 'members', members: all })

/** `docs/routing.md` has the same table; a test holds them equal. */
export const CONTEXT = {
  key: { type: 'map', value: of('string'), keys: 'any' },
  metadata: { type: 'map', value: of('dyn'), keys: 'any' },
  session: members({
    id: of('string'),
    wire: of('string'),
    language: of('string'),
    turns: of('int'),
    durationMs: of('int'),
    user: of('string'),
    digits: of('string'),
  }),
  turn: members({
    text: of('string'),
    words: of('int'),
    language: of('string'),
    confidence: of('double'),
    complexity: of('double'),
    inputTokens: of('int'),
  }),
  request: members({
    model: of('string'),
    messages: { type: 'list', item: members({ role: of('string'), content: of('string') }) },
    tools: { type: 'list', item: of('string') },
    stream: of('bool'),
    maxTokens: of('int'),
  }),
  budget: members({ remainingMs: of('int'), turnMs: of('int') }),
  health: {
    type: 'map',
    keys: 'targets',
    value: members({ p50Ms: of('int'), p95Ms: of('int'), errorRate: of('double'), open: of('bool') }),
  },
  now: of('timestamp'),
} as const satisfies Readonly<Record<string, Shape>>

export type ContextName = keyof typeof CONTEXT
export const CONTEXT_NAMES = Object.keys(CONTEXT) as readonly ContextName[]

/** Why a name is not there for a stage; undefined: it is. */
export function absent(name: ContextName, stage: StageName): string | undefined {
  if (stage !== 'stt') return undefined
  if (name === 'turn')
    return 'turn is not known yet when speech is recognised: what was said is what this stage finds out'
  if (name === 'request')
    return 'request is not known yet when speech is recognised: the prompt is made from its result'
  return undefined
}
