/**
 * Whose turn it is. Streams wait under the purpose they have; answers go before pieces, pieces before partials,
 * and within a purpose the one that waited longest. A stream that was served goes to the end. Pure.
 */
import type { Purpose } from '../../whole-utterance.ts'

const URGENCY: readonly Purpose[] = ['answer', 'piece', 'partial']

export class FairQueue<T> {
  readonly #lines: Readonly<Record<Purpose, Set<T>>> = {
    answer: new Set(),
    piece: new Set(),
    partial: new Set(),
  }

  /** Puts `one` where it belongs; a place it already has is kept. */
  place(one: T, purpose: Purpose | undefined): void {
    for (const line of URGENCY) if (line !== purpose) this.#lines[line].delete(one)
    if (purpose) this.#lines[purpose].add(one)
  }

  /** Takes the next one out. */
  take(): T | undefined {
    for (const purpose of URGENCY) {
      for (const one of this.#lines[purpose]) {
        this.#lines[purpose].delete(one)
        return one
      }
    }
    return undefined
  }

  /** How many wait for an answer. */
  get answers(): number {
    return this.#lines.answer.size
  }
}
