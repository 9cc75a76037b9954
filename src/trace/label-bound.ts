/**
 * Keeps metrics bounded: clients may name models and wires come with names of their own, and each new label
 * value is a new time series for ever. The first `max` values are shown, all later ones are `other`.
 */
export class LabelBound {
  readonly #seen = new Set<string>()
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  /** `value`, cut to what a label may sensibly hold, or `other`. */
  of(value: string): string {
    const label = value.slice(0, 100)
    if (this.#seen.has(label)) return label
    if (this.#seen.size >= this.#max) return 'other'
    this.#seen.add(label)
    return label
  }
}
