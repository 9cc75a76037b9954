/** Conversion as a stream: whatever the chunking, the same sound, nothing lost, nothing out of step. */
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { createConverter, createDecoder, loadAudio, silence } from '../../src/audio/convert.ts'
import {
  ALAW_8K,
  type AudioFormat,
  bytesPerSample,
  MULAW_8K,
  PCM16_16K,
  PCM16_24K,
} from '../../src/audio/format.ts'
import { G711_DECODE } from '../../src/audio/g711.ts'
import { Resampler } from '../../src/audio/resample.ts'
import { chunked, joined, samplesOf, signalToNoiseDb, sine, toBytes } from './tone.ts'

const PCM16_8K: AudioFormat = { encoding: 'pcm16', sampleRateHz: 8000 }
const PCM16_48K: AudioFormat = { encoding: 'pcm16', sampleRateHz: 48_000 }
const PCM16_44K: AudioFormat = { encoding: 'pcm16', sampleRateHz: 44_100 }
const ALL = [PCM16_24K, PCM16_16K, PCM16_8K, PCM16_48K, PCM16_44K, MULAW_8K, ALAW_8K]
const PAIRS = ALL.flatMap((from) => ALL.map((to) => ({ from, to, name: `${label(from)} → ${label(to)}` })))

function label(format: AudioFormat): string {
  return `${format.encoding} ${format.sampleRateHz}`
}

function convert(from: AudioFormat, to: AudioFormat, chunks: readonly Uint8Array[]): Uint8Array {
  const converter = createConverter(from, to)
  const out = [...chunks.map((chunk) => converter.process(chunk)), converter.flush()]
  converter.close()
  return joined(out)
}

beforeAll(loadAudio)

describe('every pair of formats', () => {
  test.each(PAIRS)('$name gives the same bytes whatever the chunking', ({ from, to }) => {
    const bytes = toBytes(from, sine(from.sampleRateHz, 440, 150))
    const whole = convert(from, to, [bytes])
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1 }), (lengths) => {
        expect(convert(from, to, chunked(bytes, lengths))).toEqual(whole)
      }),
      { numRuns: 8 },
    )
  })

  test.each(PAIRS)('$name keeps the duration to the sample', ({ from, to }) => {
    const samples = Math.round(0.333 * from.sampleRateHz)
    const out = convert(from, to, [silence(from, 333)])
    expect(out.length % bytesPerSample(to)).toBe(0)
    const expected = (samples * to.sampleRateHz) / from.sampleRateHz
    expect(Math.abs(out.length / bytesPerSample(to) - expected)).toBeLessThanOrEqual(0.5)
  })
})

