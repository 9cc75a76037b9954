import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type AudioFormat, MULAW_8K, PCM16_16K } from '../../src/audio/format.ts'
import { Arrivals } from '../../src/listen/arrivals.ts'
import { Backlog } from '../../src/listen/backlog.ts'
import { RecentBytes } from '../../src/listen/recent.ts'

describe('the recent bytes', () => {
  test('are the newest, in order, whatever the writes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 12 }),
        (capacity, writes) => {
          const recent = new RecentBytes(capacity)
          const all: number[] = []
          for (const bytes of writes) {
            recent.write(bytes)
            all.push(...bytes)
            expect([...recent.read()]).toEqual(all.slice(-capacity))
            expect(recent.length).toBe(Math.min(capacity, all.length))
            expect(recent.complete).toBe(all.length <= capacity)
          }
        },
      ),
    )
  })

  test('handed out do not change afterwards', () => {
    const recent = new RecentBytes(4)
    recent.write(Uint8Array.of(1, 2, 3))
    const before = recent.read()
    recent.clear()
    recent.write(Uint8Array.of(9, 9, 9, 9))
    expect([...before]).toEqual([1, 2, 3])
  })
})

describe('the backlog', () => {
  const drain = (backlog: Backlog, ms: number) => {
    const taken: number[] = []
    for (let piece = backlog.take(ms); piece; piece = backlog.take(ms)) {
      expect(piece.bytes.length).toBeGreaterThan(0)
      taken.push(...piece.bytes)
    }
    return taken
  }

  test('gives back every byte of every whole sample, in order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 90 })),
        fc.integer({ min: 1, max: 5 }),
        (writes, ms) => {
          const backlog = new Backlog(1_000_000)
          const all = writes.flatMap((bytes) => [...bytes])
          const length = writes.reduce((sum, bytes) => sum + backlog.push(bytes, PCM16_16K), 0)
          expect(length).toBe(all.length >> 1)
          expect(drain(backlog, ms)).toEqual(all.slice(0, all.length & ~1))
          expect([backlog.empty, backlog.bytes]).toEqual([true, 0])
        },
      ),
    )
  })

  test('sheds its oldest whole samples, and says how much', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 50 }),
        fc.array(fc.uint8Array({ maxLength: 40 })),
        (capacity, writes) => {
          const backlog = new Backlog(capacity)
          let pushed = 0
          let shed = 0
          for (const bytes of writes) {
            pushed += backlog.push(bytes, PCM16_16K)
            shed += backlog.shed()
            expect(backlog.bytes).toBeLessThanOrEqual(capacity)
          }
          const all = writes.flatMap((bytes) => [...bytes])
          const kept = drain(backlog, 1)
          expect(kept.length / 2).toBe(pushed - shed)
          expect(kept).toEqual(all.slice(0, all.length & ~1).slice(shed * 2))
        },
      ),
    )
  })

  test('keeps formats apart and measures each by its own rate', () => {
    const backlog = new Backlog(1000)
    expect(backlog.push(new Uint8Array(80), MULAW_8K)).toBe(160)
    expect(backlog.push(new Uint8Array(80), PCM16_16K)).toBe(40)
    const formats: AudioFormat[] = []
    for (let piece = backlog.take(100); piece; piece = backlog.take(100)) formats.push(piece.format)
    expect(formats).toEqual([MULAW_8K, PCM16_16K])
  })
})

describe('arrival times', () => {
  test('are those of the write that brought the sample', () => {
    const arrivals = new Arrivals()
    arrivals.note(320, 20)
    arrivals.note(640, 41)
    arrivals.note(960, 60)
    expect([1, 320, 321, 640, 800, 5000].map((end) => arrivals.at(end))).toEqual([20, 20, 41, 41, 60, 60])
    arrivals.forget(500)
    expect([arrivals.at(640), arrivals.size]).toEqual([41, 2])
  })

  test('of many small writes take bounded room and are never too early', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 40 }),
        fc.array(fc.nat(50), { maxLength: 300 }),
        (capacity, steps) => {
          const arrivals = new Arrivals(capacity)
          const truth: [number, number][] = []
          let end = 0
          steps.forEach((step, at) => {
            end += step + 1
            arrivals.note(end, at)
            truth.push([end, at])
            expect(arrivals.size).toBeLessThanOrEqual(capacity)
          })
          let last = 0
          for (const [sample, at] of truth) {
            const told = arrivals.at(sample)
            expect(told).toBeGreaterThanOrEqual(at)
            expect(told).toBeGreaterThanOrEqual(last)
            last = told
          }
        },
      ),
    )
  })
})
