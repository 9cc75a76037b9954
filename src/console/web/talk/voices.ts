/** The last seconds of both voices, 20 ms a step: what the ribbon draws. Written in place; nothing is allocated. */

export const STEPS = 400
export const STEP_MS = 20

export class Voices {
  readonly #yours = new Float32Array(STEPS)
  readonly #theirs = new Float32Array(STEPS)
  #head = 0
  #now = 0
  /** Loudest of the step being filled. */
  #you = 0
  #them = 0

  /** Your level just now, 0…1. */
  get you(): number {
    return this.#you
  }

  hearYou(level: number): void {
    this.#you = level
  }

  hearThem(level: number): void {
    this.#them = level
  }

  /** Moves on to `nowMs`, holding each voice's level over the steps in between. */
  advance(nowMs: number): void {
    const steps = Math.min(STEPS, Math.floor((nowMs - this.#now) / STEP_MS))
    if (steps <= 0) return
    for (let i = 0; i < steps; i++) {
      this.#head = (this.#head + 1) % STEPS
      this.#yours[this.#head] = this.#you
      this.#theirs[this.#head] = this.#them
    }
    this.#now = nowMs - ((nowMs - this.#now) % STEP_MS)
  }

  /** @param age steps back from now. */
  at(age: number): { readonly you: number; readonly them: number } {
    const index = (this.#head - age + STEPS) % STEPS
    return { you: this.#yours[index]!, them: this.#theirs[index]! }
  }
}
