/**
 * A second target for a call that is slow: asked when the first has given nothing useful by a threshold. Whose useful output
 * is first is read; the other is aborted in the same tick. When both come in the same tick, the first target is
 * read: it is the one that the route's order prefers.
 */
import type { CancelReason } from '../cancel.ts'
import type { Clock } from '../clock.ts'
import type { AttemptTarget } from './failure.ts'
import type { Share } from './hedge-share.ts'
import type { Ask, Live, Opener } from './opener.ts'

/** When the second target is asked: after so many milliseconds, or what healthy attempts of the first take. */
export type HedgeAfter = 'p50' | 'p90' | 'p95' | 'p99' | { readonly ms: number }

/** A route's word on hedging. */
export interface Hedge {
  readonly after: HedgeAfter
  readonly share: Share
}

export interface HedgeOptions<C extends AttemptTarget> {
  readonly clock: Clock
  readonly thresholdMs: (candidate: C) => number
  readonly share: Share
}

/** Promise reactions that may stand between a target's item and its claim to be first, and still count as the same tick. */
const SAME_TICK_HOPS = 32

export function withHedge<C extends AttemptTarget, T>(
  open: Opener<C, T>,
  options: HedgeOptions<C>,
): Opener<C, T> {
  return (ask) => new Hedged(open, options, ask)
}

class Hedged<C extends AttemptTarget, T> implements Live<C, T> {
  readonly #open: Opener<C, T>
  readonly #options: HedgeOptions<C>
  readonly #ask: Ask<C>
  readonly #first: Live<C, T>
  #second: Live<C, T> | undefined
  #winner: Live<C, T> | undefined

  constructor(open: Opener<C, T>, options: HedgeOptions<C>, ask: Ask<C>) {
    this.#open = open
    this.#options = options
    this.#ask = ask
    this.#first = open(ask)
  }

  get candidate(): C {
    return (this.#winner ?? this.#first).candidate
  }

  get costUsd(): number | null {
    return (this.#winner ?? this.#first).costUsd
  }

  ready(): Promise<void> {
    const { clock, share, thresholdMs } = this.#options
    share.call()
    return new Promise((resolve, reject) => {
      let running = 0
      const timer = clock.setTimer(thresholdMs(this.#ask.candidate), () => {
        this.#second = this.#hedge()
        if (this.#second) run(this.#second)
      })
      const win = (lane: Live<C, T>) => {
        if (this.#winner) return
        timer.cancel()
        this.#winner = lane
        this.#settle()
        resolve()
      }
      const run = (lane: Live<C, T>) => {
        running++
        lane.ready().then(
          () =>
            lane === this.#first || running === 1 ? win(lane) : void sameTickOver().then(() => win(lane)),
          (error: unknown) => {
            // While the other runs, it may still answer.
            if (--running > 0 || this.#winner) return
            timer.cancel()
            reject(error)
          },
        )
      }
      run(this.#first)
    })
  }

  next(): Promise<IteratorResult<T>> {
    return (this.#winner ?? this.#first).next()
  }

  stop(reason: CancelReason): void {
    this.#first.stop(reason)
    this.#second?.stop(reason)
  }

  #hedge(): Live<C, T> | undefined {
    const { share } = this.#options
    const { hasNext, takeNext, signal } = this.#ask
    if (!hasNext() || !share.take()) return undefined
    const next = takeNext('hedge')
    if (next) return this.#open({ ...next, signal, hasNext, takeNext })
    share.giveBack()
    return undefined
  }

  /** The race is decided: one is read, the other ends here and now. */
  #settle(): void {
    const { share } = this.#options
    if (!this.#second) return
    const loser = this.#winner === this.#second ? this.#first : this.#second
    if (loser === this.#first) share.won()
    loser.stop('hedge-lost')
    share.lost(loser.costUsd)
  }
}

async function sameTickOver(): Promise<void> {
  for (let hop = 0; hop < SAME_TICK_HOPS; hop++) await undefined
}
