/** The tables against a slow reference that searches, and against another implementation. */
import { describe, expect, test } from 'vitest'
import wavefile from 'wavefile'
import { type G711, G711_DECODE, G711_ENCODE, G711_SILENCE } from '../../src/audio/g711.ts'

const LAWS: readonly G711[] = ['mulaw', 'alaw']

/** ITU-T G.711 tables 1 and 2 as arithmetic: chord c has 16 steps of a doubling size. */
function slowDecode(law: G711, byte: number): number {
  if (law === 'mulaw') {
    const code = 255 - byte
    const sign = code >= 128 ? -1 : 1
    const chord = Math.floor((code % 128) / 16)
    return sign * ((2 * (code % 16) + 33) * 2 ** chord - 33) * 4
  }
  const code = byte ^ 0x55
  const sign = code >= 128 ? 1 : -1
  const chord = Math.floor((code % 128) / 16)
  const step = 2 * (code % 16) + 1
  return sign * (chord === 0 ? step : (step + 32) * 2 ** (chord - 1)) * 8
}

/** Half the width of the step a byte stands for: no sample within range may be farther from its value. */
function halfStep(law: G711, byte: number): number {
  const chord = Math.floor((law === 'mulaw' ? 255 - byte : byte ^ 0x55) / 16) % 8
  return law === 'mulaw' ? 4 * 2 ** chord : 8 * 2 ** Math.max(0, chord - 1)
}

describe.each(LAWS)('%s', (law) => {
  test('every byte decodes as the recommendation says', () => {
    for (let byte = 0; byte < 256; byte++) expect(G711_DECODE[law][byte]).toBe(slowDecode(law, byte) + 0)
  })

  test('every sample in range encodes to a step that holds it', () => {
    for (let sample = -32_124; sample <= 32_124; sample++) {
      const byte = G711_ENCODE[law][sample & 0xffff]!
      const error = Math.abs(slowDecode(law, byte) - sample)
      if (error > halfStep(law, byte)) expect.fail(`sample ${sample} is off by ${error}`)
    }
  })

  test('every byte survives the round trip (µ-law has two zeros, and keeps one)', () => {
    for (let byte = 0; byte < 256; byte++) {
      const value = G711_DECODE[law][byte]!
      expect(G711_DECODE[law][G711_ENCODE[law][value & 0xffff]!]).toBe(value)
    }
  })

  test('all 65,536 samples are bit-exact with another implementation', () => {
    const samples = Int16Array.from({ length: 65_536 }, (_, i) => i - 32_768)
    const file = new wavefile.WaveFile()
    file.fromScratch(1, 8000, '16', samples)
    if (law === 'mulaw') file.toMuLaw()
    else file.toALaw()
    const other = (file.data as { samples: Uint8Array }).samples
    for (let i = 0; i < samples.length; i++) {
      expect(G711_ENCODE[law][samples[i]! & 0xffff], `sample ${samples[i]}`).toBe(other[i])
    }
  })

  test('silence is the code of zero', () => {
    expect(G711_ENCODE[law][0]).toBe(G711_SILENCE[law])
    expect(Math.abs(G711_DECODE[law][G711_SILENCE[law]]!)).toBeLessThanOrEqual(8)
  })
})
