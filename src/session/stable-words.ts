/**
 * The words of one utterance that may stand for its final ones when those are late. Words that are still coming in, of a
 * recogniser that lags behind or hears a replay from its start, are not all that was said; nor are those that came before the
 * caller fell silent.
 */
import type { Clock, Timer } from '../clock.ts'

/** Without a change for so long, they stand. Recognisers tell of changes several times a second. */
const STILL_MS = 400
/** Silence is noticed so much late: words that came in that time may be all of them. */
const NOTICED_MS = 300

export class StableWords {
  readonly #clock: Clock
  readonly #onStanding: () => void
  #text = ''
  #changedAt = 0
  #heardAt = Number.NEGATIVE_INFINITY
  #silentAt = Number.POSITIVE_INFINITY
  #isAnew = false
  #timer: Timer | undefined

  constructor(clock: Clock, onStanding: () => void) {
    this.#clock = clock
    this.#onStanding = onStanding
  }

  /** `all`: the recogniser says that these are all words so far. */
  heard(text: string, all: 'all' | 'more'): void {
    const now = this.#clock.now()
    if (all === 'all') this.#changedAt = now - STILL_MS
    else if (this.#isAnew || text !== this.#text) this.#changedAt = now
    this.#isAnew = false
    this.#text = text
    this.#heardAt = now
    this.#timer?.cancel()
    this.#timer = undefined
    const leftMs = this.#changedAt + STILL_MS - now
    if (leftMs <= 0) return this.#onStanding()
    this.#timer = this.#clock.setTimer(leftMs, () => this.#onStanding())
  }

  /** The caller has just been noticed to be silent. */
  silent(): void {
    this.#silentAt = this.#clock.now()
  }

  /** Another hears it from the start: what it says next is new, and what did not stand yet was not all. */
  anew(): void {
    if (this.standing === '') {
      this.#text = ''
      this.stop()
    }
    this.#isAnew = true
  }

  /** '' while none stand. */
  get standing(): string {
    const isFresh = this.#heardAt >= this.#silentAt - NOTICED_MS
    const isStill = this.#clock.now() - this.#changedAt >= STILL_MS
    return isFresh && isStill ? this.#text.trim() : ''
  }

  stop(): void {
    this.#timer?.cancel()
  }
}
