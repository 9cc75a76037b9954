/**
 * Keeps one worker thread alive: started, seen ready, restarted when it crashes (at once, then with growing
 * pauses), stopped without leaving anything.
 *
 *     starting ─ready─► up ─crash─► (pause) ─► starting …      close() from anywhere ─► closed
 *
 * A worker says `{ type: 'ready' }` once it can work; every other message is the owner's.
 */
import type { Worker } from 'node:worker_threads'
import type { Clock, Timer } from '../../clock.ts'

/** Pause before restart n after the first, doubled each time: a model that cannot load must not spin. */
const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 10_000
/** How long a worker may take to stop by itself: the longest single inference is under this. */
const STOP_WITHIN_MS = 5_000

export interface SupervisorOptions<Out> {
  /** For notes: `silero-vad`. */
  readonly name: string
  readonly spawn: () => Worker
  readonly clock: Clock
  readonly note: (message: string, facts?: Readonly<Record<string, unknown>>) => void
  /** Ready for work, the first time or again. All state it had is gone. */
  readonly onUp: () => void
  readonly onMessage: (message: Out) => void
  /** It crashed; what it was doing is lost. */
  readonly onDown: (error: Error) => void
  /** Asks it to end by itself. */
  readonly askToStop: (worker: Worker) => void
}

export class Supervisor<Out extends { readonly type: string }> {
  #worker: Worker | undefined
  #up = false
  #closed = false
  #failures = 0
  #pause: Timer | undefined
  #exited: Promise<void> = Promise.resolve()
  #leftBehind: () => void = () => {}

  constructor(private readonly options: SupervisorOptions<Out>) {}

  /** The worker while it is ready for work. */
  get worker(): Worker | undefined {
    return this.#up ? this.#worker : undefined
  }

  /** Resolves at the first `ready`; rejects when the first start fails, and does not try again then. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#spawn({
        up: resolve,
        failed: (error) => {
          this.#closed = true
          reject(error)
        },
      })
    })
  }

  /** Idempotent. Resolves when the thread has ended. */
  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true
      this.#pause?.cancel()
      const worker = this.#worker
      if (worker) {
        this.options.askToStop(worker)
        const late = this.options.clock.setTimer(STOP_WITHIN_MS, () => this.#abandon(worker))
        await this.#exited
        late.cancel()
      }
    }
    await this.#exited
  }

  /**
   * `terminate()` is no way out: onnxruntime-node aborts the whole process when its thread is ended inside a
   * run (seen with 1.30). A thread that does not answer is left to itself and no longer holds the process.
   */
  #abandon(worker: Worker): void {
    this.options.note(`${this.options.name} did not stop in time and was left behind`)
    worker.unref()
    this.#leftBehind()
  }

  #spawn(first?: { up(): void; failed(error: Error): void }): void {
    const worker = this.options.spawn()
    this.#worker = worker
    let crash: Error | undefined
    let wasUp = false
    this.#exited = new Promise((resolve) => {
      this.#leftBehind = resolve
      worker.once('exit', (code) => {
        resolve()
        if (this.#worker !== worker) return
        this.#worker = undefined
        this.#up = false
        const error = crash ?? new Error(`the worker ended with code ${code}`)
        if (first && !wasUp) return first.failed(error)
        if (!this.#closed) this.#restart(error)
      })
    })
    worker.once('error', (error) => {
      crash = error instanceof Error ? error : new Error(String(error))
    })
    worker.on('message', (message: Out | { type: 'ready' }) => {
      if (this.#worker !== worker) return
      if (message.type !== 'ready') {
        this.#failures = 0
        return this.options.onMessage(message as Out)
      }
      wasUp = true
      if (this.#closed) return
      this.#up = true
      this.options.onUp()
      first?.up()
    })
  }

  #restart(error: Error): void {
    const pauseMs =
      this.#failures === 0 ? 0 : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.#failures - 1))
    this.#failures++
    this.options.note(`${this.options.name} crashed and is started again`, {
      error: error.message,
      times: this.#failures,
      pauseMs,
    })
    this.options.onDown(error)
    this.#pause = this.options.clock.setTimer(pauseMs, () => {
      if (!this.#closed) this.#spawn()
    })
  }
}
