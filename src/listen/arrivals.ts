/**
 * When each sample arrived: a short, bounded list of (position, clock time) pairs, one a write. Positions are
 * 16 kHz samples since the ear opened; lookups move forward only.
 */
export class Arrivals {
  readonly #capacity: number
  #ends: number[] = []
  #times: number[] = []
  #head = 0

  constructor(capacity = 512) {
    this.#capacity = capacity
  }

  /** Everything up to `end` (exclusive) had arrived at `at`. */
  note(end: number, at: number): void {
    if (this.#ends.length - this.#head >= this.#capacity) this.#thin()
    else if (this.#head >= this.#capacity) this.#compact()
    this.#ends.push(end)
    this.#times.push(at)
  }

  /** When the sample before `end` arrived; for what is older or newer than the list, its nearest entry. */
  at(end: number): number {
    let i = this.#head
    // Half a sample of grace: positions of odd rates are fractions.
    while (i < this.#ends.length - 1 && this.#ends[i]! < end - 0.5) i++
    return this.#times[i] ?? 0
  }

  /** No one will ask for what lies before `end` again. The newest entry stays. */
  forget(end: number): void {
    while (this.#head < this.#ends.length - 1 && this.#ends[this.#head]! < end) this.#head++
  }

  get size(): number {
    return this.#ends.length - this.#head
  }

  /** Full: every second entry goes, so that a time may be later by one write, never earlier. */
  #thin(): void {
    this.#compact()
    this.#ends = this.#ends.filter((_, i) => i % 2 === 1)
    this.#times = this.#times.filter((_, i) => i % 2 === 1)
  }

  #compact(): void {
    this.#ends.splice(0, this.#head)
    this.#times.splice(0, this.#head)
    this.#head = 0
  }
}
