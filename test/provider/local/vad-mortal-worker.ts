/** The VAD's own worker, which throws when it is told to die. */
import { parentPort } from 'node:worker_threads'

parentPort?.on('message', () => {
  throw new Error('told to die')
})
await import('../../../src/provider/local/vad/worker.ts')
