/**
 * What a recogniser's double hears in the samples it is sent: each word once it is over. It breaks once, in the middle of the
 * utterance it is to break in.
 */
import type { AudioFormat } from '../../src/audio/format.ts'
import type { HeardWord, SttFaultName, SttScript } from '../../src/testing/stt/double.ts'
import { isLoud, wordAtLevel } from '../chaos/words.ts'
import type { Break } from './break.ts'

/** From what is heard to what is said of it. */
const ANSWER_MS = 120
const LEAST_MS = 100
/** Of ten. */
const BREAKS_AFTER_WORDS = 4

/** Where a word lies: in all audio, or in the caller's own, without silence that the client made up (zeros). */
export type Places = 'in all audio' | 'in the caller’s'

/** One for each connection. */
export class Ear implements SttScript {
  readonly words: HeardWord[] = []
  readonly answerMs = ANSWER_MS
  readonly faultAtMs = 0
  readonly #broken: Break
  readonly #places: Places
  /** Words of the utterance that is to break. */
  #inTurn = 0
  #heardMs = 0
  #loud: number[] = []
  #loudFromMs = 0

  constructor(broken: Break, places: Places) {
    this.#broken = broken
    this.#places = places
  }

  get fault(): SttFaultName | undefined {
    return this.#inTurn < BREAKS_AFTER_WORDS ? undefined : this.#broken.of(this)
  }

  hear(bytes: Uint8Array, { sampleRateHz }: AudioFormat): void {
    const samples = new Int16Array(Uint8Array.from(bytes).buffer)
    for (const sample of samples) {
      if (sample === 0 && this.#places === 'in the caller’s') continue
      this.#heardMs += 1000 / sampleRateHz
      if (isLoud(sample)) {
        if (this.#loud.length === 0) this.#loudFromMs = this.#heardMs
        this.#loud.push(sample)
      } else if (this.#loud.length > 0) this.#word(this.#heardMs)
    }
  }

  #word(endMs: number): void {
    const text = wordIn(this.#loud, endMs - this.#loudFromMs)
    this.#loud = []
    if (text === undefined) return
    this.words.push({ text, startMs: Math.round(this.#loudFromMs), endMs: Math.round(endMs) })
    if (this.#broken.armed) this.#inTurn++
  }
}

/** A word's length of the same loudness is that word. */
export function wordIn(loud: number[], ms: number): string | undefined {
  const middle = loud.sort((a, b) => a - b)[loud.length >> 1]
  return middle === undefined || ms < LEAST_MS ? undefined : wordAtLevel(middle)
}
