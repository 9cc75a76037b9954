/** The timers of a session by their names; one that is set again begins anew. */
import type { Clock, Timer } from '../clock.ts'
import type { TimerName } from './events.ts'

export class Timers {
  readonly #clock: Clock
  readonly #fire: (timer: TimerName) => void
  readonly #running = new Map<TimerName, Timer>()

  constructor(clock: Clock, fire: (timer: TimerName) => void) {
    this.#clock = clock
    this.#fire = fire
  }

  set(timer: TimerName, ms: number): void {
    this.clear(timer)
    this.#running.set(
      timer,
      this.#clock.setTimer(ms, () => this.#fire(timer)),
    )
  }

  clear(timer: TimerName): void {
    this.#running.get(timer)?.cancel()
  }

  close(): void {
    for (const timer of this.#running.values()) timer.cancel()
  }
}
