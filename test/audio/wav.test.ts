/** WAV files: what is written reads back, odd ones are read, garbage is refused in words. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import wavefile from 'wavefile'
import { readWav, WavError, writeWav } from '../../src/audio/wav.ts'
import { signalToNoiseDb, sine } from './tone.ts'

const TONE = sine(16_000, 440, 100)

function written(depth: string, scale: number, offset = 0): Uint8Array {
  const file = new wavefile.WaveFile()
  file.fromScratch(
    1,
    16_000,
    depth,
    [...TONE].map((sample) => (sample / 32_768) * scale + offset),
  )
  return file.toBuffer()
}

function patched(change: (view: DataView) => void): Uint8Array {
  const bytes = writeWav(TONE, 16_000)
  change(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  return bytes
}

describe('reading', () => {
  test('what was written comes back to the sample', () => {
    expect(readWav(writeWav(TONE, 16_000))).toEqual({ samples: TONE, sampleRateHz: 16_000 })
  })

  test.each([
    ['8', written('8', 127, 128), 40],
    ['24', written('24', 2 ** 23 - 1), 70],
    ['32', written('32', 2 ** 31 - 1), 70],
    ['32f', written('32f', 1), 70],
    ['64', written('64', 1), 70],
  ] as const)('%s bits', (_, bytes, leastDb) => {
    expect(signalToNoiseDb(TONE, readWav(bytes).samples)).toBeGreaterThan(leastDb)
  })

  test.each(['toMuLaw', 'toALaw'] as const)('a file made %s', (compress) => {
    const file = new wavefile.WaveFile()
    file.fromScratch(1, 8000, '16', TONE)
    file[compress]()
    const { samples, sampleRateHz } = readWav(file.toBuffer())
    expect(sampleRateHz).toBe(8000)
    expect(signalToNoiseDb(TONE, samples.subarray(0, TONE.length))).toBeGreaterThan(20)
  })

  test('two channels are averaged', () => {
    const file = new wavefile.WaveFile()
    file.fromScratch(2, 8000, '16', [
      [100, -100, 32_767],
      [300, -300, 32_767],
    ])
    expect([...readWav(file.toBuffer()).samples]).toEqual([200, -200, 32_767])
  })

  test('a header that promises more than there is gives what is there', () => {
    const streamed = patched((view) => {
      view.setUint32(4, 0xffffffff, true)
      view.setUint32(40, 0xffffffff, true)
    })
    expect(readWav(streamed).samples).toEqual(TONE)
    expect(readWav(writeWav(TONE, 16_000).subarray(0, 44 + 101)).samples).toEqual(TONE.subarray(0, 50))
  })
})

describe('garbage is refused in words', () => {
  test.each([
    ['nothing', new Uint8Array(0), /not a WAV file/],
    ['text', new TextEncoder().encode('I am a letter, and not a sound at all.'.repeat(9)), /not a WAV file/],
    ['a header alone', writeWav(TONE, 16_000).subarray(0, 30), /not a WAV file/],
    ['ADPCM', patched((view) => view.setUint16(20, 17, true)), /encoding 17/],
    ['an unknown encoding', patched((view) => view.setUint16(20, 99, true)), /encoding 99/],
    ['no channel', patched((view) => view.setUint16(22, 0, true)), /0 channels/],
    ['60,000 channels', patched((view) => view.setUint16(22, 60_000, true)), /60000 channels/],
    ['no rate', patched((view) => view.setUint32(24, 0, true)), /0 Hz/],
  ] as const)('%s', (_, bytes, message) => {
    expect(() => readWav(bytes)).toThrow(WavError)
    expect(() => readWav(bytes)).toThrow(message)
  })

  test('whatever bytes are broken, it reads or throws a WavError', () => {
    const bytes = writeWav(TONE.subarray(0, 50), 16_000)
    const breakage = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(breakage, (changes) => {
        const broken = bytes.slice()
        for (const [at, value] of changes) broken[at] = value
        try {
          readWav(broken)
        } catch (error) {
          expect(error).toBeInstanceOf(WavError)
        }
      }),
      { numRuns: 300 },
    )
  })
})
