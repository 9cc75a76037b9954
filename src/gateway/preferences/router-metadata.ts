/**
 * Inworld's `metadata` of an answer: the attempts, the router, and in a line why. Its status of a success is `success`; that of
 * a failure is published nowhere, so it is ours: `failed`, `cancelled`, `running`.
 */
import type { AttemptRecord, TurnRecord } from '../../trace/record.ts'
import { answeredBy, modelAttempts, type RoutingTold, summaryOf } from './openrouter-metadata.ts'

export interface RouterMetadata {
  readonly attempts: readonly {
    readonly provider: string
    readonly model: string
    readonly status: 'success' | 'failed' | 'cancelled' | 'running'
    /** To the end; of one that runs, to its first output. Null while there is neither. */
    readonly latencyMs: number | null
  }[]
  readonly router: string
  readonly reasoning: string
}

export function routerMetadata(record: TurnRecord, told: RoutingTold): RouterMetadata {
  const attempts = modelAttempts(record)
  const answered = answeredBy(attempts)
  return {
    attempts: attempts.map(({ provider, model, status, startMs, firstOutputMs, endMs }) => {
      const until = endMs ?? firstOutputMs
      return {
        provider,
        model,
        status: statusWord(status),
        latencyMs: until === null ? null : Math.max(0, Math.round(until - startMs)),
      }
    }),
    router: record.route.llm ?? record.pipeline,
    reasoning: summaryOf({
      strategy: told.strategy,
      available: told.available.length,
      selected: answered ? `${answered.provider}/${answered.model}` : null,
    }),
  }
}

function statusWord(status: AttemptRecord['status']): 'success' | 'failed' | 'cancelled' | 'running' {
  return status === 'ok' ? 'success' : status
}