describe('resampling', () => {
  test.each([
    { from: PCM16_24K, to: PCM16_16K, hz: 1000 },
    { from: PCM16_24K, to: PCM16_8K, hz: 1000 },
    { from: PCM16_8K, to: PCM16_16K, hz: 1000 },
    { from: PCM16_8K, to: PCM16_24K, hz: 1000 },
    { from: PCM16_16K, to: PCM16_24K, hz: 3000 },
    { from: PCM16_48K, to: PCM16_16K, hz: 3000 },
    { from: PCM16_44K, to: PCM16_16K, hz: 1000 },
  ])('$from.sampleRateHz → $to.sampleRateHz in 20 ms frames is the tone itself, at its own time', (c) => {
    const frame = c.from.sampleRateHz / 25
    const bytes = toBytes(c.from, sine(c.from.sampleRateHz, c.hz, 1000))
    const out = samplesOf(convert(c.from, c.to, chunked(bytes, new Array(200).fill(frame))))
    const ideal = sine(c.to.sampleRateHz, c.hz, 1000)
    const edge = Math.round(c.to.sampleRateHz / 50)
    // 16-bit rounding alone allows about 98 dB; a state reset at a frame's edge would give 10 to 16.
    expect(
      signalToNoiseDb(ideal.subarray(edge, -edge), out.subarray(edge, ideal.length - edge)),
    ).toBeGreaterThan(75)
  })

  test('what the lower rate cannot hold is removed, not folded', () => {
    const out = samplesOf(convert(PCM16_24K, PCM16_8K, [toBytes(PCM16_24K, sine(24_000, 6500, 500))]))
    const loudest = out.subarray(200, -200).reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
    expect(loudest).toBeLessThanOrEqual(2)
  })

  test('the first frame is short by the filter only, and flush gives the rest back', () => {
    const converter = createConverter(MULAW_8K, PCM16_16K)
    const first = converter.process(silence(MULAW_8K, 20))
    expect(first.length).toBeGreaterThanOrEqual(2 * 16 * 14)
    expect(first.length + converter.flush().length).toBe(2 * 320)
    converter.close()
  })

  test('after a flush the next sound begins clean', () => {
    const bytes = toBytes(PCM16_24K, sine(24_000, 440, 60))
    const converter = createConverter(PCM16_24K, PCM16_16K)
    const first = joined([converter.process(bytes), converter.flush()])
    converter.process(bytes.subarray(0, 1))
    converter.flush()
    const second = joined([converter.process(bytes), converter.flush()])
    expect(second).toEqual(first)
    converter.close()
  })

  test('two streams at once do not hear each other', () => {
    const low = createConverter(PCM16_24K, PCM16_16K)
    const high = createConverter(PCM16_24K, PCM16_16K)
    const lowBytes = toBytes(PCM16_24K, sine(24_000, 300, 200))
    const highBytes = toBytes(PCM16_24K, sine(24_000, 2000, 200))
    const out: Uint8Array[] = []
    for (let at = 0; at < lowBytes.length; at += 960) {
      out.push(low.process(lowBytes.subarray(at, at + 960)))
      high.process(highBytes.subarray(at, at + 960))
    }
    out.push(low.flush())
    expect(joined(out)).toEqual(convert(PCM16_24K, PCM16_16K, [lowBytes]))
    low.close()
    high.close()
  })

  test('closed, it refuses; closing twice is nothing', () => {
    const converter = createConverter(PCM16_24K, PCM16_16K)
    converter.close()
    converter.close()
    expect(() => converter.process(silence(PCM16_24K, 20))).toThrow(/closed/)
  })

  test('10,000 converters opened and closed leave the WASM memory as it was', () => {
    const probe = new Resampler(24_000, 16_000)
    const before = probe.heap.length
    for (let i = 0; i < 10_000; i++) {
      const converter = createConverter(PCM16_44K, PCM16_16K)
      converter.process(silence(PCM16_44K, 1))
      converter.flush()
      converter.close()
    }
    expect(probe.heap.length).toBe(before)
    probe.close()
  })

  test('a rate beyond reason is refused', () => {
    expect(() => createConverter(PCM16_24K, { encoding: 'pcm16', sampleRateHz: 0 })).toThrow(RangeError)
    expect(() => createConverter({ encoding: 'pcm16', sampleRateHz: 1e9 }, PCM16_24K)).toThrow(RangeError)
  })
})

test('equal formats cost nothing: the very array comes out', () => {
  const bytes = silence(PCM16_24K, 20)
  expect(createConverter(PCM16_24K, { ...PCM16_24K }).process(bytes)).toBe(bytes)
})

test('the decoder keeps the odd byte for the next chunk', () => {
  const decode = createDecoder(PCM16_16K)
  expect([...decode(new Uint8Array([0x34]))]).toEqual([])
  expect([...decode(new Uint8Array([0x12, 0xff, 0xff, 0x01]))]).toEqual([0x1234, -1])
  expect([...decode(new Uint8Array([0x80]))]).toEqual([-32_767])
})

test('µ-law silence is 0xFF, A-law silence 0xD5, and both decode to next to nothing', () => {
  expect(silence(MULAW_8K, 20)).toEqual(new Uint8Array(160).fill(0xff))
  expect(silence(ALAW_8K, 20)).toEqual(new Uint8Array(160).fill(0xd5))
  expect(silence(PCM16_24K, 20)).toEqual(new Uint8Array(960))
  expect(G711_DECODE.mulaw[0xff]).toBe(0)
})
