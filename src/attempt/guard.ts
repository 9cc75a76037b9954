/**
 * A stream that ends the moment its signal aborts, whatever its source does: a pending `next()` rejects with the signal's
 * reason, the source's `return` is called at once, and an item that comes later goes nowhere. Adapters are asked to settle
 * by themselves; that nobody hangs on one that does not is seen to here.
 */

/** Opens a call. A rejection is the stream's first and only error. */
export type OpenStream<T> = () => AsyncIterable<T> | PromiseLike<AsyncIterable<T>>

/** Nothing is opened before the first `next()`. `onCut` runs within the abort, once, unless the stream was over before. */
export function cutAtAbort<T>(
  open: OpenStream<T>,
  signal: AbortSignal,
  onCut?: () => void,
): AsyncIterableIterator<T> {
  return new Guarded(open, signal, onCut)
}

type Settle<T> = { resolve(result: IteratorResult<T>): void; reject(error: unknown): void }

class Guarded<T> implements AsyncIterableIterator<T> {
  readonly #open: OpenStream<T>
  readonly #signal: AbortSignal
  readonly #onAbort: () => void
  #source: AsyncIterator<T> | undefined
  #waiting: Settle<T> | undefined
  #over = false

  constructor(open: OpenStream<T>, signal: AbortSignal, onCut?: () => void) {
    this.#open = open
    this.#signal = signal
    this.#onAbort = () => {
      this.#leave()
      this.#waiting?.reject(signal.reason)
      this.#waiting = undefined
      onCut?.()
    }
    if (!signal.aborted) signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#signal.aborted) return Promise.reject(this.#signal.reason)
    if (this.#over) return Promise.resolve({ value: undefined, done: true })
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#pull().then(
        (result) => {
          if (this.#over) return
          if (result.done) this.#end()
          this.#settle()?.resolve(result)
        },
        (error: unknown) => {
          if (this.#over) return
          this.#end()
          this.#settle()?.reject(error)
        },
      )
    })
  }

  /** The reader leaves. Not awaited: how long the source takes to tidy up is not the reader's time. */
  return(): Promise<IteratorResult<T>> {
    if (!this.#over) this.#leave()
    this.#settle()?.resolve({ value: undefined, done: true })
    return Promise.resolve({ value: undefined, done: true })
  }

  async #pull(): Promise<IteratorResult<T>> {
    if (!this.#source) {
      const opening = this.#open()
      const source = (isPromise(opening) ? await opening : opening)[Symbol.asyncIterator]()
      this.#source = source
      if (this.#over) {
        // Cut while it was being opened: it is closed before it begins.
        this.#close()
        return { value: undefined, done: true }
      }
    }
    return this.#source.next()
  }

  #settle(): Settle<T> | undefined {
    const waiting = this.#waiting
    this.#waiting = undefined
    return waiting
  }

  #end(): void {
    this.#over = true
    this.#signal.removeEventListener('abort', this.#onAbort)
  }

  #leave(): void {
    this.#end()
    this.#close()
  }

  #close(): void {
    try {
      void Promise.resolve(this.#source?.return?.()).catch(() => {})
    } catch {
      // It is left in any case.
    }
  }
}

function isPromise<T>(opening: ReturnType<OpenStream<T>>): opening is PromiseLike<AsyncIterable<T>> {
  return 'then' in opening
}
