/**
 * `openrouter_metadata`, for who asked for it: the record of a turn in the shape of `@openrouter/sdk` 1.3 on the wire (snake
 * case). OpenRouter calls the field experimental. Only attempts of the model are told; the voice has no place in it.
 */
import type { Target } from '../../route/candidates.ts'
import type { AttemptRecord, TurnRecord } from '../../trace/record.ts'
import type { Strategy } from './apply.ts'
import { statusOf } from './status-kinds.ts'

export interface OpenrouterMetadata {
  /** As the client wrote it. */
  readonly requested: string
  readonly strategy: Strategy['kind']
  /** There is one place, and it has no name. */
  readonly region: null
  /** From 1: the attempt that answered, else the last. 0: nobody was asked. */
  readonly attempt: number
  readonly attempts: readonly { readonly provider: string; readonly model: string; readonly status: number }[]
  readonly endpoints: {
    readonly available: readonly {
      readonly model: string
      readonly provider: string
      readonly selected: boolean
    }[]
    readonly total: number
  }
  /** Always: providers are called with the operator's own keys, and bill the operator. */
  readonly is_byok: true
  readonly summary: string
  /** Milliseconds of the attempt that answered, from its start to its end; left out while it has none. */
  readonly generation_time?: number
}

export interface RoutingTold {
  readonly requested: string
  readonly strategy: Strategy
  /** Everybody who might have been asked, in order; refused ones are not among them. */
  readonly available: readonly Target[]
}

export function openrouterMetadata(
  record: TurnRecord,
  { requested, strategy, available }: RoutingTold,
): OpenrouterMetadata {
  const attempts = modelAttempts(record)
  const answered = answeredBy(attempts)
  const place = answered ? attempts.indexOf(answered) + 1 : attempts.length
  const selected = answered && `${answered.provider}/${answered.model}`
  return {
    requested,
    strategy: strategy.kind,
    region: null,
    attempt: place,
    attempts: attempts
      .filter(({ status }) => status !== 'running')
      .map((one) => ({
        provider: one.provider,
        model: `${one.provider}/${one.model}`,
        status: httpStatus(one),
      })),
    endpoints: {
      available: available.map(({ id, provider }) => ({ model: id, provider, selected: id === selected })),
      total: available.length,
    },
    is_byok: true,
    summary: summaryOf({ strategy, available: available.length, selected: selected ?? null }),
    ...(answered?.endMs != null && {
      generation_time: Math.max(0, Math.round(answered.endMs - answered.startMs)),
    }),
  }
}

/** One line: how many there were, who was taken, what made the order, what was lost. */
export function summaryOf({
  strategy,
  available,
  selected,
}: {
  readonly strategy: Strategy
  readonly available: number
  readonly selected: string | null
}): string {
  return [
    `available=${available}`,
    `selected=${selected ?? 'none'}`,
    ...(strategy.by.length > 0 ? [`by=${strategy.by.join(' > ')}`] : []),
    ...strategy.lost.map((lost) => `lost=${lost}`),
  ].join(', ')
}

export function modelAttempts({ attempts }: TurnRecord): readonly AttemptRecord[] {
  return attempts.filter(({ stage }) => stage === 'llm')
}

/** The one whose output the caller has: it ended well, or it has begun and is still running. The last, after a continuation. */
export function answeredBy(attempts: readonly AttemptRecord[]): AttemptRecord | undefined {
  return attempts.findLast(
    ({ status, firstOutputMs }) => status === 'ok' || (status === 'running' && firstOutputMs !== null),
  )
}

function httpStatus({ status, kind }: AttemptRecord): number {
  if (status === 'ok') return 200
  return statusOf(status === 'cancelled' ? 'cancelled' : (kind ?? 'transient'))
}
