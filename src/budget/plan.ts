/**
 * A turn's budget as one absolute deadline. What a stage saves the next may use; each has its slack, what is left when the
 * medians of the stages after it are taken off. Times without `At` count from clock zero, the caller's end of speech. Pure.
 */
import type { StageName } from '../errors.ts'

export interface PlanInput {
  readonly turnMs: number
  /** Clock zero, on the clock that `now` will be read from. */
  readonly zeroAt: number
  /** The silence that must pass before the turn is over; 0 for a manual turn and for text. */
  readonly endpointMs: number
  /** In the order they run; stages of the turn that are done already are left out. */
  readonly stages: readonly { readonly stage: StageName; readonly p50Ms: number }[]
}

export interface StagePlan {
  readonly stage: StageName
  readonly p50Ms: number
  /** When it begins and ends if all goes at the median. */
  readonly startMs: number
  readonly endMs: number
  /** Ending later than this, the turn is late even if the later stages take no more than their medians. */
  readonly latestMs: number
}

export interface BudgetPlan {
  readonly turnMs: number
  readonly zeroAt: number
  readonly deadlineAt: number
  readonly endpointMs: number
  readonly stages: readonly StagePlan[]
  /** First audio if all goes at the median. */
  readonly expectedMs: number
  /** What is left over then; below 0 the turn is late from the start. */
  readonly spareMs: number
  /** What each part may take, summing to the budget: the stages share by their medians. `brokenBy` measures against it. */
  readonly shares: Readonly<Record<StageName | 'endpoint', number>>
}

export function planOf({ turnMs, zeroAt, endpointMs, stages }: PlanInput): BudgetPlan {
  const total = stages.reduce((sum, { p50Ms }) => sum + p50Ms, 0)
  const forStages = Math.max(0, turnMs - endpointMs)
  const shares = { endpoint: turnMs - forStages, stt: 0, llm: 0, tts: 0 }
  let atMs = endpointMs
  let laterMs = total
  const planned = stages.map(({ stage, p50Ms }): StagePlan => {
    laterMs -= p50Ms
    shares[stage] += total > 0 ? (forStages * p50Ms) / total : forStages / stages.length
    const startMs = atMs
    atMs += p50Ms
    return { stage, p50Ms, startMs, endMs: atMs, latestMs: turnMs - laterMs }
  })
  return {
    turnMs,
    zeroAt,
    deadlineAt: zeroAt + turnMs,
    endpointMs,
    stages: planned,
    expectedMs: atMs,
    spareMs: turnMs - atMs,
    shares,
  }
}

export function remainingMs({ deadlineAt }: BudgetPlan, now: number): number {
  return deadlineAt - now
}

/** What `stage` may take from `now` on: `deadline − now − Σ p50(later stages)`. Below 0 it is late already. */
export function slackMs({ zeroAt, turnMs, stages }: BudgetPlan, stage: StageName, now: number): number {
  const latestMs = stages.find((one) => one.stage === stage)?.latestMs ?? latestBefore()
  function latestBefore(): number {
    const [first] = stages
    // Recognition comes before all that is planned.
    return stage === 'stt' && first ? first.latestMs - first.p50Ms : turnMs
  }
  return zeroAt + latestMs - now
}

/** How long until the first audio, if `stage` began at `sinceAt` and is at work; 0 when it is overdue. */
export function expectedInMs({ stages }: BudgetPlan, stage: StageName, sinceAt: number, now: number): number {
  const index = stages.findIndex((one) => one.stage === stage)
  if (index < 0) return 0
  const own = Math.max(0, sinceAt + stages[index]!.p50Ms - now)
  // Overdue, nothing is known of when: the later stages' medians would only feign it.
  return own === 0 ? 0 : stages.slice(index + 1).reduce((sum, { p50Ms }) => sum + p50Ms, own)
}
