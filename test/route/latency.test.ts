import { describe, expect, test } from 'vitest'
import { expected, Histogram } from '../../src/route/histogram.ts'
import { LatencyBook } from '../../src/route/latency.ts'
import { priorOf } from '../../src/route/priors.ts'

const MINUTE = 60_000
const TARGET = 'openai/gpt-4o'

/** The same numbers every time: a multiplicative generator. */
function dice(seed = 7): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

describe('a histogram', () => {
  test('gives quantiles to about 7 %', () => {
    const histogram = new Histogram(MINUTE, 0)
    const roll = dice()
    const values = Array.from({ length: 5000 }, () => 100 + 900 * roll() ** 2)
    for (const value of values) histogram.add(value, 0)
    values.sort((a, b) => a - b)
    for (const q of [0.1, 0.5, 0.9, 0.95, 0.99]) {
      const exact = values[Math.floor(q * values.length)]!
      expect(histogram.quantile(q, 0) / exact).toBeGreaterThan(0.93)
      expect(histogram.quantile(q, 0) / exact).toBeLessThan(1.07)
    }
  })

  test('forgets by halves, for any length of time', () => {
    const histogram = new Histogram(MINUTE, 0)
    for (let i = 0; i < 100; i++) histogram.add(1000, 0)
    expect(histogram.count(MINUTE)).toBeCloseTo(50)
    for (let i = 0; i < 100; i++) histogram.add(100, MINUTE)
    expect(histogram.quantile(0.5, MINUTE)).toBeLessThan(150)
    // Past the point where it scales itself down.
    histogram.add(200, 100 * MINUTE)
    expect(histogram.count(100 * MINUTE)).toBeCloseTo(1)
    expect(histogram.quantile(0.5, 100 * MINUTE)).toBeGreaterThan(180)
    expect(histogram.quantile(0.5, 5000 * MINUTE)).toBeGreaterThan(180)
  })

  test('nothing, zero, and longer than an hour', () => {
    const histogram = new Histogram(MINUTE, 0)
    expect(histogram.quantile(0.5, 0)).toBeNaN()
    histogram.add(0, 0)
    expect(histogram.quantile(0.5, 0)).toBeLessThanOrEqual(1)
    for (let i = 0; i < 9; i++) histogram.add(1e9, 0)
    expect(histogram.quantile(0.9, 0)).toBeGreaterThan(60_000)
  })

  test('an expected distribution has the quantiles it was made of', () => {
    const masses = expected(400, 1000)
    const empty = new Histogram(MINUTE, 0)
    expect(empty.quantile(0.5, 0, masses, 1) / 400).toBeCloseTo(1, 1)
    expect(empty.quantile(0.95, 0, masses, 1) / 1000).toBeCloseTo(1, 1)
  })
})

