/** How often each rule matched, did not, and could not be judged: for metrics and for the author of a rule that never holds. */
import type { Decision } from './decide.ts'
import type { FailureKind } from './failure.ts'

export interface RuleCount {
  matched: number
  passed: number
  readonly failed: Record<FailureKind, number>
}

/** One for each pipeline snapshot; bounded by its routes. */
export class RuleCounts {
  readonly #counts = new Map<string, RuleCount>()

  add({ stage, routes, trials }: Pick<Decision, 'stage' | 'routes' | 'trials'>): void {
    trials.forEach((trial, i) => {
      const name = `${stage}/${routes.routes[i]?.route.name}`
      let count = this.#counts.get(name)
      if (!count) {
        count = { matched: 0, passed: 0, failed: { missing: 0, type: 0, value: 0 } }
        this.#counts.set(name, count)
      }
      if (trial === true) count.matched++
      else if (trial === false) count.passed++
      else count.failed[trial.kind]++
    })
  }

  /** By `stage/route`. */
  read(): ReadonlyMap<string, Readonly<RuleCount>> {
    return this.#counts
  }
}
