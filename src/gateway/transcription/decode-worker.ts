/** One file decoded in a thread of its own, which then ends. */
import { parentPort, workerData } from 'node:worker_threads'
import { decodeSound, SoundError } from './decode.ts'

export interface DecodeWork {
  readonly file: Uint8Array
  readonly maxMs: number
}

export type Decoded =
  | { readonly type: 'sound'; readonly pcm: Uint8Array }
  | { readonly type: 'unreadable'; readonly message: string; readonly code: SoundError['code'] }

const { file, maxMs } = workerData as DecodeWork
try {
  const pcm = new Uint8Array(await decodeSound(file, maxMs))
  tell({ type: 'sound', pcm }, [pcm.buffer])
} catch (error) {
  if (!(error instanceof SoundError)) throw error
  tell({ type: 'unreadable', message: error.message, code: error.code })
}

function tell(answer: Decoded, handedOver: ArrayBuffer[] = []): void {
  parentPort?.postMessage(answer, handedOver)
}
