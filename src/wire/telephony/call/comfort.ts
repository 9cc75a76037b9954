/** Silence for a far side that wants to be sent something always, at the pace of listening: where we own its clock. */
import { silence } from '../../../audio/convert.ts'
import type { AudioFormat } from '../../../audio/format.ts'
import { FRAME_MS } from '../../../playout/pacer.ts'
import type { Ticked, Ticker } from '../../../playout/ticker.ts'
import type { Link } from './link.ts'
import type { Playback } from './playback.ts'

export interface ComfortOptions {
  readonly ticker: Ticker
  readonly playback: Playback
  readonly format: AudioFormat
}

/** Two frames are always on their way: one tick may be late. */
const AHEAD_MS = 2 * FRAME_MS

export class Comfort implements Ticked {
  readonly #options: ComfortOptions
  readonly #frame: Uint8Array
  #link: Link | undefined

  constructor(options: ComfortOptions) {
    this.#options = options
    this.#frame = silence(options.format, FRAME_MS)
  }

  attach(link: Link): void {
    this.#link = link
    this.#options.ticker.join(this)
  }

  detach(): void {
    this.#link = undefined
    this.#options.ticker.leave(this)
  }

  tick(now: number): void {
    const { playback } = this.#options
    if (!this.#link?.open) return
    while (playback.waitingMs(now) < AHEAD_MS) {
      this.#link.send(this.#link.codec.audio(this.#frame))
      playback.padded(FRAME_MS, now)
    }
  }
}
