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
  readonly isProgress?: ((item: T) => boolean) | undefined
  /** Clock time since which anything is owed, null while nothing is: such a gap does not count. */
  readonly owedSince?: (() => number | null) | undefined
  /** The attempt's own scope: aborted when time is up, so that the upstream request closes. */
  readonly scope: Scope
  readonly provider: string
  readonly stage: StageName
}

export function withDeadline<T>(
  source: AsyncIterable<T>,
  options: DeadlineOptions<T>,
): AsyncIterableIterator<T> {
  return new Timed(source[Symbol.asyncIterator](), options)
}

/** By hand and no generator: it stands in the way of every item. */
class Timed<T> implements AsyncIterableIterator<T> {
  readonly #source: AsyncIterator<T>
  readonly #options: DeadlineOptions<T>
  #timer: Timer | undefined
  /** When the timer fires, and when time is up; the second moves with every item, the first does not. */
  #firesAt = 0
  #dueAt = 0
  #resting = false
  #allowed = { ms: 0, what: '' }
  #expired: ProviderError | undefined
  #state: 'fresh' | 'waiting' | 'useful' | 'over' = 'fresh'
  /** Undefined: wound up again by an item that shows progress. */
  #idleLeftMs: number | undefined
  #waitingSince = 0

  constructor(source: AsyncIterator<T>, options: DeadlineOptions<T>) {
    this.#source = source
    this.#options = options
    options.scope.signal.addEventListener('abort', this.#onAbort)
  }

  /** A reader that rests may never come back. */
  readonly #onAbort = (): void => {
    this.#timer?.cancel()
    this.#timer = undefined
  };

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<T>> {
    if (this.#state === 'over') return { value: undefined, done: true }
    if (this.#state === 'fresh') {
      this.#state = 'waiting'
      this.#arm(this.#options.firstUsefulMs, 'no useful output')
    } else if (this.#state === 'useful') {
      this.#waitingSince = this.#options.clock.now()
      // Asked now: what is allowed may depend on how long the reader took.
      this.#idleLeftMs ??= this.#idleMs
      this.#arm(this.#idleMs, 'nothing more', this.#idleLeftMs)
    }
    try {
      const result = await this.#source.next()
      if (!result.done) this.#saw(result.value)
      else {
        this.#end()
        if (this.#expired) throw this.#expired
      }
      return result
    } catch (error) {
      this.#end()
      throw this.#expired ?? error
    }
  }

  return(): Promise<IteratorResult<T>> {
    this.#end()
    return this.#source.return?.() ?? Promise.resolve({ value: undefined, done: true })
  }

  get #idleMs(): number {
    const { idleMs } = this.#options
    return typeof idleMs === 'number' ? idleMs : idleMs()
  }

  #saw(item: T): void {
    const { clock, isUseful, isProgress } = this.#options
    const first = this.#state === 'waiting'
    if (first && !isUseful(item)) return
    this.#state = 'useful'
    // Keep-alives do not wind the clock up again.
    if (first || !isProgress || isProgress(item)) this.#idleLeftMs = undefined
    else this.#idleLeftMs = (this.#idleLeftMs ?? this.#idleMs) - (clock.now() - this.#waitingSince)
    // The reader's own pauses are not the provider's: the timer rests meanwhile.
    this.#resting = true
  }

  /** A timer that runs already is left to run: it looks at its end whether time is up. */
  #arm(ms: number, what: string, waitMs = ms): void {
    this.#allowed = { ms, what }
    this.#dueAt = this.#options.clock.now() + waitMs
    this.#resting = false
    if (this.#timer && this.#firesAt <= this.#dueAt) return
    this.#timer?.cancel()
    this.#setTimer(waitMs)
  }

  #setTimer(waitMs: number): void {
    const { clock } = this.#options
    this.#firesAt = clock.now() + waitMs
    this.#timer = clock.setTimer(waitMs, () => {
      this.#timer = undefined
      if (!this.#resting) this.#fired()
    })
  }

  #fired(): void {
    const { clock, owedSince, provider, stage, scope } = this.#options
    const { ms, what } = this.#allowed
    const now = clock.now()
    if (now < this.#dueAt) return this.#setTimer(this.#dueAt - now)
    const since = owedSince ? owedSince() : Number.NEGATIVE_INFINITY
    const leftMs = since === null ? ms : since + ms - now
    if (leftMs > 0) return this.#arm(ms, what, leftMs)
    this.#expired = new ProviderError({
      provider,
      stage,
      kind: 'timeout',
      message: `${what} within ${ms} ms`,
    })
    scope.cancel('deadline')
  }

  #end(): void {
    this.#state = 'over'
    this.#onAbort()
    this.#options.scope.signal.removeEventListener('abort', this.#onAbort)
  }
}
