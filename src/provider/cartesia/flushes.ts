/**
 * Which of a context's sentences a message belongs to, and when one is complete. Pure.
 *
 * Each sentence is followed by a flush, so the n-th `flush_done` ends the n-th sentence; a context speaks in order, on
 * one socket. Messages also carry a `flush_id`, one more for every flush; whether a `flush_done` bears the number of
 * the sentence it ends or of the next one the documents do not say, and older versions send none. So `flush_done` is
 * counted, and of the ids only their rise counts: what shows the later sentence is believed.
 */
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
