/** The thread that runs SmolLM2: some sequences over one model, each generating one answer at a time. */
import { pathToFileURL } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import { Generation } from './generation.ts'
import type { LlamaModule, LlamaSequence } from './llama.ts'
import type { FromSmol, SmolWorkerData, ToSmol } from './protocol.ts'

/** Larger batches take longer to interrupt and more memory, and on a CPU are no faster. */
const BATCH_TOKENS = 128

const port = parentPort
if (!port) throw new Error('this file runs as a worker thread')
const data = workerData as SmolWorkerData
const post = (message: FromSmol) => port.postMessage(message)

const { getLlama } = (await import(pathToFileURL(data.runtime).href)) as LlamaModule
const llama = await getLlama({
  gpu: false,
  build: 'never',
  skipDownload: true,
  progressLogs: false,
  maxThreads: data.threads,
  logger: () => {},
})
const model = await llama.loadModel({ modelPath: data.model })
const context = await model.createContext({
  contextSize: data.contextTokens,
  sequences: data.sequences,
  batchSize: BATCH_TOKENS,
  threads: { ideal: data.threads, min: 1 },
})
/** Least recently used first. */
const free: LlamaSequence[] = Array.from({ length: data.sequences }, () => context.getSequence())
const running = new Map<number, Generation>()
let stopping = false

port.on('message', (message: ToSmol) => {
  if (message.type === 'generate') void generate(message)
  else if (message.type === 'cancel') running.get(message.job)?.cancel()
  else void stop()
})
await generate({
  type: 'generate',
  job: 0,
  turns: [{ role: 'system', text: 'Hi' }],
  maxTokens: 1,
  temperature: 0,
})
post({ type: 'ready' })

async function generate(request: ToSmol & { type: 'generate' }): Promise<void> {
  const { job } = request
  const generation = new Generation(model, request, data.contextTokens)
  running.set(job, generation)
  const sequence = take(generation)
  // Job 0 is the warm-up, which nobody waits for.
  const report = job === 0 ? () => {} : post
  try {
    for await (const text of generation.run(sequence)) report({ type: 'text', job, text })
    report({ type: 'done', job, reason: generation.reason, usage: generation.usage })
  } catch (error) {
    // Its state is unknown: the next answer begins from nothing.
    await sequence.clearHistory().catch(() => {})
    report({ type: 'failed', job, message: error instanceof Error ? error.message : 'failed' })
  } finally {
    running.delete(job)
    free.push(sequence)
    if (stopping) void stop()
  }
}

/** The free sequence that has most of this prompt behind it already. */
function take(generation: Generation): LlamaSequence {
  let best = 0
  for (const [i, sequence] of free.entries()) {
    if (generation.sharedWith(sequence) > generation.sharedWith(free[best]!)) best = i
  }
  const [sequence] = free.splice(best, 1)
  if (!sequence) throw new Error('no sequence is free')
  return sequence
}

/** Native work must not be cut off by the end of its thread: what runs is cancelled and awaited first. */
async function stop(): Promise<void> {
  stopping = true
  for (const generation of running.values()) generation.cancel()
  if (running.size > 0) return
  await llama.dispose()
  port?.close()
}
