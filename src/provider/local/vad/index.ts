/**
 * Silero VAD v6 for all sessions in one worker thread.
 *
 *     streams ─windows─► (one exchange at a time: whatever waits, up to 64, fair over streams) ─► worker
 *        ▲                                                                                          │
 *        └────────────────────────── probabilities, one message an exchange ◄───────────────────────┘
 *
 * While the worker is busy windows gather, so batches grow with the load by themselves. An exchange follows the one
 * before by 4 ms at least: a lone caller's windows are 32 ms apart and never wait, those of a hundred callers gather. A crash loses no window: the exchange is given to the next worker, with fresh state.
 */
import type { Worker } from 'node:worker_threads'
import type { Clock } from '../../../clock.ts'
import { VAD_WINDOW_SAMPLES, type Vad } from '../../../listen/vad.ts'
import { spawnWorker } from '../../../spawn.ts'
import type { ProviderDeps } from '../../../stage/provider.ts'
import { ensureModel } from '../models/index.ts'
import { Supervisor } from '../supervisor.ts'
import {
  allocateExchange,
  BELL,
  COUNT,
  EXCHANGE_WINDOWS,
  type Exchange,
  type ExchangeBuffers,
  STOP,
  type VadWorkerData,
  type VadWorkerMessage,
  viewExchange,
} from './exchange.ts'
import { SileroStream, type StreamOwner, type WaitingWindow } from './stream.ts'

/**
 * A window costs 160 µs alone and 52 in a batch of 16. Those of many callers come evenly spread: judged as they came,
 * 1,400 a second (100 callers in conversation) took 21 % of a core and 4,200 took 37 %; gathered for 4 ms 14 and 27 %.
 */
const EXCHANGE_EVERY_MS = 4
/**
 * More streams wait than an exchange holds: the worker is behind, and if nothing is left out it stays behind, because
 * turns whose end is heard late keep their gates open. Then 250 ms of each stream may wait; what is older goes unjudged.
 */
const WAITING_WHEN_BEHIND = 8
/** Buffers kept for reuse; beyond this they are left to the garbage collector. */
const POOLED_BUFFERS = 256
/** An exchange that brought down two workers is not given to a third. */
const TRIES = 2

export interface SileroDeps extends ProviderDeps {
  readonly clock: Clock
  /** Path of the ONNX file; default: from the model cache, brought if need be. */
  readonly model?: string
  /** For tests: starts the worker thread. */
  readonly spawn?: (data: VadWorkerData) => Worker
}

export interface SileroVad extends Vad {
  /** Ends the thread; streams still open end. Idempotent. */
  close(): Promise<void>
  /** Windows that were answered with the last known probability because too many waited. */
  readonly held: number
}

/** Loads the model in its thread. Throws `ModelUnavailable`, or the Error of a worker that could not start. */
export async function createSileroVad(deps: SileroDeps): Promise<SileroVad> {
  const model = deps.model ?? (await ensureModel('silero-vad-v6', { clock: deps.clock })).files['model']!
  const engine = new SileroEngine(deps, model)
  await engine.start()
  return engine
}

class SileroEngine implements SileroVad, StreamOwner {
  readonly #deps: SileroDeps
  readonly #buffers: ExchangeBuffers = allocateExchange()
  readonly #exchange: Exchange = viewExchange(this.#buffers)
  readonly #supervisor: Supervisor<VadWorkerMessage>
  readonly #streams = new Set<SileroStream>()
  /** Streams with waiting windows, the longest unserved first. */
  readonly #ready = new Set<SileroStream>()
  readonly #pool: Int16Array[] = []
  readonly #freeSlots: number[] = []
  #slots = 0
  #inFlight: { stream: SileroStream; window: WaitingWindow }[] = []
  #tries = 0
  #scheduled = false
  /** When the last exchange was sent. */
  #sentAt = Number.NEGATIVE_INFINITY
  #closed = false
  #held = 0

  constructor(deps: SileroDeps, model: string) {
    this.#deps = deps
    const data: VadWorkerData = { model, exchange: this.#buffers }
    const spawn =
      deps.spawn ?? ((workerData) => spawnWorker(import.meta.url, './worker', { workerData, name: 'silero' }))
    this.#supervisor = new Supervisor<VadWorkerMessage>({
      name: 'silero-vad',
      clock: deps.clock,
      note: deps.note,
      spawn: () => spawn(data),
      onUp: () => this.#resume(),
      onDown: () => this.#lost(),
      onMessage: () => this.#done(),
      askToStop: () => {
        Atomics.store(this.#exchange.control, STOP, 1)
        this.#ring()
      },
    })
  }

