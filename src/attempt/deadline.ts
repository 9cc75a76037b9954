/**
 * A stream under two clocks: one until its first *useful* item (never headers or keep-alives), one for every
 * gap after it. When one runs out the attempt is aborted and the reader gets a `ProviderError` of kind `timeout`.
 */
import type { Scope } from '../cancel.ts'
import type { Clock, Timer } from '../clock.ts'
import { ProviderError, type StageName } from '../errors.ts'

export interface DeadlineOptions<T> {
  readonly clock: Clock
  readonly firstUsefulMs: number
  /** A function is asked at each gap. */
  readonly idleMs: number | (() => number)
  readonly isUseful: (item: T) => boolean
  /** What shows, after the first useful item, that the stream goes on; left out: every item. */
  readonly isProgress?: (item: T) => boolean
  /** Clock time since which anything is owed, null while nothing is: such a gap does not count. */
  readonly owedSince?: () => number | null
  /** The attempt's own scope: aborted when time is up, so that the upstream request closes. */
  readonly scope: Scope
  readonly provider: string
  readonly stage: StageName
}

export async function* withDeadline<T>(
  source: AsyncIterable<T>,
  options: DeadlineOptions<T>,
): AsyncGenerator<T> {
  const { clock, firstUsefulMs, isUseful, isProgress, owedSince, scope, provider, stage } = options
  const { idleMs } = options
  const idleNow = typeof idleMs === 'number' ? () => idleMs : idleMs
  let expired: ProviderError | undefined
  let timer: Timer | undefined
  const arm = (ms: number, what: string, waitMs = ms) => {
    timer?.cancel()
    timer = clock.setTimer(waitMs, () => {
      const since = owedSince ? owedSince() : Number.NEGATIVE_INFINITY
      const leftMs = since === null ? ms : since + ms - clock.now()
      if (leftMs > 0) return arm(ms, what, leftMs)
      expired = new ProviderError({ provider, stage, kind: 'timeout', message: `${what} within ${ms} ms` })
      scope.cancel('deadline')
    })
  }
  arm(firstUsefulMs, 'no useful output')
  let useful = false
  let idleLeftMs = idleNow()
  let waitingSince = 0
  try {
    for await (const item of source) {
      const first = !useful && (useful = isUseful(item))
      if (!useful) {
        yield item
        continue
      }
      // Keep-alives do not wind the clock up again.
      const progress = first || !isProgress || isProgress(item)
      if (!progress) idleLeftMs -= clock.now() - waitingSince
      // The reader's own pauses are not the provider's: the timer rests meanwhile.
      timer?.cancel()
      yield item
      waitingSince = clock.now()
      if (progress) idleLeftMs = idleNow()
      arm(idleNow(), 'nothing more', idleLeftMs)
    }
  } catch (error) {
    throw expired ?? error
  } finally {
    timer?.cancel()
  }
  if (expired) throw expired
}
