/** How long one attempt may wait for its first useful output. Pure. */

export interface WindowFacts {
  /** Left for the stage, the later stages' medians taken off. */
  readonly slackMs: number
  /** Of the target that is asked. */
  readonly p50Ms: number
  readonly p95Ms: number
  /** Of the target that would be asked next; null: this is the last one. */
  readonly nextP50Ms: number | null
}

/** Nobody is given less: a connection alone may take as long, and a choice that cannot be met helps nobody. */
const LEAST_MS = 300
/** The last target is waited for beyond the budget: a late answer is better than an apology. */
const PATIENCE_MS = 5000
/** Longer than this nobody stays on the line. */
const MOST_MS = 15_000

/**
 * With another target behind it an attempt may take what leaves the next one its median, but no less than its own
 * median and a half, or a slow target that was chosen on purpose would never be heard; and no more than twice its p95,
 * or a stall early in a roomy budget would go unnoticed. Fallbacks have less slack and so their floor is the longer of both.
 */
export function windowMs({ slackMs, p50Ms, p95Ms, nextP50Ms }: WindowFacts): number {
  if (nextP50Ms === null) return Math.round(Math.min(MOST_MS, Math.max(slackMs, 2 * p95Ms, PATIENCE_MS)))
  const least = Math.max(LEAST_MS, 1.5 * p50Ms)
  const most = Math.max(least, 2 * p95Ms)
  return Math.round(Math.min(MOST_MS, Math.max(least, Math.min(most, slackMs - nextP50Ms))))
}
