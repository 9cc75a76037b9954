/** Which target holds a conversation's prompt in its cache: the one that answered it last. Bounded, and forgotten after a while. */
import type { Clock } from '../clock.ts'

/** Conversations; the least recently answered goes. */
const MAX_PINS = 10_000
/** Providers keep a prompt for five to ten minutes. */
const KEPT_MS = 600_000

export class ConversationPins {
  readonly #clock: Clock
  readonly #pins = new Map<string, { readonly target: string; readonly at: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Null: none, or too long ago. */
  of(conversation: string): string | null {
    const pin = this.#pins.get(conversation)
    return pin && this.#clock.now() - pin.at < KEPT_MS ? pin.target : null
  }

  answered(conversation: string, target: string): void {
    this.#pins.delete(conversation)
    if (this.#pins.size >= MAX_PINS) {
      const oldest = this.#pins.keys().next()
      if (!oldest.done) this.#pins.delete(oldest.value)
    }
    this.#pins.set(conversation, { target, at: this.#clock.now() })
  }
}
