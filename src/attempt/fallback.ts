/**
 * Targets in order until one gives something useful; from then on its items alone. An error after that is not made good
 * here, because what was heard cannot be taken back: it is passed on as `brokenAfterUseful` with those who may continue.
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
  readonly onChosen?: (candidate: C) => void
}

/** Throws `AttemptsFailed`, or the signal's reason. */
export async function* withFallback<C extends AttemptTarget, T>(
  roster: Roster<C>,
  open: Opener<C, T>,
  options: FallbackOptions<C>,
): AsyncGenerator<T, void> {
  const { stage, signal, told, onChosen } = options
  signal.throwIfAborted()
  let turn = roster.take(options.reason) ?? (await nextOf(roster, options))
  for (; ; turn = await nextOf(roster, options)) {
    if (!turn) {
      throw new AttemptsFailed({ stage, attempts: told, skipped: roster.skipped, brokenAfterUseful: null })
    }
    const before = told.length
    const live = open({
      ...turn,
      signal,
      hasNext: () => roster.hasNext(),
      takeNext: (reason) => roster.take(reason),
    })
    if (await isReady(live, options, () => blame(roster, told.slice(before)))) {
      onChosen?.(live.candidate)
      return yield* itemsOf(live, roster, options)
    }
  }
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

async function* itemsOf<C extends AttemptTarget, T>(
  live: Live<C, T>,
  roster: Roster<C>,
  { stage, signal, told }: FallbackOptions<C>,
): AsyncGenerator<T, void> {
  try {
    for (;;) {
      const { value, done } = await live.next().catch((reason: unknown) => {
        signal.throwIfAborted()
        const { candidate } = live
        const error = asProviderError(reason, stage, candidate.provider)
        const brokenAfterUseful = { candidate, error, remaining: roster.remaining(candidate) }
        throw new AttemptsFailed({ stage, attempts: told, skipped: roster.skipped, brokenAfterUseful })
      })
      if (done) return
      yield value
    }
  } finally {
    live.stop('done')
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
  const later = roster.later()
  if (later) {
    await delay(clock, later.waitMs, signal)
    return roster.retry(later.candidate, `retry after ${Math.round(later.waitMs)} ms`)
  }
  return roster.resort()
}
