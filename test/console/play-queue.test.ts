import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PlayQueue } from '../../src/console/web/audio/play-queue.ts'

const pcm = (count: number, value = 16_384) => new Int16Array(count).fill(value)

describe('what is played of each item', () => {
  test('an interruption reports the samples that were played, and not those that waited', () => {
    const queue = new PlayQueue(10_000)
    queue.push('a', pcm(300))
    queue.read(new Float32Array(128))
    expect(queue.clear()).toEqual([{ itemId: 'a', playedSamples: 128 }])
    expect(queue.queuedSamples).toBe(0)
    expect(queue.clear()).toEqual([])
  })

  test('silence put in for late audio is not counted', () => {
    const queue = new PlayQueue(10_000)
    queue.push('a', pcm(100))
    const out = new Float32Array(128)
    expect(queue.read(out)).toEqual([])
    expect(out[99]).toBe(0.5)
    expect(out[100]).toBe(0)
    queue.read(out)
    expect(queue.current).toEqual({ itemId: 'a', playedSamples: 100 })
  })

  test('an item is finished when it has ended and its last sample was played', () => {
    const queue = new PlayQueue(10_000)
    queue.push('a', pcm(100))
    queue.push('b', pcm(100))
    queue.end('a')
    expect(queue.read(new Float32Array(128))).toEqual([{ itemId: 'a', playedSamples: 100 }])
    expect(queue.current).toEqual({ itemId: 'b', playedSamples: 28 })
    queue.read(new Float32Array(128))
    queue.end('b')
    expect(queue.read(new Float32Array(128))).toEqual([{ itemId: 'b', playedSamples: 100 }])
  })

  test('a full queue refuses more', () => {
    const queue = new PlayQueue(100)
    expect(queue.push('a', pcm(100))).toBe(true)
    expect(queue.push('a', pcm(1))).toBe(false)
    expect(queue.queuedSamples).toBe(100)
  })

  test('whatever the order of things, no sample is played twice or lost', () => {
    const step = fc.oneof(
      fc.record({ push: fc.constantFrom('a', 'b', 'c'), count: fc.integer({ min: 0, max: 400 }) }),
      fc.record({ read: fc.integer({ min: 1, max: 256 }) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new PlayQueue(1e9)
        let pushed = 0
        let loud = 0
        for (const each of steps) {
          if ('push' in each) {
            queue.push(each.push, pcm(each.count))
            pushed += each.count
          } else {
            const out = new Float32Array(each.read)
            queue.read(out)
            loud += out.filter((sample) => sample !== 0).length
          }
        }
        const waiting = queue.queuedSamples
        expect(loud + waiting).toBe(pushed)
        expect(queue.clear().reduce((sum, cut) => sum + cut.playedSamples, 0)).toBe(loud)
      }),
    )
  })
})
