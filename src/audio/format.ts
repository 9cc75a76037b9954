/** Audio formats by name, and the arithmetic between bytes and milliseconds. Mono everywhere. */
export type Encoding = 'pcm16' | 'mulaw' | 'alaw'

export interface AudioFormat {
  /** `pcm16` is signed 16-bit little-endian; `mulaw` and `alaw` are G.711, one byte a sample. */
  readonly encoding: Encoding
  readonly sampleRateHz: number
}

export const PCM16_24K: AudioFormat = { encoding: 'pcm16', sampleRateHz: 24_000 }
export const PCM16_16K: AudioFormat = { encoding: 'pcm16', sampleRateHz: 16_000 }
export const MULAW_8K: AudioFormat = { encoding: 'mulaw', sampleRateHz: 8_000 }
export const ALAW_8K: AudioFormat = { encoding: 'alaw', sampleRateHz: 8_000 }

export function bytesPerSample(format: AudioFormat): number {
  return format.encoding === 'pcm16' ? 2 : 1
}

export function bytesToMs(format: AudioFormat, bytes: number): number {
  return (bytes / bytesPerSample(format) / format.sampleRateHz) * 1000
}

/** Whole samples: always a multiple of the sample size. */
export function msToBytes(format: AudioFormat, ms: number): number {
  return Math.floor((ms * format.sampleRateHz) / 1000) * bytesPerSample(format)
}

export function sameFormat(a: AudioFormat, b: AudioFormat): boolean {
  return a.encoding === b.encoding && a.sampleRateHz === b.sampleRateHz
}
