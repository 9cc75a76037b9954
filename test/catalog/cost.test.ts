/** What a request costs: each token charged once, at the rate of what it is. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { costOf } from '../../src/catalog/cost.ts'
import type { Cost } from '../../src/catalog/entry.ts'

const million = (cost: Cost, usage: Parameters<typeof costOf>[1]) => costOf({ cost }, usage)

test('cached and written tokens are part of the input, and reasoning part of the output', () => {
  const cost = { input: 10, output: 100, cacheRead: 1, cacheWrite: 12, reasoning: 200 }
  const usage = {
    inputTokens: 1e6,
    cachedTokens: 400_000,
    cacheWriteTokens: 100_000,
    outputTokens: 1e6,
    reasoningTokens: 250_000,
  }
  expect(million(cost, usage)).toBeCloseTo(5 + 0.4 + 1.2 + 75 + 50, 9)
})

test('what has no rate of its own costs what the rest of its side costs', () => {
  const usage = { inputTokens: 1e6, cachedTokens: 1e6, outputTokens: 1e6, reasoningTokens: 1e6 }
  expect(million({ input: 2, output: 8 }, usage)).toBeCloseTo(10, 9)
})

test('audio tokens have their own rates', () => {
  const cost = { input: 4, output: 16, inputAudio: 32, outputAudio: 64 }
  const usage = { inputTokens: 1e6, inputAudioTokens: 5e5, outputTokens: 1e6, outputAudioTokens: 1e6 }
  expect(million(cost, usage)).toBeCloseTo(2 + 16 + 64, 9)
})

test('a long prompt is charged whole at its tier, and what the tier does not say stays', () => {
  const cost = {
    input: 1,
    output: 10,
    cacheRead: 0.1,
    tiers: [
      { aboveInputTokens: 200_000, input: 2, output: 15 },
      { aboveInputTokens: 500_000, input: 4 },
    ],
  }
  expect(million(cost, { inputTokens: 200_000 })).toBeCloseTo(0.2, 9)
  expect(million(cost, { inputTokens: 200_001, outputTokens: 1e6 })).toBeCloseTo(0.400002 + 15, 9)
  expect(million(cost, { inputTokens: 1e6, cachedTokens: 1e6, outputTokens: 1e6 })).toBeCloseTo(0.1 + 10, 9)
})

test('a rate that is not known makes the whole unknown, but only if it was needed', () => {
  expect(million({ input: 1 }, { inputTokens: 5, outputTokens: 1 })).toBeNull()
  expect(million({ input: 1 }, { inputTokens: 1e6 })).toBeCloseTo(1, 9)
  expect(million({ input: 1, output: 1 }, { audioInMs: 10 })).toBeNull()
  expect(costOf({ cost: null }, { inputTokens: 1 })).toBeNull()
})

test('speech by the minute heard, by the characters or else the minutes said', () => {
  expect(million({ usdPerAudioMinuteIn: 0.6 }, { audioInMs: 10_000 })).toBeCloseTo(0.1, 9)
  const both = { usdPerThousandChars: 2, usdPerAudioMinuteOut: 50 }
  expect(million(both, { characters: 500, audioOutMs: 60_000 })).toBeCloseTo(1, 9)
  expect(million({ usdPerAudioMinuteOut: 3 }, { characters: 500, audioOutMs: 20_000 })).toBeCloseTo(1, 9)
})

test('whatever a provider counts, no token is charged twice and none is charged less than nothing', () => {
  const tokens = fc.integer({ min: -10, max: 1_000_000 })
  fc.assert(
    fc.property(tokens, tokens, tokens, tokens, (input, cached, written, audio) => {
      const inputTokens = Math.max(0, input)
      const usage = { inputTokens, cachedTokens: cached, cacheWriteTokens: written, inputAudioTokens: audio }
      const flat = { input: 1, output: 1, cacheRead: 1, cacheWrite: 1, inputAudio: 1 }
      expect(million(flat, usage)).toBeCloseTo(inputTokens / 1e6, 12)
    }),
  )
})
