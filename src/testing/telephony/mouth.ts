/**
 * The caller's mouth: what it is told to say goes out frame by frame at the pace of speaking, and silence between, or nothing.
 * Frames keep to a grid from the start, so that a late timer makes no later frame late.
 */
import { type AudioFormat, msToBytes } from '../../audio/format.ts'
import type { Clock, Timer } from '../../clock.ts'

export interface MouthOptions {
  readonly clock: Clock
  readonly format: AudioFormat
  readonly frameMs: number
  readonly silence: 'sent' | 'withheld'
  /** `placeMs`: where in the stream the frame begins. */
  readonly frame: (bytes: Uint8Array, placeMs: number) => void
}

export class Mouth {
  readonly #options: MouthOptions
  readonly #frameBytes: number
  readonly #silence: Uint8Array
  #unsaid: Uint8Array = new Uint8Array(0)
  #timer: Timer | undefined
  #startMs = 0
  #frames = 0

  constructor(options: MouthOptions) {
    this.#options = options
    this.#frameBytes = msToBytes(options.format, options.frameMs)
    this.#silence = silenceOf(options.format, this.#frameBytes)
  }

  /** ms since the stream began. */
  get placeMs(): number {
    return this.#frames * this.#options.frameMs
  }

  /** ms that wait to be said. */
  get unsaidMs(): number {
    return (this.#unsaid.length / this.#frameBytes) * this.#options.frameMs
  }

  /** After what it says already. The last frame is filled up with silence. */
  say(bytes: Uint8Array): void {
    this.#unsaid = Buffer.concat([this.#unsaid, bytes])
  }

  /** A new stream: it begins at 0. What was not said is said in it. */
  open(): void {
    this.close()
    this.#startMs = this.#options.clock.now()
    this.#frames = 0
    this.#next()
  }

  close(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  /** A frame is there once all of it was said. */
  #next(): void {
    const { clock, frameMs } = this.#options
    const dueMs = this.#startMs + (this.#frames + 1) * frameMs
    this.#timer = clock.setTimer(dueMs - clock.now(), () => {
      const placeMs = this.placeMs
      this.#frames++
      this.#next()
      this.#say(placeMs)
    })
  }

  #say(placeMs: number): void {
    const said = this.#unsaid.subarray(0, this.#frameBytes)
    if (said.length === 0) {
      if (this.#options.silence === 'sent') this.#options.frame(this.#silence, placeMs)
      return
    }
    this.#unsaid = this.#unsaid.subarray(said.length)
    const rest = this.#silence.subarray(said.length)
    this.#options.frame(rest.length > 0 ? Buffer.concat([said, rest]) : said, placeMs)
  }
}

export function silenceOf(format: AudioFormat, bytes: number): Uint8Array {
  const level = format.encoding === 'mulaw' ? 0xff : format.encoding === 'alaw' ? 0xd5 : 0
  return new Uint8Array(bytes).fill(level)
}
