import { describe, expect, test } from 'vitest'
import { Resampler } from '../../src/console/web/audio/resampler.ts'

const sine = (hz: number, rateHz: number, count: number) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin((2 * Math.PI * hz * i) / rateHz))

/** Runs `input` through in pieces of `size`. */
function run(from: number, to: number, input: Float32Array, size: number): Float32Array {
  const resampler = new Resampler(from, to)
  const out = new Float32Array(Math.ceil((input.length * to) / from) + 16)
  let written = 0
  for (let i = 0; i < input.length; i += size)
    written += resampler.process(input.subarray(i, i + size), out.subarray(written))
  return out.subarray(0, written)
}

describe('the audio threads’ resampler', () => {
  for (const [from, to] of [
    [48_000, 24_000],
    [44_100, 24_000],
    [16_000, 24_000],
    [24_000, 48_000],
    [24_000, 44_100],
    [24_000, 24_000],
  ] as const) {
    test(`a tone from ${from} to ${to} Hz stays the same tone, sample by sample`, () => {
      const out = run(from, to, sine(1000, from, from / 2), 128)
      const ideal = sine(1000, to, out.length)
      let noise = 0
      for (let i = 200; i < out.length; i++) noise += (out[i]! - ideal[i]!) ** 2
      const snrDb = 10 * Math.log10((out.length - 200) / 2 / Math.max(noise, 1e-12))
      expect(out.length).toBeGreaterThan(to / 2 - 100)
      expect(snrDb).toBeGreaterThan(60)
    })
  }

  test('what cannot be carried is removed, not folded down', () => {
    const out = run(48_000, 24_000, sine(15_000, 48_000, 24_000), 128).subarray(200)
    const loudest = out.reduce((top, sample) => Math.max(top, Math.abs(sample)), 0)
    expect(20 * Math.log10(loudest)).toBeLessThan(-60)
  })

  test('pieces of any size make the same sound as one piece', () => {
    const input = sine(700, 44_100, 4410)
    expect(run(44_100, 24_000, input, 37)).toEqual(run(44_100, 24_000, input, 4410))
  })

  test('asked what it needs for a block, it makes exactly that block', () => {
    const resampler = new Resampler(24_000, 44_100)
    for (let i = 0; i < 500; i++) {
      const input = new Float32Array(resampler.needed(128))
      expect(resampler.process(input, new Float32Array(128))).toBe(128)
    }
  })
})
