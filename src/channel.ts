/**
 * A bounded queue between two stages: one side pushes, the other iterates. A pending `next()` settles on
 * close, failure and abort; what was queued before a close or a failure is still delivered, what was queued
 * before an abort is not.
 *
 *     push/send ─► [ at most `capacity` items ] ─► for await
 */
export interface ChannelOptions {
  /** Items, not bytes. */
  readonly capacity?: number
  readonly signal?: AbortSignal
}

type Waiter<T> = { resolve(result: IteratorResult<T>): void; reject(error: unknown): void }
type Ending = { kind: 'closed' } | { kind: 'failed'; error: unknown }

export class Channel<T> implements AsyncIterable<T>, AsyncIterator<T> {
  readonly #capacity: number
  readonly #queue: T[] = []
  readonly #readers: Waiter<T>[] = []
  readonly #writers: (() => void)[] = []
  readonly #signal: AbortSignal | undefined
  readonly #onAbort: () => void
  #ending: Ending | undefined
  #dropped = 0

  constructor(options: ChannelOptions = {}) {
    this.#capacity = options.capacity ?? 64
    this.#signal = options.signal
    this.#onAbort = () => {
      this.#queue.length = 0
      this.fail(this.#signal?.reason)
    }
    if (this.#signal?.aborted) this.#onAbort()
    else this.#signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** Items waiting. */
  get size(): number {
    return this.#queue.length
  }

  /** Items refused by `push` because the channel was full. */
  get dropped(): number {
    return this.#dropped
  }

  get ended(): boolean {
    return this.#ending !== undefined
  }

  /** Adds without waiting. False when full (counted in `dropped`) or ended. */
  push(item: T): boolean {
    if (this.#ending) return false
    const reader = this.#readers.shift()
    if (reader) {
      reader.resolve({ value: item, done: false })
      return true
    }
    if (this.#queue.length >= this.#capacity) {
      this.#dropped++
      return false
    }
    this.#queue.push(item)
    return true
  }

  /** Adds, waiting for room. Resolves false if the channel ended first. */
  async send(item: T): Promise<boolean> {
    while (!this.#ending && this.#queue.length >= this.#capacity && this.#readers.length === 0) {
      await new Promise<void>((resolve) => this.#writers.push(resolve))
    }
    return this.push(item)
  }

  /** No more items; readers get what is queued, then the end. */
  close(): void {
    this.#end({ kind: 'closed' })
  }

  /** Readers get what is queued, then `error`. */
  fail(error: unknown): void {
    this.#end({ kind: 'failed', error })
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#queue.length > 0) {
      const value = this.#queue.shift() as T
      this.#writers.shift()?.()
      return Promise.resolve({ value, done: false })
    }
    if (this.#ending?.kind === 'failed') return Promise.reject(this.#ending.error)
    if (this.#ending) return Promise.resolve({ value: undefined, done: true })
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }))
  }

  /** Called when a `for await` leaves early: the channel closes and forgets what it held. */
  return(): Promise<IteratorResult<T>> {
    this.#queue.length = 0
    this.close()
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return this
  }

  #end(ending: Ending): void {
    if (this.#ending) return
    this.#ending = ending
    this.#signal?.removeEventListener('abort', this.#onAbort)
    for (const wake of this.#writers.splice(0)) wake()
    for (const reader of this.#readers.splice(0)) {
      if (ending.kind === 'failed') reader.reject(ending.error)
      else reader.resolve({ value: undefined, done: true })
    }
  }
}
