import { beforeAll, describe, expect, test } from 'vitest'
import { loadAudio } from '../../src/audio/convert.ts'
import { type GateEngine, loadGate } from '../../src/listen/gate.ts'
import { encode, join, noise, pieces, silence, voice } from './sound.ts'
import { FIXTURES, speech } from './speech.ts'

let gates: GateEngine
beforeAll(async () => {
  await loadAudio()
  gates = await loadGate()
})

/** 16 kHz samples at another rate. */
function at(sampleRateHz: number, samples: Int16Array): Int16Array {
  const bytes = encode(samples, { encoding: 'pcm16', sampleRateHz })
  return new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
}

/** When the gate first hears speech, in ms, in pieces of `pieceMs`; null: never. */
function opensAt(sampleRateHz: number, samples: Int16Array, pieceMs = 20): number | null {
  const gate = gates.open(sampleRateHz)
  const size = (sampleRateHz * pieceMs) / 1000
  let heard: number | null = null
  for (let from = 0; from < samples.length && heard === null; from += size) {
    if (gate.hears(samples.subarray(from, from + size))) heard = ((from + size) * 1000) / sampleRateHz
  }
  gate.close()
  return heard
}

const RATES = [8000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000]
const louder = (samples: Int16Array, dB: number) => samples.map((s) => s * 10 ** (dB / 20))

describe('the speech gate', () => {
  test.each(RATES)('hears a voice and not silence, at %i Hz', (rate) => {
    const samples = at(rate, join(silence(2000), voice(500), silence(500)))
    const opened = opensAt(rate, samples)
    expect(opened).toBeGreaterThan(2000 - 40)
    expect(opened).toBeLessThan(2100)
  })

  test.each(RATES)(
    'hears human speech 30 dB softer than recorded, before its first sound is 300 ms old, at %i Hz',
    (rate) => {
      for (const { name, onsetMs } of FIXTURES) {
        const soft = louder(speech(name), -30)
        const samples = at(rate, join(silence(2000), soft))
        expect(opensAt(rate, samples)).toBeLessThan(2000 + onsetMs + 300)
      }
    },
  )

  test('stays shut in digital silence, and nearly so in the noise of a quiet room', () => {
    expect(opensAt(16_000, silence(20_000))).toBeNull()
    const hears = (samples: Int16Array) => {
      const gate = gates.open(16_000)
      const heard = pieces(new Uint8Array(samples.buffer), 640).filter((frame) =>
        gate.hears(new Int16Array(frame.buffer, frame.byteOffset, 320)),
      ).length
      gate.close()
      return heard
    }
    // Of 1,000 frames.
    expect(hears(noise(20_000, 12))).toBeLessThan(20)
  })

  test('decides the same however the samples come', () => {
    const samples = at(24_000, join(silence(1000), speech('ten-of-clubs')))
    const heard = (size: number) => {
      const gate = gates.open(24_000)
      let frames = 0
      for (let from = 0; from < samples.length; from += size) {
        if (gate.hears(samples.subarray(from, from + size))) frames++
      }
      gate.close()
      return frames
    }
    // One sample at a time, each frame is answered on its own; whole frames give as many answers.
    expect(heard(1)).toBe(heard(480))
    expect(heard(1)).toBeGreaterThan(10)
  })

  test('gives its memory back', () => {
    const open = () => {
      const gate = gates.open(8000)
      gate.hears(new Int16Array(160))
      gate.close()
      gate.close()
      expect(() => gate.hears(new Int16Array(160))).toThrow('closed')
    }
    open()
    const before = process.memoryUsage().external
    for (let i = 0; i < 50_000; i++) open()
    // Kept, they would be 40 MB more of WASM memory.
    expect(process.memoryUsage().external - before).toBeLessThan(15_000_000)
  })

  test('refuses rates it cannot judge', () => {
    expect(() => gates.open(4000)).toThrow(RangeError)
    expect(() => gates.open(Number.NaN)).toThrow(RangeError)
  })
})
