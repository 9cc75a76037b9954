/** All pacers of a process, on one tick. */
import type { Clock } from '../clock.ts'
import { Pacer, type PacerOptions } from './pacer.ts'
import { Ticker } from './ticker.ts'

export class PacerGroup {
  readonly #clock: Clock
  readonly #ticker: Ticker

  constructor(clock: Clock) {
    this.#clock = clock
    this.#ticker = new Ticker(clock)
  }

  /** Pacers that wait for their next frame's time. */
  get size(): number {
    return this.#ticker.size
  }

  /** A pacer for one answer. */
  open<Tag>(options: PacerOptions<Tag>): Pacer<Tag> {
    return new Pacer(options, this.#clock, this.#ticker)
  }
}
