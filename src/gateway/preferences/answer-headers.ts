/**
 * Headers of an answer: ours always, Portkey's and LiteLLM's for who spoke so. They are what is known when the headers are
 * sent, which is at the first byte of a stream: the cost is then missing, and the record has it later.
 */
import type { AttemptRecord, TurnRecord } from '../../trace/record.ts'
import type { Choice } from './choices.ts'
import { answeredBy, modelAttempts } from './openrouter-metadata.ts'
import type { Preferences } from './preferences.ts'

export interface HeaderFacts {
  readonly preferences: Pick<Preferences, 'dialects'>
  /** As `applyPreferences` has it. */
  readonly order: readonly Choice[]
  /** `model`, as the client wrote it. */
  readonly requested: string
  /** The client's `x-portkey-trace-id`; null: the turn's id is told. */
  readonly traceId: string | null
}

/** Names in lower case; values of visible ASCII characters, so that any server takes them. */
export function answerHeaders(record: TurnRecord, facts: HeaderFacts): Readonly<Record<string, string>> {
  const attempts = modelAttempts(record)
  const { dialects } = facts.preferences
  return {
    'x-parley-turn-id': visible(record.id),
    ...(attempts.length > 0 && { 'x-parley-attempts': chainOf(attempts) }),
    ...(dialects.includes('portkey') && portkeyHeaders(record, attempts, facts)),
    ...(dialects.includes('litellm') && litellmHeaders(record, attempts, facts)),
  }
}

/** The newest ones: more do not fit into a header that every proxy lets through. */
const MAX_CHAIN = 12

/** `openai/gpt-4o;failed;timeout, groq/llama-3.3-70b;ok` */
function chainOf(attempts: readonly AttemptRecord[]): string {
  return attempts
    .slice(-MAX_CHAIN)
    .map((one) => [idOf(one), one.status, ...(one.kind === null ? [] : [one.kind])].map(visible).join(';'))
    .join(', ')
}

function portkeyHeaders(
  record: TurnRecord,
  attempts: readonly AttemptRecord[],
  { order, traceId }: HeaderFacts,
): Record<string, string> {
  const last = answeredBy(attempts) ?? attempts.at(-1)
  const choice = last && order.find(({ id }) => id === idOf(last))
  const place = choice?.wish.place ?? 'config'
  return {
    'x-portkey-trace-id': visible(traceId ?? record.id),
    'x-portkey-cache-status': 'DISABLED',
    // Of the target that was used last: its first try is none.
    'x-portkey-retry-attempt-count': String(last ? triesOf(last, attempts) - 1 : 0),
    'x-portkey-last-used-option-index': visible(place.startsWith('config') ? place : 'config'),
    ...(last && { 'x-portkey-provider': visible(last.provider) }),
  }
}

function litellmHeaders(
  record: TurnRecord,
  attempts: readonly AttemptRecord[],
  { order, requested }: HeaderFacts,
): Record<string, string> {
  const last = answeredBy(attempts) ?? attempts.at(-1)
  const targets = new Set(attempts.filter(({ hedge }) => !hedge).map(idOf)).size
  return {
    'x-litellm-call-id': visible(record.id),
    'x-litellm-model-group': visible(requested),
    ...(last && { 'x-litellm-model-id': visible(idOf(last)) }),
    'x-litellm-attempted-fallbacks': String(Math.max(0, targets - 1)),
    'x-litellm-attempted-retries': String(last ? triesOf(last, attempts) - 1 : 0),
    'x-litellm-max-fallbacks': String(Math.max(0, order.length - 1)),
    ...(record.costUsd !== null && { 'x-litellm-response-cost': String(record.costUsd) }),
    ...(last?.endMs != null && { 'x-litellm-response-duration-ms': String(Math.round(last.endMs)) }),
  }
}

function triesOf(one: AttemptRecord, attempts: readonly AttemptRecord[]): number {
  return attempts.filter((other) => idOf(other) === idOf(one)).length
}

function idOf({ provider, model }: AttemptRecord): string {
  return `${provider}/${model}`
}

const MAX_CHARS = 256

/** What else is in a name is escaped as in an address; a name of a model may come from a client. */
function visible(text: string): string {
  return text.slice(0, MAX_CHARS).replace(/[^\x21-\x2b\x2d-\x3a\x3c-\x7e]/g, (one) => {
    const point = one.codePointAt(0) ?? 0
    return `%${point.toString(16).toUpperCase().padStart(2, '0')}`
  })
}
