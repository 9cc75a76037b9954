/** The ring holds what may be needed again and lets go of the rest. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MULAW_8K, PCM16_24K } from '../../src/audio/format.ts'
import { AudioRing } from '../../src/stage/ring.ts'

/** `ms` of µ-law whose bytes count up, from stream position `at`. */
function speech(ms: number, at = 0): Uint8Array {
  return Uint8Array.from({ length: ms * 8 }, (_, i) => (at + i) % 251)
}

describe('idle', () => {
  test('only the last second is held, however long the line is open', () => {
    const ring = new AudioRing(PCM16_24K, { keepMs: 1000 })
    for (let i = 0; i < 60 * 50; i++) ring.write(new Uint8Array(960))
    expect(ring.endMs).toBe(60_000)
    expect(ring.startMs).toBe(59_000)
    expect(ring.heldBytes).toBeLessThanOrEqual(48_000 + 2 * 12_000)
    expect(ring.lostMs).toBe(0)
  })

  test('an empty ring reads as nothing', () => {
    const ring = new AudioRing(MULAW_8K)
    expect(ring.read(0)).toEqual(new Uint8Array(0))
    expect([ring.startMs, ring.endMs, ring.heldBytes]).toEqual([0, 0, 0])
  })
})

describe('retained', () => {
  test('an utterance of 20 seconds is there from its first padding to its end, then let go', () => {
    const ring = new AudioRing(MULAW_8K, { capacityMs: 30_000, keepMs: 500 })
    const all = speech(25_000)
    for (let ms = 0; ms < 25_000; ms += 20) {
      if (ms === 5000) ring.retain(4700)
      ring.write(all.subarray(ms * 8, (ms + 20) * 8))
    }
    expect(ring.startMs).toBeLessThanOrEqual(4700)
    expect(Buffer.compare(ring.read(4700), all.subarray(4700 * 8))).toBe(0)
    expect(Buffer.compare(ring.read(4700, 5000), all.subarray(4700 * 8, 5000 * 8))).toBe(0)
    const busy = ring.heldBytes
    ring.retain(null)
    expect(ring.startMs).toBe(24_500)
    expect(ring.heldBytes).toBeLessThan(busy / 10)
  })

  test('beyond the capacity the oldest goes, counted', () => {
    const ring = new AudioRing(MULAW_8K, { capacityMs: 2000, keepMs: 500 })
    ring.retain(0)
    const all = speech(5000)
    for (let ms = 0; ms < 5000; ms += 100) ring.write(all.subarray(ms * 8, (ms + 100) * 8))
    expect([ring.startMs, ring.endMs, ring.lostMs]).toEqual([3000, 5000, 3000])
    expect(ring.read(0)).toEqual(all.subarray(3000 * 8))
    expect(ring.heldBytes).toBeLessThanOrEqual(2000 * 8 + 2 * 2000)
  })

  test('one chunk longer than the ring leaves its end', () => {
    const ring = new AudioRing(MULAW_8K, { capacityMs: 1000, keepMs: 1000 })
    ring.write(speech(300))
    ring.write(speech(4000, 300 * 8))
    expect([ring.startMs, ring.endMs]).toEqual([3300, 4300])
    expect(ring.read(0)).toEqual(speech(4300).subarray(3300 * 8))
  })
})

test('a chunk that splits a sample: what is read is whole samples', () => {
  const ring = new AudioRing(PCM16_24K)
  ring.write(new Uint8Array([1, 2, 3]))
  expect([...ring.read(0)]).toEqual([1, 2])
  ring.write(new Uint8Array([4]))
  expect([...ring.read(0)]).toEqual([1, 2, 3, 4])
})

test('whatever is written and retained, what is read is what was written there', () => {
  const step = fc.oneof(
    fc.record({ write: fc.nat(9000) }),
    fc.record({ retain: fc.option(fc.nat(4000), { nil: null }) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const ring = new AudioRing(MULAW_8K, { capacityMs: 2000, keepMs: 300 })
      let written = 0
      for (const one of steps) {
        if ('write' in one) {
          ring.write(Uint8Array.from({ length: one.write }, (_, i) => (written + i) % 251))
          written += one.write
        } else ring.retain(one.retain)
        const start = Math.round(ring.startMs * 8)
        const expected = Uint8Array.from({ length: written - start }, (_, i) => (start + i) % 251)
        expect(Buffer.compare(ring.read(0), expected)).toBe(0)
        expect(Buffer.compare(ring.read(ring.startMs, ring.endMs), expected)).toBe(0)
        expect(ring.endMs - ring.startMs).toBeLessThan(2000.001)
        expect(ring.endMs - ring.startMs).toBeGreaterThan(Math.min(300, ring.endMs) - 0.001)
        expect(ring.heldBytes).toBeLessThanOrEqual(2000 * 8 + 3 * 2000)
      }
    }),
  )
})
