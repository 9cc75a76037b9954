/** How probable speech is throughout a sound, by the voice detector that every session has. */
import { openScope } from '../../cancel.ts'
import { VAD_WINDOW_SAMPLES, type Vad } from '../../listen/vad.ts'

/** Windows given at a time: the detector's own batch, so that live callers are never far behind in its line. */
const AT_A_TIME = 64

/** One probability a window of 32 ms; the last window is filled up with silence. Rejects with the signal's reason. */
export async function speechMap(samples: Int16Array, vad: Vad, signal: AbortSignal): Promise<Float32Array> {
  const probabilities = new Float32Array(Math.ceil(samples.length / VAD_WINDOW_SAMPLES))
  const scope = openScope(signal)
  const stream = vad.open({ signal: scope.signal })
  const answers = stream[Symbol.asyncIterator]()
  try {
    let done = 0
    for (let at = 0; done < probabilities.length; at += AT_A_TIME * VAD_WINDOW_SAMPLES) {
      const block = new Int16Array(Math.min(AT_A_TIME, probabilities.length - done) * VAD_WINDOW_SAMPLES)
      block.set(samples.subarray(at, at + block.length))
      stream.write(block)
      const due = done + block.length / VAD_WINDOW_SAMPLES
      while (done < due) {
        const { value, done: ended } = await answers.next()
        signal.throwIfAborted()
        if (ended) throw new Error('the voice detector ended')
        for (const { probability } of value) if (done < due) probabilities[done++] = probability
      }
    }
    return probabilities
  } finally {
    stream.close()
    scope.cancel('done')
  }
}
