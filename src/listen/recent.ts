/** The newest bytes of a stream, up to a capacity: what is replayed when the gate opens. */
export class RecentBytes {
  readonly #ring: Uint8Array
  /** All bytes ever written since the last clear. */
  #written = 0

  constructor(capacity: number) {
    this.#ring = new Uint8Array(capacity)
  }

  /** Bytes held. */
  get length(): number {
    return Math.min(this.#written, this.#ring.length)
  }

  /** Whether nothing written since the last clear was lost. */
  get complete(): boolean {
    return this.#written <= this.#ring.length
  }

  write(bytes: Uint8Array): void {
    const capacity = this.#ring.length
    const kept = bytes.length > capacity ? bytes.subarray(bytes.length - capacity) : bytes
    const at = (this.#written + bytes.length - kept.length) % capacity
    const first = Math.min(kept.length, capacity - at)
    this.#ring.set(kept.subarray(0, first), at)
    this.#ring.set(kept.subarray(first), 0)
    this.#written += bytes.length
  }

  /** A copy of what is held, oldest first. */
  read(): Uint8Array {
    const end = this.#written % this.#ring.length
    if (this.complete) return this.#ring.slice(0, this.#written)
    const out = new Uint8Array(this.#ring.length)
    out.set(this.#ring.subarray(end))
    out.set(this.#ring.subarray(0, end), this.#ring.length - end)
    return out
  }

  clear(): void {
    this.#written = 0
  }
}
