/** Notices a model that drips. */
import type { Clock, Timer } from '../clock.ts'

/** A model that drips without ending a clause: what there is goes to the voice after this long. */
const DRIP_MS = 700

/** Fires when nothing came for `DRIP_MS`; re-armed lazily, so that a fast stream costs no timers. */
export class Drip {
  readonly #clock: Clock
  readonly #fire: () => void
  #lastAt = 0
  #timer: Timer | undefined

  constructor(clock: Clock, fire: () => void) {
    this.#clock = clock
    this.#fire = fire
  }

  again(): void {
    this.#lastAt = this.#clock.now()
    this.#timer ??= this.#clock.setTimer(DRIP_MS, () => this.#check())
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #check(): void {
    const left = this.#lastAt + DRIP_MS - this.#clock.now()
    this.#timer = left > 0.5 ? this.#clock.setTimer(left, () => this.#check()) : undefined
    if (!this.#timer) this.#fire()
  }
}
