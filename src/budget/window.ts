/** How long one attempt may wait for its first useful output. Pure. */

export interface WindowFacts {
  /** Left for the stage, the later stages' medians taken off. */
  readonly slackMs: number
  /** Of the target that is asked. */
  readonly p50Ms: number
  readonly p95Ms: number
  /** Of the target that would be asked next; null: this is the last one. */
  readonly nextP50Ms: number | null
  /** How long the last target is waited for beyond the slack. Left out: 5 s, a late answer being better than an apology. */
  readonly patienceMs?: number | undefined
  /** Nobody of this stage is given less. */
  readonly leastMs?: number | undefined
  /** Windows of this target that ran out in a row. */
  readonly timeouts?: number
}

/** Nobody is given less: a connection alone may take as long, and a choice that cannot be met helps nobody. */
const LEAST_MS = 300
/** Nobody hangs up in this time; as long as the longest silence that is allowed within an answer. */
const PATIENCE_MS = 5000
/** A window that ran out may have been too short: the next is doubled, so that a slow target can show how slow it is, */
const MOST_DOUBLINGS = 2
/** but not beyond this while somebody else could be asked. */
const MOST_DOUBLED_MS = 3000
/** Longer than this nobody stays on the line. */
const MOST_MS = 15_000

/**
 * With another target behind it an attempt may take what leaves the next one its median, but no less than its own
 * median and a half, or a slow target that was chosen on purpose would never be heard; and no more than twice its p95,
 * or a stall early in a roomy budget would go unnoticed. Fallbacks have less slack and so their floor is the longer of both.
 */
export function windowMs(facts: WindowFacts): number {
  const { slackMs, p50Ms, p95Ms, nextP50Ms, leastMs = 0, timeouts = 0 } = facts
  const least = Math.max(LEAST_MS, leastMs, 1.5 * p50Ms)
  if (nextP50Ms === null) {
    return Math.round(Math.min(MOST_MS, Math.max(slackMs + (facts.patienceMs ?? PATIENCE_MS), least)))
  }
  const most = Math.max(least, 2 * p95Ms)
  const once = Math.max(least, Math.min(most, slackMs - nextP50Ms))
  const doubled = once * 2 ** Math.min(timeouts, MOST_DOUBLINGS)
  return Math.round(Math.min(MOST_MS, Math.max(once, Math.min(doubled, MOST_DOUBLED_MS))))
}
