/** How much of a known sound is in a recording, wherever it begins. */
import type { AudioFormat } from '../../src/audio/format.ts'

export const PCM16_8K: AudioFormat = { encoding: 'pcm16', sampleRateHz: 8_000 }
/** 10 ms at 8 kHz. */
const STEP_SAMPLES = 80

/** The best correlation of the two loudness curves, 0–1: it does not mind G.711, filters or a few lost samples. */
export function likeness(known: Uint8Array, recording: Uint8Array): number {
  const a = loudness(known)
  const around = Buffer.alloc(known.length)
  const b = loudness(Buffer.concat([around, recording, around]))
  let best = 0
  for (let shift = 0; shift + a.length <= b.length; shift++) {
    best = Math.max(best, correlation(a, b.subarray(shift, shift + a.length)))
  }
  return best
}

/** RMS of each 10 ms of PCM16 at 8 kHz. */
export function loudness(pcm: Uint8Array): Float64Array {
  const samples = new Int16Array(Uint8Array.from(pcm).buffer)
  return Float64Array.from({ length: Math.floor(samples.length / STEP_SAMPLES) }, (_, i) => {
    let sum = 0
    for (let at = i * STEP_SAMPLES; at < (i + 1) * STEP_SAMPLES; at++) sum += samples[at]! ** 2
    return Math.sqrt(sum / STEP_SAMPLES)
  })
}

function correlation(a: Float64Array, b: Float64Array): number {
  const mean = (of: Float64Array) => of.reduce((sum, x) => sum + x, 0) / of.length
  const [ma, mb] = [mean(a), mean(b)]
  let [ab, aa, bb] = [0, 0, 0]
  for (let i = 0; i < a.length; i++) {
    ab += (a[i]! - ma) * (b[i]! - mb)
    aa += (a[i]! - ma) ** 2
    bb += (b[i]! - mb) ** 2
  }
  return aa === 0 || bb === 0 ? 0 : ab / Math.sqrt(aa * bb)
}
