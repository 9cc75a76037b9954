/**
 * One flite thread and the queue in front of it. Every answer has at most one clause in the queue, so first
 * come, first served is a fair round over the answers. A thread that dies fails what waited on it, and the
 * next clause starts another.
 */
import type { Worker } from 'node:worker_threads'
import { Cancelled } from '../../../cancel.ts'
import type { Clock, Timer } from '../../../clock.ts'
import { ProviderError, type ProviderErrorKind } from '../../../errors.ts'
import type { FromWorker, SpeakRequest, ToWorker } from './protocol.ts'

export interface EngineOptions {
  readonly clock: Clock
  readonly spawn: () => Worker
  /** Answers that may wait at once; one more is refused with `rate`. */
  readonly queueLimit: number
  readonly note: (message: string, facts?: Readonly<Record<string, unknown>>) => void
}

export type SpeakJob = Omit<SpeakRequest, 'type' | 'job'>

interface Waiting {
  readonly request: SpeakJob
  readonly signal: AbortSignal
  resolve(audio: Uint8Array): void
  reject(error: unknown): void
}

/** A clause takes 0.1 s; a thread silent this long is stuck. Its start includes loading its code. */
const STUCK_AFTER_MS = 20_000

export class FliteEngine {
  readonly #options: EngineOptions
  readonly #queue: Waiting[] = []
  #worker: Worker | undefined
  #isReady = false
  #current: { readonly job: number; readonly waiting: Waiting } | undefined
  #watchdog: Timer | undefined
  #jobs = 0
  #closed = false
  #readyWaiters: { resolve(): void; reject(error: unknown): void }[] = []

  constructor(options: EngineOptions) {
    this.#options = options
  }

  /** Clauses waiting or being spoken. */
  get load(): number {
    return this.#queue.length + (this.#current ? 1 : 0)
  }

  /** Resolves when a thread is up and warm. Rejects with `ProviderError` when it dies before. */
  start(): Promise<void> {
    this.#ensureWorker()
    if (this.#isReady) return Promise.resolve()
    return new Promise((resolve, reject) => this.#readyWaiters.push({ resolve, reject }))
  }

  /** The clause's audio in the asked format. Rejects with `ProviderError`, or the signal's reason at once. */
  speak(request: SpeakJob, signal: AbortSignal): Promise<Uint8Array> {
    if (signal.aborted) return Promise.reject(signal.reason)
    if (this.#closed) return Promise.reject(this.#failure('transient', 'the synthesiser is closed'))
    if (this.#queue.length >= this.#options.queueLimit) {
      return Promise.reject(this.#failure('rate', 'too many answers wait for the synthesiser'))
    }
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        const index = this.#queue.indexOf(waiting)
        if (index >= 0) this.#queue.splice(index, 1)
        settle(() => reject(signal.reason))
      }
      const settle = (act: () => void) => {
        signal.removeEventListener('abort', onAbort)
        act()
      }
      const waiting: Waiting = {
        request,
        signal,
        resolve: (audio) => settle(() => resolve(audio)),
        reject: (error) => settle(() => reject(error)),
      }
      signal.addEventListener('abort', onAbort, { once: true })
      this.#queue.push(waiting)
      this.#next()
    })
  }

  /** The answer is over: frees its converter. */
  forget(answer: number): void {
    this.#post({ type: 'forget', answer })
  }

  async close(): Promise<void> {
    this.#closed = true
    const worker = this.#worker
    this.#lose(new Cancelled('done'))
    await worker?.terminate()
  }

  #next(): void {
    if (this.#current || this.#queue.length === 0) return
    this.#ensureWorker()
    if (!this.#isReady) return
    const waiting = this.#queue.shift() as Waiting
    const job = ++this.#jobs
    this.#current = { job, waiting }
    this.#watch()
    this.#post({ type: 'speak', job, ...waiting.request })
  }

  #ensureWorker(): void {
    if (this.#worker || this.#closed) return
    const worker = this.#options.spawn()
    this.#worker = worker
    this.#isReady = false
    const ifCurrent =
      <A extends unknown[]>(act: (...args: A) => void) =>
      (...args: A) => {
        if (this.#worker === worker) act(...args)
      }
    worker.on(
      'message',
      ifCurrent((message: FromWorker) => this.#onMessage(message)),
    )
    worker.on(
      'error',
      ifCurrent((error: Error) => this.#died(error)),
    )
    worker.on(
      'exit',
      ifCurrent(() => this.#died(new Error('the thread ended'))),
    )
    this.#watch()
  }

  #onMessage(message: FromWorker): void {
    this.#watchdog?.cancel()
    if (message.type === 'ready') {
      this.#isReady = true
      for (const waiter of this.#readyWaiters.splice(0)) waiter.resolve()
      return this.#next()
    }
    const current = this.#current
    if (current?.job !== message.job) return
    this.#current = undefined
    // One that was cancelled meanwhile is already settled; settling it again does nothing.
    if (message.type === 'spoken') current.waiting.resolve(message.audio)
    else current.waiting.reject(this.#failure('transient', `flite failed: ${message.message}`))
    this.#next()
  }

  #watch(): void {
    this.#watchdog?.cancel()
    this.#watchdog = this.#options.clock.setTimer(STUCK_AFTER_MS, () => {
      const worker = this.#worker
      this.#options.note('the flite thread is stuck and is replaced')
      this.#lose(this.#failure('timeout', 'the synthesiser is stuck'))
      void worker?.terminate()
    })
  }

  #died(cause: Error): void {
    this.#options.note('the flite thread died and will be replaced', { error: cause.message })
    this.#lose(this.#failure('transient', 'the synthesiser thread died', cause))
  }

  /** Fails everything that waits; the next clause finds no thread and starts one. */
  #lose(error: unknown): void {
    this.#watchdog?.cancel()
    this.#worker = undefined
    this.#isReady = false
    const lost = [...(this.#current ? [this.#current.waiting] : []), ...this.#queue.splice(0)]
    this.#current = undefined
    for (const waiting of lost) waiting.reject(error)
    for (const waiter of this.#readyWaiters.splice(0)) waiter.reject(error)
  }

  #post(message: ToWorker): void {
    this.#worker?.postMessage(message)
  }

  #failure(kind: ProviderErrorKind, message: string, cause?: unknown): ProviderError {
    const facts = { provider: 'local', stage: 'tts', kind, message } as const
    return new ProviderError(cause === undefined ? facts : { ...facts, cause })
  }
}
