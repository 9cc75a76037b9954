/**
 * AudioSocket's frames out of TCP's chunks: one byte of type, two of length (big-endian), the payload. A chunk may hold half a
 * frame, many, or both; nothing is looked at twice, and never more than one frame is held.
 */

export const HEAD_BYTES = 3
/** All that two bytes of length can say. */
export const MAX_FRAME_BYTES = HEAD_BYTES + 0xffff

export class Framer {
  readonly #frame: (frame: Buffer) => void
  readonly #head = Buffer.alloc(HEAD_BYTES)
  #headBytes = 0
  /** The frame that is not whole yet. */
  #body: Buffer | undefined
  #bodyBytes = 0

  /** `frame` gets whole frames, head and all, valid until the chunk's owner reuses it. */
  constructor(frame: (frame: Buffer) => void) {
    this.#frame = frame
  }

  /** Bytes of a frame that is not whole yet. */
  get held(): number {
    return this.#body ? this.#bodyBytes : this.#headBytes
  }

  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) at = this.held === 0 ? this.#whole(chunk, at) : this.#part(chunk, at)
  }

  /** Straight from the chunk, as nearly all are. */
  #whole(chunk: Buffer, at: number): number {
    const end =
      chunk.length - at < HEAD_BYTES ? Number.POSITIVE_INFINITY : at + HEAD_BYTES + chunk.readUInt16BE(at + 1)
    if (end > chunk.length) return this.#part(chunk, at)
    this.#frame(chunk.subarray(at, end))
    return end
  }

  #part(chunk: Buffer, at: number): number {
    if (!this.#body) {
      const taken = chunk.copy(this.#head, this.#headBytes, at)
      this.#headBytes += taken
      if (this.#headBytes < HEAD_BYTES) return at + taken
      this.#body = Buffer.allocUnsafe(HEAD_BYTES + this.#head.readUInt16BE(1))
      this.#bodyBytes = this.#head.copy(this.#body)
      this.#headBytes = 0
      at += taken
    }
    const taken = chunk.copy(this.#body, this.#bodyBytes, at)
    this.#bodyBytes += taken
    if (this.#bodyBytes === this.#body.length) {
      const frame = this.#body
      this.#body = undefined
      this.#frame(frame)
    }
    return at + taken
  }
}
