/**
 * The thread that judges pauses, one after the other. `input_features` [1, 80, 800] → `logits` [1, 1], which is a
 * probability already: the file ends in a sigmoid.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { realClock } from '../../../clock.ts'
import { FEATURE_BANDS, FEATURE_FRAMES, features } from './features.ts'
import type { FromSmartTurn, SmartTurnWorkerData, ToSmartTurn } from './protocol.ts'

const port = parentPort
if (!port) throw new Error('this file runs as a worker thread')
const session = await InferenceSession.create((workerData as SmartTurnWorkerData).model, {
  executionProviders: ['cpu'],
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  logSeverityLevel: 3,
})

const post = (message: FromSmartTurn | { readonly type: 'ready' }) => port.postMessage(message)
let last: Promise<void> = Promise.resolve()

// The first runs are slower than the others; nobody should wait for them.
await probabilityOf(features(new Int16Array(16_000)))
port.on('message', (message: ToSmartTurn) => {
  last = last.then(() => (message.type === 'stop' ? stop() : judge(message)))
})
post({ type: 'ready' })

async function judge({ job, samples }: Extract<ToSmartTurn, { type: 'judge' }>): Promise<void> {
  try {
    const begin = realClock.now()
    const picture = features(samples)
    const made = realClock.now()
    const probability = await probabilityOf(picture)
    post({
      type: 'judged',
      job,
      probability,
      featuresMs: made - begin,
      inferenceMs: realClock.now() - made,
    })
  } catch (error) {
    post({ type: 'failed', job, message: error instanceof Error ? error.message : 'failed' })
  }
}

async function probabilityOf(picture: Float32Array): Promise<number> {
  const input = new Tensor('float32', picture, [1, FEATURE_BANDS, FEATURE_FRAMES])
  const output = await session.run({ input_features: input })
  return (output['logits']!.data as Float32Array)[0]!
}

async function stop(): Promise<void> {
  await session.release()
  port?.close()
}
