/** Moonshine's own worker, which throws at the next job after it was told to die. */
import { parentPort } from 'node:worker_threads'

let doomed = false
parentPort?.on('message', (message: unknown) => {
  if (doomed) throw new Error('told to die')
  doomed = message === 'die'
})
await import('../../../src/provider/local/moonshine/worker.ts')
