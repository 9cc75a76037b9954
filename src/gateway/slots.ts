/** So many requests at work at once, and no more: each holds its audio in memory, and the machine has so many cores. */
import { Refusal } from './failure.ts'

export class Slots {
  readonly #most: number
  #taken = 0

  constructor(most: number) {
    this.#most = most
  }

  /** Gives it back, once. Throws `Refusal`. */
  take(): () => void {
    if (this.#taken >= this.#most)
      throw new Refusal('audio_busy', 'The server is at work on as many audio requests as it takes.')
    this.#taken++
    let held = 1
    return () => {
      this.#taken -= held
      held = 0
    }
  }
}
