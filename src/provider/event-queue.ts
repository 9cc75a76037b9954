/** Items between a socket that pushes and a reader that pulls: says when the socket should pause. */
export interface Pressure {
  full(): void
  drained(): void
}

/** Reads of the socket, 64 kB at most each. */
const FULL_AT = 64
const DRAINED_AT = 16

export class EventQueue<T> {
  readonly #pressure: Pressure
  readonly #items: T[] = []
  #ending: { readonly error?: unknown } | undefined
  #wake: (() => void) | undefined
  #paused = false

  constructor(pressure: Pressure) {
    this.#pressure = pressure
  }

  push(item: T): void {
    if (this.#ending) return
    this.#items.push(item)
    if (this.#items.length >= FULL_AT && !this.#paused) {
      this.#paused = true
      this.#pressure.full()
    }
    this.#wake?.()
  }

  end(): void {
    this.#ending ??= {}
    this.#wake?.()
  }

  /** The reader gets what is queued, then the error. */
  fail(error: unknown): void {
    this.#ending ??= { error }
    this.#wake?.()
  }

  /** One reader. */
  async *read(): AsyncGenerator<T> {
    for (;;) {
      for (let item = this.#items.shift(); item !== undefined; item = this.#items.shift()) {
        if (this.#paused && this.#items.length <= DRAINED_AT) {
          this.#paused = false
          this.#pressure.drained()
        }
        yield item
      }
      if (this.#ending && 'error' in this.#ending) throw this.#ending.error
      if (this.#ending) return
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#wake = undefined
    }
  }
}
