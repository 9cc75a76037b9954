/** A Moonshine thread: one job at a time, audio from the shared slot, text back. */
import { parentPort, workerData } from 'node:worker_threads'
import { MoonshineModel, SHAPES } from './model.ts'
import type { FromWorker, MoonshineWorkerData, ToWorker } from './protocol.ts'

const data = workerData as MoonshineWorkerData
const slot = new Int16Array(data.audio)
const cancelled = new Int32Array(data.cancelled)
const audio = new Float32Array(slot.length)
const model = await MoonshineModel.load(data.encoder, data.decoder, SHAPES[data.size])

let busy: Promise<void> = Promise.resolve()

parentPort?.on('message', (message: ToWorker) => {
  if (message.type === 'stop') {
    parentPort?.close()
    void busy.then(() => model.release())
    return
  }
  busy = recognise(message.id, message.samples).then((answer) => parentPort?.postMessage(answer))
})
parentPort?.postMessage({ type: 'ready' })

async function recognise(id: number, samples: number): Promise<FromWorker> {
  for (let i = 0; i < samples; i++) audio[i] = slot[i]! / 32_768
  try {
    const result = await model.recognise(audio.subarray(0, samples), () => Atomics.load(cancelled, 0) === id)
    return result ? { type: 'text', id, ...result } : { type: 'given-up', id }
  } catch (error) {
    return { type: 'failed', id, message: error instanceof Error ? error.message : String(error) }
  }
}
