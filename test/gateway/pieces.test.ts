/** Long sounds cut at their pauses. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CUTTING, cutAtPauses } from '../../src/gateway/transcription/pieces.ts'

const WINDOW_MS = 32
const cut = (probabilities: readonly number[], maxMs = 10_000) =>
  cutAtPauses(Float32Array.from(probabilities), WINDOW_MS, { ...CUTTING, maxMs })
const windows = (...spans: readonly (readonly [number, number])[]) =>
  spans.flatMap(([count, probability]) => Array<number>(count).fill(probability))

test('silence is no piece, nor is a click', () => {
  expect(cut(windows([100, 0.02]))).toEqual([])
  expect(cut(windows([50, 0.02], [2, 0.9], [50, 0.02]))).toEqual([])
})

test('speech with what is kept around it', () => {
  const pieces = cut(windows([50, 0.02], [30, 0.9], [50, 0.02]))
  expect(pieces).toMatchObject([{ startMs: 44 * WINDOW_MS, endMs: 86 * WINDOW_MS }])
})

test('sentences are joined up to the length, and not across a long silence', () => {
  const sentence = windows([80, 0.9], [20, 0.02])
  // 3.2 s each with its pause: three make nine seconds and a half.
  const starts = cut([...sentence, ...sentence, ...sentence, ...sentence]).map(({ startMs }) => startMs)
  expect(starts).toEqual([0, 294 * WINDOW_MS])
  expect(cut([...sentence, ...windows([80, 0.02]), ...sentence])).toHaveLength(2)
})

test('speech without a pause is cut where it is least like speech', () => {
  const breath = windows([250, 0.9], [3, 0.5], [147, 0.9])
  expect(cut(breath).map(({ endMs }) => endMs)).toEqual([253 * WINDOW_MS - WINDOW_MS, 400 * WINDOW_MS])
})

test('whatever the probabilities: pieces in order, apart, short enough, within the sound, and no speech is lost', () => {
  const some = fc.array(fc.tuple(fc.integer({ min: 1, max: 400 }), fc.constantFrom(0.02, 0.3, 0.45, 0.9)), {
    maxLength: 20,
  })
  fc.assert(
    fc.property(some, fc.integer({ min: 500, max: 30_000 }), (spans, maxMs) => {
      const probabilities = windows(...spans)
      const pieces = cut(probabilities, maxMs)
      let last = 0
      for (const { startMs, endMs, speech } of pieces) {
        expect(startMs).toBeGreaterThanOrEqual(last)
        expect(endMs).toBeGreaterThan(startMs)
        expect(endMs - startMs).toBeLessThanOrEqual(maxMs)
        expect(speech).toBeGreaterThan(0)
        last = endMs
      }
      expect(last).toBeLessThanOrEqual(probabilities.length * WINDOW_MS)
      // Three windows in a row and more are speech.
      probabilities.forEach((probability, i) => {
        if (probability < 0.5 || (probabilities[i - 1] ?? 0) < 0.5 || (probabilities[i + 1] ?? 0) < 0.5)
          return
        const at = i * WINDOW_MS
        expect(pieces.some(({ startMs, endMs }) => startMs <= at && endMs >= at + WINDOW_MS)).toBe(true)
      })
    }),
  )
})