  start(): Promise<void> {
    return this.#supervisor.start()
  }

  get held(): number {
    let sum = this.#held
    for (const stream of this.#streams) sum += stream.held
    return sum
  }

  open(options: { readonly signal: AbortSignal }): SileroStream {
    const stream = new SileroStream(this.#freeSlots.pop() ?? this.#slots++, this, options.signal)
    if (this.#closed || options.signal.aborted) stream.close()
    else this.#streams.add(stream)
    return stream
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const stream of [...this.#streams]) stream.close()
    await this.#supervisor.close()
  }

  hasWork(stream: SileroStream): void {
    this.#ready.add(stream)
    if (this.#inFlight.length === 0) this.#schedule()
  }

  /** Once a loop turn at most, so that all sockets read in this turn go in the same exchange. */
  #schedule(): void {
    if (this.#scheduled || this.#ready.size === 0) return
    this.#scheduled = true
    const dispatch = () => {
      this.#scheduled = false
      this.#dispatch()
    }
    const { clock } = this.#deps
    const waitMs = this.#sentAt + EXCHANGE_EVERY_MS - clock.now()
    if (waitMs > 0) clock.setTimer(waitMs, dispatch)
    else setImmediate(dispatch)
  }

  gone(stream: SileroStream): void {
    if (this.#streams.delete(stream)) this.#held += stream.held
    this.#ready.delete(stream)
    this.#freeSlots.push(stream.slot)
  }

  takeBuffer(): Int16Array {
    return this.#pool.pop() ?? new Int16Array(VAD_WINDOW_SAMPLES)
  }

  giveBack(buffer: Int16Array): void {
    if (this.#pool.length < POOLED_BUFFERS) this.#pool.push(buffer)
  }

  /** Takes a window of each stream in turn until the exchange is full or nobody has one. */
  #dispatch(): void {
    if (this.#inFlight.length > 0 || !this.#supervisor.worker || this.#ready.size === 0) return
    const mostWaiting = this.#ready.size > EXCHANGE_WINDOWS ? WAITING_WHEN_BEHIND : Number.POSITIVE_INFINITY
    while (this.#inFlight.length < EXCHANGE_WINDOWS && this.#ready.size > 0) {
      for (const stream of [...this.#ready]) {
        if (this.#inFlight.length === EXCHANGE_WINDOWS) break
        this.#ready.delete(stream)
        const window = stream.take(mostWaiting)
        if (window) this.#inFlight.push({ stream, window })
        // To the end of the line.
        if (stream.hasWaiting) this.#ready.add(stream)
      }
    }
    this.#tries = 0
    this.#sentAt = this.#deps.clock.now()
    this.#send()
  }

  #send(): void {
    const { slots, fresh, samples, control } = this.#exchange
    this.#inFlight.forEach(({ stream, window }, at) => {
      slots[at] = stream.slot
      fresh[at] = window.fresh ? 1 : 0
      samples.set(window.samples, at * VAD_WINDOW_SAMPLES)
    })
    control[COUNT] = this.#inFlight.length
    this.#tries++
    this.#ring()
  }

  #ring(): void {
    Atomics.add(this.#exchange.control, BELL, 1)
    Atomics.notify(this.#exchange.control, BELL)
  }

  #done(): void {
    this.#settle((at) => this.#exchange.probabilities[at])
    this.#schedule()
  }

  #settle(probability: (at: number) => number | undefined): void {
    const inFlight = this.#inFlight
    this.#inFlight = []
    inFlight.forEach(({ stream, window }, at) => {
      stream.answer(window, probability(at))
      this.giveBack(window.samples)
    })
    for (const stream of new Set(inFlight.map((one) => one.stream))) stream.deliver()
  }

  /** A worker died: every stream goes on with fresh state. */
  #lost(): void {
    const inFlight = new Set<SileroStream>()
    for (const { stream, window } of this.#inFlight) {
      if (!inFlight.has(stream)) window.fresh = true
      inFlight.add(stream)
    }
    for (const stream of this.#streams) if (!inFlight.has(stream)) stream.forgetState()
    if (this.#tries >= TRIES) this.#settle(() => undefined)
  }

  #resume(): void {
    if (this.#inFlight.length > 0) this.#send()
    else this.#dispatch()
  }
}
