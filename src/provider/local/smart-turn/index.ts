/**
 * Smart Turn v3.2 in a thread of its own: the caller's last 8 s in, how surely the turn is over out. It knows 23
 * languages by their sound and needs no words. One question at a time; few wait, since an answer that comes after the
 * silence window decides nothing: what comes on top is not judged, and counted.
 */
import type { Worker } from 'node:worker_threads'
import type { Clock } from '../../../clock.ts'
import type { EndOfTurn, Judgement, TurnQuestion } from '../../../listen/end-of-turn.ts'
import { spawnWorker } from '../../../spawn.ts'
import type { ProviderDeps } from '../../../stage/provider.ts'
import { Supervisor } from '../supervisor.ts'
import type { FromSmartTurn, SmartTurnWorkerData, ToSmartTurn } from './protocol.ts'

/** At 30 ms each the last of them still comes within the usual silence of 500 ms. */
const QUEUE_LIMIT = 8

export interface SmartTurnDeps extends ProviderDeps {
  readonly clock: Clock
  /** Path of the ONNX file. */
  readonly model: string
  /** For measurements: what each judgement cost in the worker. */
  readonly onJudged?: (cost: { readonly featuresMs: number; readonly inferenceMs: number }) => void
  /** For tests: starts the worker thread. */
  readonly spawn?: (data: SmartTurnWorkerData) => Worker
}

export interface SmartTurn extends EndOfTurn {
  /** Questions not judged because too many waited, or the worker failed. */
  readonly unanswered: number
  /** Ends the thread; what still waits is not judged. Idempotent. */
  close(): Promise<void>
}

/** Loads the model in its thread. Throws the Error of a worker that could not start. */
export async function createSmartTurn(deps: SmartTurnDeps): Promise<SmartTurn> {
  const engine = new Engine(deps)
  await engine.start()
  return engine
}

interface Waiting {
  readonly job: number
  readonly samples: Int16Array
  answer(judgement: Judgement | undefined): void
}

class Engine implements SmartTurn {
  readonly #deps: SmartTurnDeps
  readonly #supervisor: Supervisor<FromSmartTurn>
  readonly #queue: Waiting[] = []
  #current: Waiting | undefined
  #jobs = 0
  #closed = false
  unanswered = 0

  constructor(deps: SmartTurnDeps) {
    this.#deps = deps
    const data: SmartTurnWorkerData = { model: deps.model }
    const spawn =
      deps.spawn ??
      ((workerData) => spawnWorker(import.meta.url, './worker', { workerData, name: 'smart-turn' }))
    this.#supervisor = new Supervisor<FromSmartTurn>({
      name: 'smart-turn',
      clock: deps.clock,
      note: deps.note,
      spawn: () => spawn(data),
      onUp: () => this.#next(),
      // While no worker is up silence alone decides: nobody waits for a restart.
      onDown: () => this.#abandon(),
      onMessage: (message) => this.#answered(message),
      askToStop: (worker) => worker.postMessage({ type: 'stop' } satisfies ToSmartTurn),
    })
  }

  start(): Promise<void> {
    return this.#supervisor.start()
  }

  judge({ samples }: TurnQuestion): Promise<Judgement | undefined> {
    if (this.#closed || !this.#supervisor.worker || this.#queue.length >= QUEUE_LIMIT) {
      this.unanswered++
      return Promise.resolve(undefined)
    }
    return new Promise((answer) => {
      this.#queue.push({ job: ++this.#jobs, samples, answer })
      this.#next()
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#abandon()
    await this.#supervisor.close()
  }

  #next(): void {
    const { worker } = this.#supervisor
    if (this.#current || !worker) return
    this.#current = this.#queue.shift()
    if (!this.#current) return
    const { job, samples } = this.#current
    const own = samples.byteLength === samples.buffer.byteLength ? samples : samples.slice()
    worker.postMessage({ type: 'judge', job, samples: own } satisfies ToSmartTurn, [
      own.buffer as ArrayBuffer,
    ])
  }

  #answered(message: FromSmartTurn): void {
    const waiting = this.#current
    if (waiting?.job !== message.job) return
    this.#current = undefined
    if (message.type === 'judged') {
      this.#deps.onJudged?.(message)
      waiting.answer({ probability: message.probability, by: 'model' })
    } else {
      this.#deps.note('the end of a turn could not be judged', { error: message.message })
      this.#giveUp(waiting)
    }
    this.#next()
  }

  #abandon(): void {
    const waiting = [...(this.#current ? [this.#current] : []), ...this.#queue.splice(0)]
    this.#current = undefined
    for (const one of waiting) this.#giveUp(one)
  }

  #giveUp(waiting: Waiting): void {
    this.unanswered++
    waiting.answer(undefined)
  }
}
