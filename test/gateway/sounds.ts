/** Sounds for tests of recognition: noise where somebody speaks, silence between, as files. */

import { OggOpusEncoder } from '../../src/audio/ogg-opus.ts'
import { loadOpus } from '../../src/audio/opus.ts'
import { writeWav } from '../../src/audio/wav.ts'

/** Alternating: so many ms of speech, so many of silence, … */
export function samplesOf(spansMs: readonly number[], sampleRateHz = 16_000): Int16Array {
  const parts = spansMs.map((ms, i) =>
    Int16Array.from({ length: (ms * sampleRateHz) / 1000 }, (_, at) =>
      i % 2 === 0 ? 8000 * Math.sin(at / 4) : 0,
    ),
  )
  const whole = new Int16Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

export function wavOf(spansMs: readonly number[]): Uint8Array {
  return writeWav(samplesOf(spansMs), 16_000)
}

export async function oggOf(spansMs: readonly number[]): Promise<Uint8Array> {
  await loadOpus()
  const encoder = new OggOpusEncoder(5)
  const samples = samplesOf(spansMs, 24_000)
  try {
    const pages = encoder.encode(new Uint8Array(samples.buffer))
    return Buffer.concat([encoder.head(), pages, encoder.end()])
  } finally {
    encoder.close()
  }
}
