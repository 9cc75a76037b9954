/**
 * How many calls of a route may be doubled: every call adds its share of a hedge, a hedge takes a whole one, and what is saved
 * is bounded. So of any calls counted from the start at most `maxShare` are hedged, and of any stretch of them at most that
 * and `SAVED` more: an outage of the provider is not met by doubling all traffic.
 */

/** Enough that chance clusters of slow calls are not denied at a busy hour, little beside a bill. */
const SAVED = 50

export interface HedgeCounts {
  readonly calls: number
  readonly hedges: number
  /** Wanted, and refused by the share. */
  readonly denied: number
  /** Of the hedges, those that were first. */
  readonly won: number
  /** What attempts cost that lost. */
  readonly lostUsd: number
}

/** What a hedged call asks and tells. */
export type Share = Pick<HedgeShare, 'maxShare' | 'call' | 'take' | 'giveBack' | 'won' | 'lost'>

/** One for each route with a hedge. */
export class HedgeShare {
  readonly maxShare: number
  /** In hedges. */
  #saved = 0
  readonly #counts = { calls: 0, hedges: 0, denied: 0, won: 0, lostUsd: 0 }

  constructor(maxShare: number) {
    if (!(maxShare > 0 && maxShare <= 1)) throw new RangeError('maxShare must be above 0 and at most 1')
    this.maxShare = maxShare
  }

  call(): void {
    this.#counts.calls++
    this.#saved = Math.min(SAVED, this.#saved + this.maxShare)
  }

  /** False, and counted, when the share is used up. */
  take(): boolean {
    // Ten tenths are a little less than one.
    if (this.#saved < 1 - 1e-9) {
      this.#counts.denied++
      return false
    }
    this.#saved -= 1
    this.#counts.hedges++
    return true
  }

  /** What was taken was not used after all. */
  giveBack(): void {
    this.#counts.hedges--
    this.#saved = Math.min(SAVED, this.#saved + 1)
  }

  won(): void {
    this.#counts.won++
  }

  lost(usd: number | null): void {
    this.#counts.lostUsd += usd ?? 0
  }

  read(): HedgeCounts {
    return { ...this.#counts }
  }
}
