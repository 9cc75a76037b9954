/**
 * Moonshine: English speech to text on the CPU, tiny (5.5 % word errors on telephone speech) and base (4.8 %, at
 * twice the work). Both hear an utterance as a whole, so partials come from recognising the growing buffer again,
 * and nothing is recognised twice that need not be: see `whole-utterance.ts`.
 */
import type { Worker } from 'node:worker_threads'
import { PCM16_16K, sameFormat } from '../../../audio/format.ts'
import { ProviderError } from '../../../errors.ts'
import { spawnWorker } from '../../../spawn.ts'
import type { ProviderDeps } from '../../../stage/provider.ts'
import type { SttAdapter, SttOpenOptions, SttStream } from '../../../stage/stt.ts'
import { ensureModel } from '../models/index.ts'
import { MoonshineEngine } from './engine.ts'
import type { MoonshineWorkerData } from './protocol.ts'

export type MoonshineSize = 'tiny' | 'base'

export interface MoonshineOptions {
  readonly model: MoonshineSize
  /** Worker threads, each with its own copy of the model (about 150 MB). Default 1. */
  readonly threads?: number
  /** Paths of the ONNX files; default: from the model cache, brought if need be. */
  readonly files?: { readonly encoder: string; readonly decoder: string }
  /** For tests: starts a worker thread. */
  readonly spawn?: (data: MoonshineWorkerData) => Worker
}

export interface Moonshine extends SttAdapter {
  /** Ends the threads; open streams end. Idempotent. */
  close(): Promise<void>
}

/** Loads the model in its threads. Throws `ModelUnavailable`, or the Error of a worker that could not start. */
export async function createMoonshine(deps: ProviderDeps, options: MoonshineOptions): Promise<Moonshine> {
  const { model, threads = 1 } = options
  const files = options.files ?? (await ensureModel(`moonshine-${model}`, { clock: deps.clock })).files
  const data = { encoder: files['encoder']!, decoder: files['decoder']!, size: model }
  const spawn =
    options.spawn ??
    ((workerData) => spawnWorker(import.meta.url, './worker', { workerData, name: `moonshine-${model}` }))
  const engine = new MoonshineEngine({
    deps,
    threads,
    name: `moonshine-${model}`,
    spawn: (audio, cancelled) => spawn({ ...data, audio, cancelled }),
  })
  await engine.start()
  return {
    id: `local/moonshine-${model}`,
    caps: {
      languages: ['en'],
      inputs: [PCM16_16K],
      feed: 'speech',
      endOfTurn: 'none',
      eager: false,
      wordTimes: false,
      forceFinal: true,
      // A recording may be written as fast as it can be read.
      maxReplaySpeed: 100,
    },
    open: (open) => openStream(engine, open),
    close: () => engine.close(),
  }
}

async function openStream(engine: MoonshineEngine, options: SttOpenOptions): Promise<SttStream> {
  options.signal.throwIfAborted()
  if (!sameFormat(options.format, PCM16_16K)) {
    throw refusal('bad_request', 'Moonshine hears 16 kHz PCM only')
  }
  const language = options.language?.toLowerCase().split('-')[0]
  if (language !== undefined && language !== 'en')
    throw refusal('bad_request', 'Moonshine hears English only')
  if (engine.closed) throw refusal('transient', 'the recogniser is closed')
  return engine.open(options.signal)
}

function refusal(kind: 'bad_request' | 'transient', message: string): ProviderError {
  return new ProviderError({ provider: 'local', stage: 'stt', kind, message })
}
