/**
 * What is written down of one HTTP request: the same record a spoken turn has, with the budget counted to the first useful output. It
 * is in the answer's last event, in its headers as of the first byte, and at `GET /v1/turns/{id}`.
 */
import type { AttemptTarget } from '../attempt/failure.ts'
import type { Clock } from '../clock.ts'
import type { StageName } from '../errors.ts'
import type { ExperimentBook } from '../experiment/book.ts'
import type { Metrics } from '../trace/metrics.ts'
import { parleyRecord, type TurnRecord } from '../trace/record.ts'
import type { TurnStore } from '../trace/turn-store.ts'
import { TurnTrace } from '../trace/turn-trace.ts'
import type { Plan } from './llm/plan.ts'

export interface RecordDeps {
  readonly clock: Clock
  readonly turns: TurnStore
  readonly metrics: Metrics
  readonly experiments: ExperimentBook
}

export interface RecordStart {
  readonly id: string
  readonly keyId: string | null
  readonly wire: string
  readonly sessionId: string
  readonly plan: Pick<Plan, 'pipeline' | 'turnMs' | 'exposures'>
  /** Whose first output the budget is counted to; left out: the model's. */
  readonly stage?: StageName
  /** When the request came, on the clock; left out: now. */
  readonly at?: number
}

const FIRST_MARK = { stt: 'sttFinal', llm: 'llmFirstToken', tts: 'ttsFirstAudio' } as const

/** In the place of a pipeline's name where there is none. */
export const NO_PIPELINE = '-'

export class RequestRecord {
  readonly trace: TurnTrace
  readonly #deps: RecordDeps
  readonly #start: RecordStart
  readonly #startedAt: number
  readonly #dropped: Record<string, readonly string[]> = {}
  #firstMs: number | null = null
  #settled: TurnRecord | undefined

  constructor(start: RecordStart, deps: RecordDeps) {
    const { id, keyId, wire, sessionId, plan } = start
    this.#deps = deps
    this.#start = start
    this.#startedAt = start.at ?? deps.clock.now()
    this.trace = new TurnTrace({
      id,
      sessionId,
      keyId,
      wire,
      pipeline: plan.pipeline ?? NO_PIPELINE,
      turnMs: plan.turnMs ?? 0,
      clock: deps.clock,
    })
      .textOnly()
      .zero(this.#startedAt)
  }

  /** Something of the answer is about to be sent. */
  first(): void {
    if (this.#firstMs !== null) return
    this.trace.mark(FIRST_MARK[this.#stage])
    this.#firstMs = Math.round((this.#deps.clock.now() - this.#startedAt) * 10) / 10
  }

  dropped({ provider, model }: AttemptTarget, members: readonly string[]): void {
    this.#dropped[`${provider}/${model}`] = [...new Set(members)]
  }

  /** As of now. */
  get now(): TurnRecord {
    const record = this.trace.snapshot()
    const { turnMs, degraded } = record.budget
    const actualMs = this.#firstMs
    const late = turnMs > 0 && actualMs !== null && actualMs > turnMs
    return Object.assign(record, {
      budget: { turnMs, actualMs, brokenBy: late ? this.#stage : null, degraded },
    })
  }

  get #stage(): StageName {
    return this.#start.stage ?? 'llm'
  }

  /** `parley`, and what could not be said to whom. */
  trailer(
    record: TurnRecord,
    more: Readonly<Record<string, unknown>> = {},
  ): Readonly<Record<string, unknown>> {
    const parley = Object.assign(parleyRecord(record), more)
    return { parley: this.#hasDropped() ? Object.assign(parley, { dropped: this.#dropped }) : parley }
  }

  #hasDropped(): boolean {
    for (const _ in this.#dropped) return true
    return false
  }

  headers(): Record<string, string> {
    const { id, attempts } = this.now
    return { 'x-parley-turn-id': id, 'x-parley-attempts': String(attempts.length) }
  }

  /** The request is over: kept, counted, and told to the experiments. Gives the final record. The first word counts. */
  settle(outcome: 'said' | 'failed' | 'cancelled'): TurnRecord {
    this.#settled ??= this.#settle(outcome)
    return this.#settled
  }

  #settle(outcome: 'said' | 'failed' | 'cancelled'): TurnRecord {
    const { plan, sessionId } = this.#start
    const { turns, metrics, experiments } = this.#deps
    if (outcome === 'said') this.trace.exposed(plan.exposures)
    this.trace.close(outcome)
    const record = this.now
    turns.put(record)
    metrics.request(record)
    if (plan.exposures.length > 0) {
      experiments.exposed(sessionId, plan.exposures)
      experiments.turn(sessionId, {
        firstAudioMs: record.budget.actualMs,
        costUsd: record.costUsd,
        interrupted: 'no',
        outcome,
        degraded: 'no',
      })
      experiments.closed(sessionId)
    }
    return record
  }
}
