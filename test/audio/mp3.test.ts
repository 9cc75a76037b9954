/** MP3 files: half a second of silence and half a second of 440 Hz, made by lamejs; and what outsiders may send instead. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Mp3Error, readMp3 } from '../../src/audio/mp3.ts'

const FILE = readFileSync(new URL('../../fixtures/sound/silence-then-tone.mp3', import.meta.url))
const HOUR_MS = 3_600_000

test('silence, then the tone, at its pitch and as long as it was', async () => {
  const { samples, sampleRateHz } = await readMp3(FILE, HOUR_MS)
  expect(sampleRateHz).toBe(16_000)
  // The encoder's own silence is at both ends.
  expect(samples.length / 16_000).toBeGreaterThanOrEqual(1)
  expect(samples.length / 16_000).toBeLessThan(1.25)
  const loud = samples.findIndex((sample) => Math.abs(sample) > 3000) / 16_000
  expect(loud).toBeGreaterThan(0.45)
  expect(loud).toBeLessThan(0.65)
  const tone = samples.subarray(11_000, 15_000)
  const rising = tone.filter((sample, i) => i > 0 && tone[i - 1]! < 0 && sample >= 0).length
  expect(Math.abs(rising - 110)).toBeLessThanOrEqual(2)
  expect(Math.max(...tone)).toBeGreaterThan(10_000)
})

test('a file that is none, and one that is too long', async () => {
  await expect(readMp3(Buffer.from('ID3\x04 and so on, and so on'), HOUR_MS)).rejects.toThrow(Mp3Error)
  await expect(readMp3(FILE, 500)).rejects.toThrow('too long')
})

test('damaged anywhere, cut anywhere: a sound or an Mp3Error', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(FILE.length - 1), fc.nat(255)), { maxLength: 5 }),
      fc.nat(FILE.length),
      async (marks, length) => {
        const bytes = new Uint8Array(FILE.subarray(0, length))
        for (const [at, value] of marks) if (at < length) bytes[at] = value
        await readMp3(bytes, HOUR_MS).catch((error) => expect(error).toBeInstanceOf(Mp3Error))
      },
    ),
    { numRuns: 30 },
  )
})
