/**
 * The caller's audio as it came, held for replay: the last second or so while nothing happens, everything since
 * the last committed words while somebody speaks, and never more than the capacity.
 *
 *     dropped ◄─ │ block │ block │ block │ ◄─ write         kept from: `retain(fromMs)`, else endMs − keepMs
 *
 * Audio stands in the wire's own encoding, in blocks of a quarter second that come and go whole, so growing copies
 * nothing and an idle session holds `keepMs` and at most two blocks. Times are audio time, in ms since the first byte.
 */
import { type AudioFormat, bytesPerSample, bytesToMs, msToBytes } from '../audio/format.ts'

export interface AudioRingOptions {
  /** The most that is ever held. */
  readonly capacityMs?: number
  /** What is held when nothing is retained. */
  readonly keepMs?: number
}

const BLOCK_MS = 250

export class AudioRing {
  readonly format: AudioFormat
  readonly #blockBytes: number
  readonly #capacityBytes: number
  readonly #keepBytes: number
  readonly #blocks: Uint8Array[] = []
  /** The last block let go, to be filled again. */
  #spare: Uint8Array | undefined
  /** Stream position of the first block's first byte. */
  #blocksAt = 0
  /** Stream positions of what is held. */
  #start = 0
  #end = 0
  #retainFrom: number | null = null
  #lost = 0

  constructor(format: AudioFormat, options: AudioRingOptions = {}) {
    this.format = format
    this.#blockBytes = msToBytes(format, BLOCK_MS)
    this.#capacityBytes = msToBytes(format, options.capacityMs ?? 30_000)
    this.#keepBytes = Math.min(this.#capacityBytes, msToBytes(format, options.keepMs ?? 1000))
  }

  /** Where the oldest audio held begins. */
  get startMs(): number {
    return bytesToMs(this.format, this.#start)
  }

  /** How much was written in all. */
  get endMs(): number {
    return bytesToMs(this.format, this.#wholeEnd)
  }

  /** Audio that was to be retained and did not fit. */
  get lostMs(): number {
    return bytesToMs(this.format, this.#lost)
  }

  /** Bytes of memory in use. */
  get heldBytes(): number {
    return (this.#blocks.length + (this.#spare ? 1 : 0)) * this.#blockBytes
  }

  /** Copies `bytes` in; any length, a chunk may split a sample. */
  write(bytes: Uint8Array): void {
    // Of a chunk longer than the ring only the end can stay.
    const skipped = Math.max(0, bytes.length - this.#capacityBytes)
    let at = skipped
    if (skipped > 0) this.#skip(skipped)
    while (at < bytes.length) {
      const inBlock = this.#end - this.#blocksAt - (this.#blocks.length - 1) * this.#blockBytes
      if (this.#blocks.length === 0 || inBlock === this.#blockBytes) {
        this.#addBlock()
        continue
      }
      const count = Math.min(bytes.length - at, this.#blockBytes - inBlock)
      this.#blocks[this.#blocks.length - 1]!.set(bytes.subarray(at, at + count), inBlock)
      at += count
      this.#end += count
    }
    this.#trim()
  }

  /** Whole samples from `fromMs` to `toMs`, a copy, clamped to what is held. */
  read(fromMs: number, toMs = Number.POSITIVE_INFINITY): Uint8Array {
    const from = Math.max(this.#start, this.#position(fromMs))
    const to =
      toMs === Number.POSITIVE_INFINITY ? this.#wholeEnd : Math.min(this.#wholeEnd, this.#position(toMs))
    const out = new Uint8Array(Math.max(0, to - from))
    let done = 0
    while (done < out.length) {
      const offset = from + done - this.#blocksAt
      const inBlock = offset % this.#blockBytes
      const block = this.#blocks[Math.floor(offset / this.#blockBytes)]!
      const piece = block.subarray(inBlock, Math.min(this.#blockBytes, inBlock + out.length - done))
      out.set(piece, done)
      done += piece.length
    }
    return out
  }

  /** Keeps everything from `fromMs` on, up to the capacity; null: only the last `keepMs` again. */
  retain(fromMs: number | null): void {
    this.#retainFrom = fromMs === null ? null : this.#position(fromMs)
    this.#trim()
  }

  get #wholeEnd(): number {
    return this.#end - (this.#end % bytesPerSample(this.format))
  }

  #position(ms: number): number {
    // The sliver undoes the rounding of a position that went to milliseconds and comes back.
    return Math.max(0, msToBytes(this.format, ms + 1e-6))
  }

  #addBlock(): void {
    if (this.#blocks.length === 0) this.#blocksAt = this.#end
    this.#blocks.push(this.#spare ?? new Uint8Array(this.#blockBytes))
    this.#spare = undefined
  }

  #skip(bytes: number): void {
    if (this.#retainFrom !== null) this.#lost += this.#end + bytes - Math.max(this.#start, this.#retainFrom)
    this.#blocks.length = 0
    this.#end += bytes
    this.#start = this.#end
  }

  #trim(): void {
    const idle = this.#wholeEnd - this.#keepBytes
    const wanted = this.#retainFrom === null ? idle : Math.min(idle, this.#retainFrom)
    const possible = Math.max(wanted, this.#wholeEnd - this.#capacityBytes)
    if (possible <= this.#start) return
    if (possible > wanted) this.#lost += possible - Math.max(wanted, this.#start)
    this.#start = possible
    while (this.#blocks.length > 0 && this.#blocksAt + this.#blockBytes <= this.#start) {
      this.#spare = this.#blocks.shift()
      this.#blocksAt += this.#blockBytes
    }
  }
}
