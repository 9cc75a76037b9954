/** The newest samples the model was given, in a ring, each at its place since the ear opened: what a judge of pauses hears. */
export class RecentSamples {
  readonly #ring: Int16Array
  /** Exclusive end, and the first sample of the unbroken run that ends there. */
  #end = 0
  #start = 0

  constructor(capacity: number) {
    this.#ring = new Int16Array(capacity)
  }

  /** `position`: of the first of `samples`. Anything but the sample after the last begins anew. */
  write(position: number, samples: Int16Array): void {
    if (position !== this.#end) this.#start = position
    const size = this.#ring.length
    const kept = samples.length > size ? samples.subarray(-size) : samples
    this.#end = position + samples.length
    const at = (this.#end - kept.length) % size
    const first = Math.min(kept.length, size - at)
    this.#ring.set(kept.subarray(0, first), at)
    this.#ring.set(kept.subarray(first), 0)
  }

  /** A copy of what is held of the samples from `from` to before `to`. */
  read(from: number, to: number): Int16Array {
    const size = this.#ring.length
    const end = Math.min(to, this.#end)
    const start = Math.max(from, this.#start, this.#end - size)
    const out = new Int16Array(Math.max(0, end - start))
    const first = Math.min(out.length, size - (start % size))
    out.set(this.#ring.subarray(start % size, (start % size) + first))
    out.set(this.#ring.subarray(0, out.length - first), first)
    return out
  }
}
