/** Figures that may be looked at after every conversation, and still are wrong in at most one experiment of twenty. */
import { expect, test } from 'vitest'
import { differenceInterval, Moments, meanInterval } from '../../src/experiment/stats.ts'

function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return (state >>> 0) / 2 ** 32
  }
}

/** Latencies as they are: skewed, about 800 ms, a few of several seconds. */
const latency = (random: () => number) =>
  500 * Math.exp(0.5 * (random() + random() + random() + random() - 2)) + (random() < 0.02 ? 3000 : 0)
const errors = (rate: number) => (random: () => number) => (random() < rate ? 1 : 0)

/** The share of experiments in which somebody who looks after every pair of conversations ever sees an effect. */
function seen(
  runs: number,
  each: number,
  a: (r: () => number) => number,
  b: (r: () => number) => number,
  controls = 1,
): number {
  let found = 0
  for (let run = 0; run < runs; run++) {
    const random = seeded(run * 7919 + 3)
    const [control, treated] = [new Moments(), new Moments()]
    for (let n = 0; n < each; n++) {
      for (let i = 0; i < controls; i++) control.add(a(random))
      treated.add(b(random))
      const between = differenceInterval(treated, control)
      if (between && (between.low > 0 || between.high < 0)) {
        found++
        break
      }
    }
  }
  return found / runs
}

/** The same with the interval that is right only once. */
function seenNaively(runs: number, each: number, a: (r: () => number) => number): number {
  let found = 0
  for (let run = 0; run < runs; run++) {
    const random = seeded(run * 7919 + 3)
    const [control, treated] = [new Moments(), new Moments()]
    for (let n = 0; n < each; n++) {
      control.add(a(random))
      treated.add(a(random))
      if (n < 30) continue
      const error = Math.sqrt(control.variance / control.n + treated.variance / treated.n)
      if (Math.abs(treated.mean - control.mean) > 1.96 * error) {
        found++
        break
      }
    }
  }
  return found / runs
}

test('nothing is found where there is nothing, however often one looks', () => {
  expect(seen(1000, 1000, latency, latency)).toBeLessThanOrEqual(0.05)
  expect(seen(1000, 1000, errors(0.05), errors(0.05))).toBeLessThanOrEqual(0.05)
  expect(seen(500, 500, latency, latency, 9)).toBeLessThanOrEqual(0.05)
  // What it is for: with the ordinary interval a third of such experiments would "win".
  expect(seenNaively(1000, 1000, latency)).toBeGreaterThan(0.25)
})

test('a real effect is found', () => {
  expect(seen(200, 1500, latency, (random) => latency(random) + 150)).toBeGreaterThan(0.95)
  expect(seen(200, 1500, errors(0.02), errors(0.08))).toBeGreaterThan(0.95)
})

test('few conversations tell nothing; more tell it more narrowly', () => {
  const random = seeded(5)
  const moments = new Moments()
  const widths: number[] = []
  for (let n = 1; n <= 3000; n++) {
    moments.add(latency(random))
    if (n === 29) expect(meanInterval(moments)).toBeNull()
    const interval = n === 100 || n === 1000 || n === 3000 ? meanInterval(moments) : null
    if (interval) widths.push(interval.high - interval.low)
  }
  expect(widths[1]).toBeLessThan(widths[0] as number)
  expect(widths[2]).toBeLessThan(widths[1] as number)
})

test('a value that is replaced leaves no trace', () => {
  const [kept, changed] = [new Moments(), new Moments()]
  for (const value of [3, 1, 4, 1, 5]) {
    kept.add(value)
    changed.add(value)
  }
  changed.add(99)
  changed.remove(99)
  expect(changed.n).toBe(kept.n)
  expect(changed.mean).toBeCloseTo(kept.mean, 9)
  expect(changed.variance).toBeCloseTo(kept.variance, 9)
  const one = new Moments()
  one.add(7)
  one.remove(7)
  expect([one.n, one.mean, one.variance]).toEqual([0, 0, 0])
})
