/** Items between a socket that pushes and a reader that pulls: says when the socket should pause. */
export interface Pressure {
  full(): void
  drained(): void
}

/** Reads of the socket, 64 kB at most each. */
const FULL_AT = 64
const DRAINED_AT = 16

export class EventQueue<T extends object> implements AsyncIterableIterator<T> {
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

  get ended(): boolean {
    return this.#ending !== undefined
  }

  /** The reader gets what is queued, then the error. */
  fail(error: unknown): void {
    this.#ending ??= { error }
    this.#wake?.()
  }

  /** One reader. */
  next(): Promise<IteratorResult<T>> {
    const item = this.#items.shift()
    if (item !== undefined) {
      if (this.#paused && this.#items.length <= DRAINED_AT) {
        this.#paused = false
        this.#pressure.drained()
      }
      return Promise.resolve({ value: item, done: false })
    }
    if (this.#ending && 'error' in this.#ending) return Promise.reject(this.#ending.error)
    if (this.#ending) return Promise.resolve({ value: undefined, done: true })
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined
        resolve(this.next())
      }
    })
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
