/** Characters with times, made words. Pure. */

import { isInsideWord } from '../stage/speech-length.ts'
import type { SpokenWord } from '../stage/tts.ts'

export interface Alignment {
  readonly chars: readonly string[]
  /** From one moment of the sentence's sound, which is told with them. */
  readonly startsMs: readonly number[]
  readonly durationsMs: readonly number[]
}

/** One for each sentence; times from the start of the sentence's sound. */
export class AlignedWords {
  /** What the alignments of all messages last together. */
  alignedMs = 0
  #letters = ''
  #startMs = 0
  #endMs = 0

  /** `offsetMs`: the moment from which these times count. Gives the words that are complete. */
  add({ chars, startsMs, durationsMs }: Alignment, offsetMs: number): SpokenWord[] {
    const words: SpokenWord[] = []
    this.alignedMs += Math.max(...chars.map((_, i) => startsMs[i]! + durationsMs[i]!))
    for (const [i, char] of chars.entries()) {
      const startMs = Math.round(offsetMs + startsMs[i]!)
      if (/^\s*$/.test(char) || this.#endsBefore(char)) words.push(...this.rest())
      if (/^\s*$/.test(char)) continue
      if (this.#letters === '') this.#startMs = startMs
      this.#letters += char
      this.#endMs = Math.max(startMs, Math.round(offsetMs + startsMs[i]! + durationsMs[i]!))
    }
    return words
  }

  /** The word in progress, if any. */
  rest(): SpokenWord[] {
    const text = this.#letters
    this.#letters = ''
    return text === '' ? [] : [{ text, startMs: this.#startMs, endMs: this.#endMs }]
  }

  /** In scripts written without spaces every character is a word, with the marks after it. */
  #endsBefore(char: string): boolean {
    if (!LETTER.test(char)) return false
    const last = [...this.#letters].findLast((one) => LETTER.test(one))
    return last !== undefined && !isInsideWord(last + char, last.length)
  }
}

const LETTER = /^[\p{L}\p{N}]/u
