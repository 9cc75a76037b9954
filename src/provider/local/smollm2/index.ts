/**
 * `local/smollm2`: SmolLM2-135M-Instruct by node-llama-cpp, in a worker thread. A small model: it talks
 * fluently, knows little, and calls no tools. Some answers are generated side by side, the others wait in turn.
 */
import { availableParallelism } from 'node:os'
import type { Worker } from 'node:worker_threads'
import { Channel } from '../../../channel.ts'
import type { ModelEvent, ModelRequest } from '../../../dialect/neutral.ts'
import { ProviderError, type ProviderErrorKind } from '../../../errors.ts'
import { spawnWorker } from '../../../spawn.ts'
import type { LlmAdapter, LlmStreamOptions } from '../../../stage/llm.ts'
import type { ProviderDeps } from '../../../stage/provider.ts'
import { Supervisor } from '../supervisor.ts'
import { turnsOf } from './prompt.ts'
import type { FromSmol, SmolWorkerData, ToSmol } from './protocol.ts'

/**
 * Room for some twenty spoken turns; older ones are left out. A token of context is 23 kB of memory, and 1.5 to
 * 2 ms of one core whenever a conversation has to be read anew.
 */
const CONTEXT_TOKENS = 1_024
/** A spoken answer is under 100. */
const DEFAULT_MAX_TOKENS = 256
const LARGEST_MAX_TOKENS = 512
/** Warm enough to vary, cool enough to stay on the subject. */
const DEFAULT_TEMPERATURE = 0.3
/** Answers waiting at once; at 0.3 s an answer the last would wait 20 s. */
const QUEUE_LIMIT = 64

export interface SmolOptions extends ProviderDeps {
  /** Absolute paths, from the model cache. */
  readonly runtime: string
  readonly model: string
  readonly sequences?: number
  readonly threads?: number
  readonly queueLimit?: number
  /** Tests replace it. */
  readonly spawn?: (data: SmolWorkerData) => Worker
}

export interface Smol extends LlmAdapter {
  close(): Promise<void>
}

/** Loads the model, about 1 s. Throws the Error of a worker that could not start. */
export async function createSmol(options: SmolOptions): Promise<Smol> {
  const engine = new SmolEngine(options)
  await engine.start()
  return {
    id: 'local/smollm2',
    caps: { tools: false, json: false, prefill: true },
    stream: (request, streamOptions) => engine.stream(request, streamOptions),
    close: () => engine.close(),
  }
}

interface Job {
  readonly id: number
  readonly message: ToSmol & { type: 'generate' }
  readonly events: Channel<ModelEvent>
}

class SmolEngine {
  readonly #supervisor: Supervisor<FromSmol>
  readonly #places: number
  readonly #queueLimit: number
  readonly #queue: Job[] = []
  /** Jobs the worker has, cancelled ones too until it says they ended: they hold a sequence. */
  readonly #running = new Map<number, Job>()
  #jobs = 0
  #closed = false

  constructor(options: SmolOptions) {
    // Two cores: one for the model, one for the audio. More threads fight over busy cores and crawl.
    const cores = availableParallelism()
    const {
      runtime,
      model,
      threads = Math.max(1, Math.min(4, cores >> 1)),
      sequences = cores >= 4 ? 4 : 2,
    } = options
    const data: SmolWorkerData = { runtime, model, threads, sequences, contextTokens: CONTEXT_TOKENS }
    const {
      spawn = (workerData) => spawnWorker(import.meta.url, './worker', { workerData, name: 'smollm2' }),
    } = options
    this.#places = sequences
    this.#queueLimit = options.queueLimit ?? QUEUE_LIMIT
    this.#supervisor = new Supervisor<FromSmol>({
      name: 'smollm2',
      clock: options.clock,
      note: options.note,
      spawn: () => spawn(data),
      onUp: () => this.#dispatch(),
      onMessage: (message) => this.#onMessage(message),
      onDown: (error) => this.#lost(failure('transient', 'the language model thread died', error)),
      askToStop: (worker) => worker.postMessage({ type: 'stop' } satisfies ToSmol),
    })
  }

  start(): Promise<void> {
    return this.#supervisor.start()
  }

  async *stream(request: ModelRequest, { signal }: LlmStreamOptions): AsyncGenerator<ModelEvent> {
    signal.throwIfAborted()
    if (this.#closed) throw failure('transient', 'the language model is closed')
    if (this.#queue.length >= this.#queueLimit)
      throw failure('rate', 'too many answers wait for the language model')
    const job = this.#jobOf(request, signal)
    this.#queue.push(job)
    this.#dispatch()
    try {
      for await (const event of job.events) {
        signal.throwIfAborted()
        yield event
      }
    } finally {
      this.#forget(job)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#lost(failure('transient', 'the language model is closed'))
    await this.#supervisor.close()
  }

  #jobOf(request: ModelRequest, signal: AbortSignal): Job {
    const id = ++this.#jobs
    const { maxTokens = DEFAULT_MAX_TOKENS, temperature = DEFAULT_TEMPERATURE } = request
    const bounded = Math.max(1, Math.min(LARGEST_MAX_TOKENS, Math.floor(maxTokens)))
    return {
      id,
      message: {
        type: 'generate',
        job: id,
        turns: turnsOf(request.messages),
        maxTokens: bounded,
        temperature,
      },
      // Room for all the events an answer can have: the worker cannot be made to wait.
      events: new Channel({ capacity: LARGEST_MAX_TOKENS + 8, signal }),
    }
  }

  #dispatch(): void {
    const { worker } = this.#supervisor
    while (worker && this.#running.size < this.#places) {
      const job = this.#queue.shift()
      if (!job) return
      this.#running.set(job.id, job)
      worker.postMessage(job.message)
    }
  }

  /** Its reader left, or read all of it. */
  #forget(job: Job): void {
    const waiting = this.#queue.indexOf(job)
    if (waiting >= 0) this.#queue.splice(waiting, 1)
    if (this.#running.has(job.id)) {
      this.#supervisor.worker?.postMessage({ type: 'cancel', job: job.id } satisfies ToSmol)
    }
  }

  #onMessage(message: FromSmol): void {
    if (message.type === 'ready') return
    const job = this.#running.get(message.job)
    if (!job) return
    if (message.type === 'text') {
      job.events.push({ type: 'text', text: message.text })
      return
    }
    this.#running.delete(job.id)
    if (message.type === 'failed') {
      job.events.fail(failure('transient', `the language model failed: ${message.message}`))
    } else {
      const reason = message.reason === 'length' ? 'length' : 'stop'
      job.events.push({ type: 'usage', usage: message.usage })
      job.events.push({ type: 'finish', reason })
      job.events.close()
    }
    this.#dispatch()
  }

  #lost(error: ProviderError): void {
    const lost = [...this.#running.values(), ...this.#queue.splice(0)]
    this.#running.clear()
    for (const job of lost) job.events.fail(error)
  }
}

function failure(kind: ProviderErrorKind, message: string, cause?: unknown): ProviderError {
  const facts = { provider: 'local', stage: 'llm', kind, message } as const
  return new ProviderError(cause === undefined ? facts : { ...facts, cause })
}
