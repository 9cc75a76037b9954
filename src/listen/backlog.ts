/**
 * The wire's bytes before they are listened to: whole samples, each run in the format it came in, bounded in bytes.
 * When it is full the oldest go. Lengths are 16 kHz samples, with fractions at odd rates.
 */
import { type AudioFormat, bytesPerSample, msToBytes } from '../audio/format.ts'
import { VAD_SAMPLE_RATE_HZ } from './vad.ts'

export interface Piece {
  bytes: Uint8Array
  readonly format: AudioFormat
}

export class Backlog {
  readonly #capacityBytes: number
  readonly #pieces: Piece[] = []
  #bytes = 0
  /** Half a sample waiting for its other byte. */
  #odd: number | undefined

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  get empty(): boolean {
    return this.#pieces.length === 0
  }

  /** Returns the length added: an odd byte counts when its other half comes. */
  push(bytes: Uint8Array, format: AudioFormat): number {
    const whole = this.#wholeSamples(bytes, format)
    if (whole.length === 0) return 0
    this.#pieces.push({ bytes: whole, format })
    this.#bytes += whole.length
    return lengthOf(format, whole.length)
  }

  /** At most `ms` from the front, in one format; undefined when empty. */
  take(ms: number): Piece | undefined {
    const first = this.#pieces[0]
    if (!first) return undefined
    const slice = first.bytes.subarray(0, msToBytes(first.format, ms))
    this.#cut(first, slice.length)
    return { bytes: slice, format: first.format }
  }

  /** Lets go of the oldest until the rest fits; returns the length that went. */
  shed(): number {
    let shed = 0
    while (this.#bytes > this.#capacityBytes) {
      const first = this.#pieces[0]!
      const width = bytesPerSample(first.format)
      const excess = Math.ceil((this.#bytes - this.#capacityBytes) / width) * width
      const cut = Math.min(excess, first.bytes.length)
      this.#cut(first, cut)
      shed += lengthOf(first.format, cut)
    }
    return shed
  }

  /** The next byte begins a sample, whatever came before: the format changed. */
  align(): void {
    this.#odd = undefined
  }

  /** Lets go of every whole sample. */
  clear(): void {
    this.#pieces.length = 0
    this.#bytes = 0
  }

  #cut(piece: Piece, bytes: number): void {
    this.#bytes -= bytes
    if (bytes === piece.bytes.length) this.#pieces.shift()
    else piece.bytes = piece.bytes.subarray(bytes)
  }

  #wholeSamples(bytes: Uint8Array, format: AudioFormat): Uint8Array {
    if (bytesPerSample(format) === 1) return bytes
    let whole = bytes
    if (this.#odd !== undefined) {
      whole = new Uint8Array(bytes.length + 1)
      whole[0] = this.#odd
      whole.set(bytes, 1)
    }
    this.#odd = whole.length % 2 === 0 ? undefined : whole.at(-1)
    return this.#odd === undefined ? whole : whole.subarray(0, whole.length - 1)
  }
}

function lengthOf(format: AudioFormat, bytes: number): number {
  return ((bytes / bytesPerSample(format)) * VAD_SAMPLE_RATE_HZ) / format.sampleRateHz
}
