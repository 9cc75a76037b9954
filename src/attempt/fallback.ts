/**
 * Targets in order until one gives something useful; from then on its items alone. An error after that is not made good
 * here, because what was heard cannot be taken back: it becomes a `brokenAfterUseful` with those who may continue.
 */
import { type Clock, delay } from '../clock.ts'
import type { StageName } from '../errors.ts'
import { AttemptsFailed, type AttemptTarget, type AttemptTold, asProviderError } from './failure.ts'
import type { Live, Opener, Try } from './opener.ts'
import type { Roster } from './roster.ts'

export interface FallbackOptions<C extends AttemptTarget> {
  readonly stage: StageName
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Why the first one is asked. */
  readonly reason: string
  /** Filled by whoever opens attempts. */
  readonly told: readonly AttemptTold<C>[]
}

/** The one whose items are to be read. Throws `AttemptsFailed`, or the signal's reason. */
export async function withFallback<C extends AttemptTarget, T>(
  roster: Roster<C>,
  open: Opener<C, T>,
  options: FallbackOptions<C>,
): Promise<Live<C, T>> {
  const { stage, signal, told } = options
  signal.throwIfAborted()
  let turn = roster.take(options.reason) ?? (await nextOf(roster, options))
  for (; ; turn = await nextOf(roster, options)) {
    if (!turn) {
      throw new AttemptsFailed({ stage, attempts: told, skipped: roster.skipped, brokenAfterUseful: null })
    }
    const before = told.length
    const { candidate, ticket, reason, windowMs } = turn
    const live = open({
      candidate,
      ticket,
      reason,
      windowMs,
      signal,
      hasNext: () => roster.hasNext(),
      takeNext: (reason) => roster.takeBeside(candidate, reason),
    })
    if (await isReady(live, options, () => blame(roster, told.slice(before)))) return live
  }
}

/** What an error of its items is to the run. Throws the signal's reason. */
export function brokenAfterUseful<C extends AttemptTarget, T>(
  reason: unknown,
  live: Live<C, T>,
  roster: Roster<C>,
  { stage, signal, told }: FallbackOptions<C>,
): AttemptsFailed<C> {
  signal.throwIfAborted()
  const { candidate } = live
  const error = asProviderError(reason, stage, candidate.provider)
  const broken = { candidate, error, remaining: roster.remaining(candidate) }
  return new AttemptsFailed({ stage, attempts: told, skipped: roster.skipped, brokenAfterUseful: broken })
}

/** False: it failed, and `blame` found by whose fault. */
async function isReady<C extends AttemptTarget, T>(
  live: Live<C, T>,
  { signal }: FallbackOptions<C>,
  blame: () => 'blamed' | 'nobody',
): Promise<boolean> {
  try {
    await live.ready()
    return true
  } catch (error) {
    live.stop('done')
    signal.throwIfAborted()
    // No target's fault: one of the caller's own functions threw.
    if (blame() === 'nobody') throw error
    return false
  }
}

function blame<C extends AttemptTarget>(
  roster: Roster<C>,
  told: readonly AttemptTold<C>[],
): 'blamed' | 'nobody' {
  const failed = told.filter(({ error }) => error !== null)
  for (const { candidate, error } of failed) if (error) roster.failed(candidate, error)
  return failed.length > 0 ? 'blamed' : 'nobody'
}

/** After a failure: the next in order; who said when to come back, if that is in time; who is off, as a last resort. */
async function nextOf<C extends AttemptTarget>(
  roster: Roster<C>,
  { clock, signal, told }: FallbackOptions<C>,
): Promise<Try<C> | undefined> {
  const last = told.findLast(({ error }) => error !== null)?.error
  const next = roster.take(`fallback: ${last?.declined ?? last?.kind ?? 'circuit open'}`)
  if (next) return next
  for (let later = roster.later(); later; later = roster.later()) {
    await delay(clock, later.waitMs, signal)
    const again = roster.retry(later.candidate, `retry after ${Math.round(later.waitMs)} ms`)
    if (again) return again
  }
  return roster.resort()
}
