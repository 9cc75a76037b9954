/** Text out of tokens that may end inside a character. Pure. */

/** A character takes at most so many tokens; what is still broken then is given as it is. */
const HELD_TOKENS = 8
const BROKEN = '\ufffd'

export class TextPieces<T> {
  readonly #detokenize: (tokens: readonly T[], before: readonly T[]) => string
  #held: T[] = []
  #before: T[] = []

  constructor(detokenize: (tokens: readonly T[], before: readonly T[]) => string) {
    this.#detokenize = detokenize
  }

  /** The text that `token` completes, empty while a character is open. */
  push(token: T): string {
    this.#held.push(token)
    const text = this.#detokenize(this.#held, this.#before)
    if (text.endsWith(BROKEN) && this.#held.length < HELD_TOKENS) return ''
    this.#before = [...this.#before, ...this.#held].slice(-HELD_TOKENS)
    this.#held = []
    return text
  }
}
