/** Times of words from providers that do not say from where they count: what comes tells. Pure. */
import type { SpokenWord } from '../stage/tts.ts'

/**
 * Words' times counted from their sentence's own sound. Inside a context or a connection they may count from
 * its first sound; where it is not documented whether a flush sets them back, the first word after a flush tells: it is near its sentence's
 * beginning one way or the other.
 */
export class WordClock {
  #resets: boolean | undefined

  /** `beforeMs`: the sound before the sentence. */
  shift(words: readonly SpokenWord[], beforeMs: number): readonly SpokenWord[] {
    const first = words[0]
    if (!first || beforeMs === 0) return words
    this.#resets ??= first.startMs < Math.abs(first.startMs - beforeMs)
    if (this.#resets) return words
    const at = (ms: number) => Math.max(0, Math.round(ms - beforeMs))
    return words.map(({ text, startMs, endMs }) => ({ text, startMs: at(startMs), endMs: at(endMs) }))
  }
}

/** Whether times count from the request's beginning all through is not documented: where they fall back, they go on from the last. */
export class RisingWords {
  #offsetMs = 0
  #endMs = 0

  /** How far words reach. */
  get endMs(): number {
    return this.#endMs
  }

  rise(words: readonly SpokenWord[]): readonly SpokenWord[] {
    return words.map(({ text, startMs, endMs }) => {
      if (startMs + this.#offsetMs < this.#endMs - FALLEN_BACK_MS) this.#offsetMs = this.#endMs
      const word = { text, startMs: startMs + this.#offsetMs, endMs: endMs + this.#offsetMs }
      this.#endMs = Math.max(this.#endMs, word.endMs)
      return word
    })
  }
}

/** Words overlap by less. */
const FALLEN_BACK_MS = 200
