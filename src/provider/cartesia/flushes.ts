/**
 * Which of a context's sentences a message belongs to, and when one is complete. Pure.
 *
 * Each sentence is followed by a flush, so the n-th `flush_done` ends the n-th sentence; a context speaks in order, on
 * one socket. Messages also carry a `flush_id`, one more for every flush; whether a `flush_done` bears the number of
 * the sentence it ends or of the next one the documents do not say, and older versions send none. So `flush_done` is
 * counted, and of the ids only their rise counts: what shows the later sentence is believed.
 */
import type { SpokenWord } from '../../stage/tts.ts'

export class Flushes {
  #done = 0
  #firstId: number | undefined
  #lastDoneId: number | undefined

  /** The ordinal in its context, from 0, of the sentence whose sound or words these are. */
  of(flushId: number | undefined): number {
    if (flushId === undefined) return this.#done
    this.#firstId ??= flushId
    return Math.max(this.#done, flushId - this.#firstId)
  }

  /** A flush is done: how many sentences are complete. The same one said twice counts once. */
  flushed(flushId: number | undefined): number {
    if (flushId === undefined || flushId !== this.#lastDoneId) this.#done++
    this.#lastDoneId = flushId
    return this.#done
  }
}

/**
 * Words' times counted from their sentence's own sound. Inside a context they count from the context's first sound;
 * whether a flush sets them back is not documented, so the first word after a flush tells: it is near its sentence's
 * beginning one way or the other.
 */
export class WordClock {
  #resets: boolean | undefined

  /** `beforeMs`: the context's sound before the sentence. */
  shift(words: readonly SpokenWord[], beforeMs: number): readonly SpokenWord[] {
    const first = words[0]
    if (!first || beforeMs === 0) return words
    this.#resets ??= first.startMs < Math.abs(first.startMs - beforeMs)
    if (this.#resets) return words
    const at = (ms: number) => Math.max(0, Math.round(ms - beforeMs))
    return words.map(({ text, startMs, endMs }) => ({ text, startMs: at(startMs), endMs: at(endMs) }))
  }
}
