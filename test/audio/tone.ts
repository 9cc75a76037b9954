/** Sounds for tests, and a measure of how true they came through. */
import { createConverter } from '../../src/audio/convert.ts'
import type { AudioFormat } from '../../src/audio/format.ts'

/** A sine at half of full scale, starting at phase zero. */
export function sine(sampleRateHz: number, hz: number, ms: number): Int16Array {
  const samples = Math.floor((ms * sampleRateHz) / 1000)
  return Int16Array.from({ length: samples }, (_, i) =>
    Math.round(16_384 * Math.sin((2 * Math.PI * hz * i) / sampleRateHz)),
  )
}

export function toBytes(format: AudioFormat, samples: Int16Array): Uint8Array {
  const pcm = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)
  return createConverter({ encoding: 'pcm16', sampleRateHz: format.sampleRateHz }, format).process(pcm)
}

export function samplesOf(pcm: Uint8Array): Int16Array {
  return new Int16Array(pcm.slice().buffer)
}

export function joined(chunks: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(chunks))
}

/** `bytes` cut into pieces of the given lengths, over and over; the rest in one. */
export function chunked(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const out: Uint8Array[] = []
  let at = 0
  for (const length of lengths) {
    out.push(bytes.subarray(at, at + length))
    at = Math.min(bytes.length, at + length)
  }
  out.push(bytes.subarray(at))
  return out
}

export function signalToNoiseDb(ideal: Int16Array, real: Int16Array): number {
  let signal = 0
  let noise = 0
  for (let i = 0; i < ideal.length; i++) {
    signal += ideal[i]! ** 2
    noise += (ideal[i]! - real[i]!) ** 2
  }
  return 10 * Math.log10(signal / noise)
}