describe('what is known of a target', () => {
  const attempt = (ms: number, more: Partial<Parameters<LatencyBook['record']>[0]> = {}) =>
    ({
      stage: 'llm',
      target: TARGET,
      language: 'en',
      outcome: 'ok',
      ms,
      unitsPerSecond: null,
      ...more,
    }) as const

  test('nobody measured it: what is expected of its kind', () => {
    const view = new LatencyBook().view('stt', 'deepgram/nova-3', 'en', 0)
    expect(view).toMatchObject({ from: 'prior', samples: 0, ...priorOf('stt', 'deepgram/nova-3') })
    expect(priorOf('stt', 'deepgram/x').p50Ms).toBeLessThan(priorOf('stt', 'openai/x').p50Ms)
    expect(priorOf('llm', 'constructor/x')).toEqual(priorOf('llm', 'unheard-of/x'))
  })

  test('measuring takes over from expecting step by step, and expecting comes back in a long silence', () => {
    const book = new LatencyBook()
    const p50 = (at: number) => book.view('llm', TARGET, 'en', at).p50Ms
    const prior = p50(0)
    book.record(attempt(2000), 0)
    expect(p50(0)).toBeLessThan(2 * prior)
    for (let i = 0; i < 20; i++) book.record(attempt(2000), 0)
    expect(p50(0)).toBeGreaterThan(1800)
    expect(book.view('llm', TARGET, 'en', 0)).toMatchObject({ from: 'language', samples: 21 })
    expect(book.view('llm', TARGET, 'en', 120 * MINUTE).from).toBe('prior')
    expect(Math.abs(p50(120 * MINUTE) - prior)).toBeLessThan(prior * 0.1)
  })

  test('each language for itself; a language seldom heard takes the target’s figures', () => {
    const book = new LatencyBook()
    for (let i = 0; i < 20; i++) {
      book.record(attempt(200), 0)
      book.record(attempt(1000, { language: 'de-AT' }), 0)
    }
    expect(book.view('llm', TARGET, 'en-GB', 0).p50Ms).toBeLessThan(250)
    expect(book.view('llm', TARGET, 'de', 0).p50Ms).toBeGreaterThan(900)
    expect(book.view('llm', TARGET, 'fi', 0)).toMatchObject({ from: 'target', samples: 40 })
    expect(book.view('llm', TARGET, null, 0).from).toBe('target')
  })

  test('stalls of 3 s do not teach the hedge to wait; a provider that became slow does', () => {
    const book = new LatencyBook()
    const roll = dice()
    for (let i = 0; i < 400; i++) book.record(attempt(i % 12 === 0 ? 3000 : 250 + 150 * roll()), i * 1000)
    const now = 400_000
    expect(book.healthyMs('llm', TARGET, 'en', 0.95, now)).toBeLessThan(450)
    expect(book.view('llm', TARGET, 'en', now).p95Ms).toBeGreaterThan(450)
    for (let i = 0; i < 400; i++) book.record(attempt(3000), now + i * 1000)
    expect(book.healthyMs('llm', TARGET, 'en', 0.5, 2 * now)).toBeGreaterThan(2500)
  })

  test('a cut is no failure, a failure no speed', () => {
    const book = new LatencyBook()
    for (let i = 0; i < 20; i++) book.record(attempt(300), 0)
    for (let i = 0; i < 20; i++) book.record(attempt(10, { outcome: 'cut' }), 0)
    expect(book.view('llm', TARGET, 'en', 0)).toMatchObject({ errorRate: 0, samples: 20 })
    for (let i = 0; i < 20; i++) book.record(attempt(5, { outcome: 'failed' }), 0)
    const view = book.view('llm', TARGET, 'en', 0)
    expect(view.errorRate).toBeCloseTo(0.5)
    expect(view.p50Ms).toBeGreaterThan(250)
    expect(book.view('llm', TARGET, 'en', 20 * MINUTE).errorRate).toBeLessThan(0.01)
  })

  test('one error in one call is no rate of 100 %', () => {
    const book = new LatencyBook()
    book.record(attempt(5, { outcome: 'failed' }), 0)
    expect(book.view('llm', TARGET, 'en', 0).errorRate).toBe(0.1)
  })

  test('throughput is a mean of the last calls', () => {
    const book = new LatencyBook()
    expect(book.view('llm', TARGET, 'en', 0).unitsPerSecond).toBeNull()
    for (let i = 0; i < 100; i++) book.record(attempt(300, { unitsPerSecond: 80 }), 0)
    expect(book.view('llm', TARGET, 'en', 0).unitsPerSecond).toBeCloseTo(80)
  })

  test('is bounded, whatever languages clients make up; the oldest goes', () => {
    const book = new LatencyBook()
    for (let i = 0; i < 5000; i++) book.record(attempt(300, { target: `a/${i}`, language: `x${i}` }), i)
    expect(book.size).toBeLessThanOrEqual(2000)
    expect(book.view('llm', 'a/0', null, 5000).samples).toBe(0)
    expect(book.view('llm', 'a/4999', null, 5000).samples).toBe(1)
  })
})
