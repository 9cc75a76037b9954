/** The caller's audio of one session on one scale of audio time, whatever formats it came in. */
import { type AudioFormat, sameFormat } from '../audio/format.ts'
import { AudioRing } from '../stage/ring.ts'

/** How far the recogniser may run ahead of the ear: none in real time, but a flood holds several utterances. */
export const AHEAD_OF_EAR_MS = 200
/** Speech is told of only once it is a burst: it may begin this long before the ear's horizon. */
const BURST_MS = 500
/** What a hand-committed buffer may hold; longer ones lose their beginning. */
const RING_MS = 120_000

export class CallerAudio {
  #ring: AudioRing
  /** Audio time at which the present ring began: a change of format begins a new one. */
  #startMs = 0
  /** Audio time from which nothing has been committed yet. */
  bufferStartMs = 0

  constructor(format: AudioFormat) {
    this.#ring = new AudioRing(format, { capacityMs: RING_MS })
  }

  /** Audio time of what was written. */
  get audioMs(): number {
    return this.#startMs + this.#ring.endMs
  }

  get bufferedMs(): number {
    return this.audioMs - this.bufferStartMs
  }

  write(bytes: Uint8Array): void {
    this.#ring.write(bytes)
  }

  /** What the ring holds between two audio times; whole samples. */
  between(fromMs: number, toMs: number): { readonly bytes: Uint8Array; readonly format: AudioFormat } {
    return { bytes: this.#ring.read(fromMs - this.#startMs, toMs - this.#startMs), format: this.#ring.format }
  }

  isIn(format: AudioFormat): boolean {
    return sameFormat(this.#ring.format, format)
  }

  /** What was held goes. */
  changeFormat(format: AudioFormat): void {
    this.#startMs = this.audioMs
    this.#ring = new AudioRing(format, { capacityMs: RING_MS })
  }

  /**
   * Lets go of what nobody needs. `judgedMs`: from where the ear may still find speech; null: the client commits by hand.
   * `neededFromMs`: what may be recognised again.
   */
  keep(judgedMs: number | null, neededFromMs: number | null): void {
    const fromMs = judgedMs === null ? this.bufferStartMs : judgedMs - BURST_MS
    this.#ring.retain(Math.min(fromMs, neededFromMs ?? fromMs) - this.#startMs)
  }
}
