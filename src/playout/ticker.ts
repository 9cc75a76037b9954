/**
 * One tick for all pacers of a process: a timer each would be 300 timers a frame, and on the same 20 ms edge all their
 * writes would stand in one another's way. Every 5 ms those that wait for their next frame's time are asked; it stops
 * when none waits.
 */
import type { Clock, Timer } from '../clock.ts'

/** A quarter of a frame: nobody is later than this for want of a tick, and 200 wake-ups a second are cheap. */
export const TICK_MS = 5

export interface Ticked {
  /** Sends what is due at `now`, and leaves when nothing waits. Must not throw. */
  tick(now: number): void
}

export class Ticker {
  readonly #clock: Clock
  readonly #waiting = new Set<Ticked>()
  #timer: Timer | undefined
  #nextAt = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting.size
  }

  join(one: Ticked): void {
    this.#waiting.add(one)
    if (this.#timer) return
    this.#nextAt = this.#clock.now() + TICK_MS
    this.#arm()
  }

  leave(one: Ticked): void {
    this.#waiting.delete(one)
    if (this.#waiting.size > 0) return
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #arm(): void {
    this.#timer = this.#clock.setTimer(this.#nextAt - this.#clock.now(), () => this.#tick())
  }

  #tick(): void {
    this.#timer = undefined
    const now = this.#clock.now()
    // One may leave or join while another sends: a Set's iteration allows both.
    for (const one of this.#waiting) one.tick(now)
    if (this.#waiting.size === 0 || this.#timer) return
    // A stalled loop skips the ticks it missed: they have nothing left to do.
    this.#nextAt = Math.max(this.#nextAt + TICK_MS, now + 1)
    this.#arm()
  }
}
