/**
 * One session's side of the VAD: cuts windows, keeps those that wait for the worker, hands out what came back.
 * It knows nothing of threads; the engine takes its windows and gives their probabilities in the same order.
 */
import { VAD_WINDOW_SAMPLES, type VadStream, type VadWindow } from '../../../listen/vad.ts'

/**
 * Windows that may wait for the worker: 30 s of audio, 1 MB. A client may send a whole recording at once;
 * what goes beyond keeps the last known probability instead of being judged, and is counted.
 */
const WAITING_WINDOWS = 940
/** Results that may wait for the reader; the oldest go first. */
const UNREAD_WINDOWS = 2 * WAITING_WINDOWS

export interface WaitingWindow {
  readonly samples: Int16Array
  readonly endSample: number
  /** The model's state is forgotten before this window. */
  fresh: boolean
  /** Ends of the windows in front of it that were given up; they get the probability known by then. */
  heldEnds: number[] | undefined
}

export interface StreamOwner {
  /** The stream has a window where it had none. */
  hasWork(stream: SileroStream): void
  gone(stream: SileroStream): void
  /** A buffer of 512 samples that nobody uses. */
  takeBuffer(): Int16Array
  giveBack(buffer: Int16Array): void
}

export class SileroStream implements VadStream {
  readonly #waiting: WaitingWindow[] = []
  #partial: Int16Array | undefined
  #filled = 0
  #endSample = 0
  #fresh = true
  #last = 0
  #answers: VadWindow[] = []
  #results: VadWindow[] = []
  #reader: PromiseWithResolversLike<IteratorResult<readonly VadWindow[]>> | undefined
  #ended: { readonly error?: unknown } | undefined
  readonly #onAbort: () => void
  /** Windows answered without having been judged. */
  held = 0

  constructor(
    readonly slot: number,
    private readonly owner: StreamOwner,
    private readonly signal: AbortSignal,
  ) {
    this.#onAbort = () => this.#end({ error: signal.reason })
    if (signal.aborted) this.#onAbort()
    else signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  write(samples: Int16Array): void {
    if (this.#ended) return
    for (let from = 0; from < samples.length; ) {
      const partial = (this.#partial ??= this.owner.takeBuffer())
      const count = Math.min(VAD_WINDOW_SAMPLES - this.#filled, samples.length - from)
      partial.set(samples.subarray(from, from + count), this.#filled)
      this.#filled += count
      this.#endSample += count
      from += count
      if (this.#filled < VAD_WINDOW_SAMPLES) break
      this.#filled = 0
      this.#partial = undefined
      if (this.#waiting.length >= WAITING_WINDOWS) this.#giveUpOldest()
      this.#waiting.push({
        samples: partial,
        endSample: this.#endSample,
        fresh: this.#fresh,
        heldEnds: undefined,
      })
      this.#fresh = false
      if (this.#waiting.length === 1) this.owner.hasWork(this)
    }
  }

  restart(startSample: number): void {
    this.#filled = 0
    this.#endSample = startSample
    this.#fresh = true
  }

  close(): void {
    this.#end({})
  }

  /** The next window for the worker, or undefined. Where more than `mostWaiting` wait, the oldest are given up. */
  take(mostWaiting = WAITING_WINDOWS): WaitingWindow | undefined {
    while (this.#waiting.length > mostWaiting) this.#giveUpOldest()
    return this.#waiting.shift()
  }

  get hasWaiting(): boolean {
    return this.#waiting.length > 0
  }

  /** The worker lost this stream's state. */
  forgetState(): void {
    const next = this.#waiting[0]
    if (next) next.fresh = true
    else this.#fresh = true
  }

  /** The answer to a window that was taken, in the order of taking; undefined: it could not be judged. */
  answer(window: WaitingWindow, probability: number | undefined): void {
    for (const endSample of window.heldEnds ?? []) this.#answers.push({ endSample, probability: this.#last })
    this.#last = probability ?? this.#last
    this.#answers.push({ endSample: window.endSample, probability: this.#last })
  }

  /** Hands the answers of an exchange to the reader. */
  deliver(): void {
    const windows = this.#answers
    this.#answers = []
    if (this.#ended) return
    if (this.#reader) {
      const reader = this.#reader
      this.#reader = undefined
      reader.resolve({ value: windows, done: false })
      return
    }
    this.#results.push(...windows)
    if (this.#results.length > UNREAD_WINDOWS) this.#results.splice(0, this.#results.length - UNREAD_WINDOWS)
  }

  next(): Promise<IteratorResult<readonly VadWindow[]>> {
    if (this.#results.length > 0) {
      const value = this.#results
      this.#results = []
      return Promise.resolve({ value, done: false })
    }
    if (this.#ended) return this.#ending()
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject }
    })
  }

  return(): Promise<IteratorResult<readonly VadWindow[]>> {
    this.close()
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator](): AsyncIterator<readonly VadWindow[]> {
    return this
  }

  #giveUpOldest(): void {
    const oldest = this.#waiting.shift()!
    const next = this.#waiting[0]!
    const ends = (next.heldEnds = oldest.heldEnds ?? [])
    if (ends.length < UNREAD_WINDOWS) ends.push(oldest.endSample)
    if (oldest.fresh) next.fresh = true
    this.owner.giveBack(oldest.samples)
    this.held++
  }

  #ending(): Promise<IteratorResult<readonly VadWindow[]>> {
    const { error } = this.#ended!
    return error === undefined ? Promise.resolve({ value: undefined, done: true }) : Promise.reject(error)
  }

  /** After `close` the reader still gets what was judged; after an abort nothing more. */
  #end(ending: { readonly error?: unknown }): void {
    if (this.#ended) return
    this.#ended = ending
    this.signal.removeEventListener('abort', this.#onAbort)
    for (const window of this.#waiting.splice(0)) this.owner.giveBack(window.samples)
    if (ending.error !== undefined) this.#results = []
    const reader = this.#reader
    this.#reader = undefined
    if (reader) this.#ending().then(reader.resolve, reader.reject)
    this.owner.gone(this)
  }
}

interface PromiseWithResolversLike<T> {
  resolve(value: T): void
  reject(error: unknown): void
}
