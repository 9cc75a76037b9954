/**
 * The VAD's thread: sleeps until the bell rings, judges what is in the exchange, says so, sleeps again. It has
 * no other work, so it may block; a bell costs the main thread a tenth of what a message does.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { BELL, COUNT, STOP, type VadWorkerData, type VadWorkerMessage, viewExchange } from './exchange.ts'
import { SileroModel } from './model.ts'

const data = workerData as VadWorkerData
const exchange = viewExchange(data.exchange)
const model = await SileroModel.load(data.model)
let heard = Atomics.load(exchange.control, BELL)
parentPort?.postMessage({ type: 'ready' })

while (Atomics.load(exchange.control, STOP) === 0) {
  Atomics.wait(exchange.control, BELL, heard)
  if (Atomics.load(exchange.control, STOP) === 1) break
  heard = Atomics.load(exchange.control, BELL)
  await model.judge(exchange, exchange.control[COUNT]!)
  parentPort?.postMessage({ type: 'done' } satisfies VadWorkerMessage)
}
await model.release()
parentPort?.close()
