/** A decision told as data: every rule with its value and reason, every candidate with its scores, the plan. For JSON. Pure. */
import type { BudgetPlan } from '../budget/plan.ts'
import type { StageName } from '../errors.ts'
import type { CircuitState } from './candidates.ts'
import type { RoutingContext } from './context.ts'
import type { Assignment, Decision } from './decide.ts'
import type { Trial } from './routes.ts'

export interface RuleTold {
  readonly route: string
  /** Null: the route has no condition. */
  readonly when: string | null
  /** `not tried`: an earlier one was taken. */
  readonly outcome: 'taken' | 'no' | 'failed' | 'not tried'
  /** No value of the caller's in it. */
  readonly reason: string
}

export interface CandidateTold {
  readonly target: string
  /** From 1; null: not to be asked. */
  readonly place: number | null
  readonly reasons: readonly string[]
  readonly circuit: CircuitState
  readonly p50Ms: number
  readonly p90Ms: number
  readonly p95Ms: number
  readonly samples: number
  readonly latencyFrom: 'language' | 'target' | 'prior'
  readonly errorRate: number
  readonly unitsPerSecond: number | null
  readonly priceUsd: number | null
  readonly quality: number | null
  readonly inFlight: number
}

export interface PlanTold {
  readonly turnMs: number
  readonly endpointMs: number
  readonly expectedMs: number
  readonly spareMs: number
  readonly stages: readonly {
    readonly stage: StageName
    readonly p50Ms: number
    readonly startMs: number
    readonly latestMs: number
  }[]
}

export interface Explanation {
  readonly stage: StageName
  readonly rules: readonly RuleTold[]
  readonly route: string | null
  readonly assignment: Assignment | null
  readonly candidates: readonly CandidateTold[]
  readonly plan: PlanTold | null
}

/** `context` is the one that was decided on: the parts of its conditions are looked at once more. */
export function explain(decision: Decision, context: RoutingContext, plan: BudgetPlan | null): Explanation {
  const { stage, routes, trials, route, assignment, candidates } = decision
  let place = 0
  return {
    stage,
    rules: routes.routes.map(({ route: { name, when }, condition }, i) => ({
      route: name,
      when,
      ...told(trials[i], () => condition?.why(context) ?? 'has no condition'),
    })),
    route: route?.name ?? null,
    assignment,
    candidates: candidates.map(({ target, facts, refused, notes }) => ({
      target: target.id,
      place: refused === null ? ++place : null,
      reasons: refused === null ? notes : [...notes, refused],
      circuit: facts.circuit,
      p50Ms: facts.latency.p50Ms,
      p90Ms: facts.latency.p90Ms,
      p95Ms: facts.latency.p95Ms,
      samples: facts.latency.samples,
      latencyFrom: facts.latency.from,
      errorRate: facts.latency.errorRate,
      unitsPerSecond: facts.latency.unitsPerSecond,
      priceUsd: facts.priceUsd,
      quality: facts.quality,
      inFlight: facts.inFlight,
    })),
    plan: plan && planTold(plan),
  }
}

function told(trial: Trial | undefined, why: () => string): Pick<RuleTold, 'outcome' | 'reason'> {
  if (trial === undefined) return { outcome: 'not tried', reason: 'an earlier route was taken' }
  if (trial === true) return { outcome: 'taken', reason: why() }
  if (trial === false) return { outcome: 'no', reason: why() }
  return { outcome: 'failed', reason: trial.reason }
}

function planTold({ turnMs, endpointMs, expectedMs, spareMs, stages }: BudgetPlan): PlanTold {
  return {
    turnMs,
    endpointMs,
    expectedMs,
    spareMs,
    stages: stages.map(({ stage, p50Ms, startMs, latestMs }) => ({ stage, p50Ms, startMs, latestMs })),
  }
}
