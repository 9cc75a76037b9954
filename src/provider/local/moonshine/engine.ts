/**
 * Moonshine's threads and who uses them next.
 *
 *     streams ─wants─► FairQueue ─► an idle worker ─text─► the stream
 *
 * A partial is computed only when a worker is idle and nobody waits for more, so that under load partials are
 * what goes first, by itself. A running partial makes way for an answer, unless it is about to be that answer.
 */
import type { Worker } from 'node:worker_threads'
import type { ProviderDeps } from '../../../stage/provider.ts'
import { type WholeEngine, WholeStream } from '../../whole-stream.ts'
import type { Cutting, Job, WholeUtterance } from '../../whole-utterance.ts'
import { Supervisor } from '../supervisor.ts'
import { type FromWorker, SLOT_SAMPLES, type ToWorker } from './protocol.ts'
import { FairQueue } from './queue.ts'

/** Unheard audio one stream may have: ten minutes, 19 MB. A whole recording may come at once. */
const STREAM_BACKLOG = 10 * 60 * 16_000
/** All streams together: thirty minutes, 58 MB. */
const TOTAL_BACKLOG = 30 * 60 * 16_000
/** Only a stream with more than this, longer than most utterances, is held against the total: 15 s, 480 kB. */
const NOTABLE_BACKLOG = 15 * 16_000

export const MOONSHINE_CUTTING: Cutting = {
  longest: SLOT_SAMPLES,
  cutFrom: 10 * 16_000,
  // 500 ms costs 0.24 core a speaking caller, 300 ms 0.38.
  partialEvery: 0.5 * 16_000,
  previews: 'renewed',
}
const FACTS = { provider: 'local', cutting: MOONSHINE_CUTTING, language: 'en' }

interface Running {
  readonly id: number
  readonly stream: WholeStream
  readonly utterance: WholeUtterance
  readonly job: Job
}

interface Seat {
  readonly supervisor: Supervisor<FromWorker>
  readonly audio: Int16Array
  readonly cancelled: Int32Array
  running: Running | undefined
}

export interface EngineOptions {
  readonly deps: ProviderDeps
  readonly name: string
  readonly threads: number
  readonly spawn: (audio: SharedArrayBuffer, cancelled: SharedArrayBuffer) => Worker
}

export class MoonshineEngine implements WholeEngine {
  readonly #streams = new Set<WholeStream>()
  readonly #queue = new FairQueue<WholeStream>()
  readonly #seats: readonly Seat[]
  #jobs = 0
  #closed = false

  constructor(options: EngineOptions) {
    this.#seats = Array.from({ length: options.threads }, () => this.#seat(options))
  }

  /** Rejects when a worker cannot load the model. */
  async start(): Promise<void> {
    const started = await Promise.allSettled(this.#seats.map((seat) => seat.supervisor.start()))
    const failed = started.find((one) => one.status === 'rejected')
    if (!failed) return
    await this.close()
    throw failed.reason
  }

  open(signal: AbortSignal): WholeStream {
    const stream = new WholeStream(this, signal, FACTS)
    this.#streams.add(stream)
    return stream
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Streams that are open, for tests and metrics. */
  get streams(): number {
    return this.#streams.size
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const stream of [...this.#streams]) await stream.close()
    await Promise.all(this.#seats.map((seat) => seat.supervisor.close()))
  }

  changed(stream: WholeStream): void {
    this.#queue.place(stream, stream.wants)
    this.#assign()
    this.#makeWay(stream)
  }

  gone(stream: WholeStream): void {
    this.#streams.delete(stream)
    this.#queue.place(stream, undefined)
    const seat = this.#seats.find((one) => one.running?.stream === stream)
    if (seat) cancel(seat)
  }

  hasRoom(stream: WholeStream, samples: number): boolean {
    const own = stream.backlog + samples
    if (own < NOTABLE_BACKLOG) return true
    if (own > STREAM_BACKLOG) return false
    let all = samples
    for (const one of this.#streams) all += one.backlog
    return all <= TOTAL_BACKLOG
  }

  #seat(options: EngineOptions): Seat {
    const audio = new SharedArrayBuffer(SLOT_SAMPLES * 2)
    const cancelled = new SharedArrayBuffer(4)
    const seat: Seat = {
      audio: new Int16Array(audio),
      cancelled: new Int32Array(cancelled),
      running: undefined,
      supervisor: new Supervisor<FromWorker>({
        name: options.name,
        clock: options.deps.clock,
        note: options.deps.note,
        spawn: () => options.spawn(audio, cancelled),
        onUp: () => this.#assign(),
        onMessage: (message) => this.#answered(seat, message),
        onDown: (error) => this.#crashed(seat, error),
        askToStop: (worker) => {
          cancel(seat)
          worker.postMessage({ type: 'stop' } satisfies ToWorker)
        },
      }),
    }
    return seat
  }

  #assign(): void {
    if (this.#closed) return
    for (const seat of this.#seats) {
      const worker = seat.supervisor.worker
      if (!worker || seat.running) continue
      for (let stream = this.#queue.take(); stream; stream = this.#queue.take()) {
        const begun = stream.begin()
        if (!begun) continue
        const { audio } = begun.job
        const id = ++this.#jobs
        seat.audio.set(audio)
        seat.running = { id, stream, ...begun }
        worker.postMessage({ type: 'recognise', id, samples: audio.length } satisfies ToWorker)
        break
      }
    }
  }

  /** Gives up a running job that is stale, or a partial that is in the way of an answer. */
  #makeWay(stream: WholeStream): void {
    const own = this.#seats.find((seat) => seat.running?.stream === stream)
    if (own?.running && (stream.runningIsStale || !stream.isHearing(own.running.utterance))) cancel(own)
    let waiting = this.#queue.answers
    for (const seat of this.#seats) {
      if (waiting === 0) return
      // A partial that its own caller waits for by now is as good as an answer.
      if (seat.running?.job.purpose !== 'partial' || seat.running.stream.awaitsAnswer) continue
      cancel(seat)
      waiting--
    }
  }

  #answered(seat: Seat, message: FromWorker): void {
    const running = seat.running
    if (running?.id !== message.id) return
    seat.running = undefined
    const { stream, utterance, job } = running
    switch (message.type) {
      case 'text':
        stream.heard(utterance, job, { text: message.text, confidence: message.confidence })
        break
      case 'given-up':
        stream.gaveUp(utterance, job)
        break
      case 'failed':
        stream.break('transient', `recognition failed: ${message.message}`)
        break
    }
    this.#assign()
  }

  /** Who waits for an answer learns it now and may go elsewhere; who only speaks is taken by the next worker. */
  #crashed(seat: Seat, error: Error): void {
    const running = seat.running
    seat.running = undefined
    const another = this.#seats.some((one) => one.supervisor.worker)
    const hit = another && running ? [running.stream] : [...this.#streams]
    for (const stream of hit) {
      if (stream.awaitsAnswer) stream.break('transient', 'the recogniser crashed', error)
    }
    running?.stream.gaveUp(running.utterance, running.job)
  }
}

function cancel(seat: Seat): void {
  if (seat.running) Atomics.store(seat.cancelled, 0, seat.running.id)
}
