/** Files decoded beside the main thread: 25 MB of WAV take `wavefile` two seconds, in which nobody could interrupt anybody. */
import { openScope } from '../../cancel.ts'
import { spawnWorker } from '../../spawn.ts'
import { decodeSound, kindOf, SoundError } from './decode.ts'
import type { Decoded, DecodeWork } from './decode-worker.ts'

/** Of each kind what takes some ten milliseconds: less than a thread needs to start. An MP3's decoder writes its complaints to the console. */
const HERE_BYTES = { wav: 128 * 1024, ogg: 8 * 1024, mp3: 0 } as const

/** As `decodeSound`. Rejects with the signal's reason at abort. */
export async function decodeElsewhere(
  file: Uint8Array,
  maxMs: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (file.length <= HERE_BYTES[kindOf(file)]) return decodeSound(file, maxMs)
  const scope = openScope(signal)
  // Of its own, to be handed over; a Buffer's `slice` would not copy.
  const own = new Uint8Array(file)
  const work: DecodeWork = { file: own, maxMs }
  const worker = spawnWorker(import.meta.url, './decode-worker', {
    workerData: work,
    transferList: [own.buffer],
    name: 'decode-sound',
    // What a decoder prints is not for our log.
    stdout: true,
    stderr: true,
  })
  try {
    const decoded = await new Promise<Decoded>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
      worker.once('exit', (code) => reject(new Error(`the decoder ended with ${code}`)))
      scope.signal.addEventListener('abort', () => reject(scope.signal.reason), { once: true })
      if (signal.aborted) reject(signal.reason)
    })
    if (decoded.type === 'sound') return decoded.pcm
    throw new SoundError(decoded.message, decoded.code)
  } finally {
    scope.release()
    void worker.terminate()
  }
}
