/**
 * Latencies of one target, the old ones fading: a histogram whose buckets are 15 % wide, so that any quantile is right to
 * about 7 %. 80 numbers. Nothing is decayed in place: newer samples weigh more, and all is scaled down now and then.
 */

const RATIO = 1.15
const LOG_RATIO = Math.log(RATIO)
/** The last one holds everything from about 60 s. */
const BUCKETS = 80
/** 2^40: samples of 40 half-lives ago weigh nothing by then. */
const RESCALE_AT = 2 ** 40

/** Shares of an expected distribution by bucket, summing to 1. */
export type Masses = Float64Array

export class Histogram {
  readonly #weights = new Float64Array(BUCKETS)
  readonly #halfLifeMs: number
  #total = 0
  /** When a sample weighed 1. */
  #originMs: number

  constructor(halfLifeMs: number, nowMs: number) {
    this.#halfLifeMs = halfLifeMs
    this.#originMs = nowMs
  }

  add(valueMs: number, nowMs: number): void {
    let weight = this.#weightAt(nowMs)
    if (weight > RESCALE_AT) {
      for (let i = 0; i < BUCKETS; i++) this.#weights[i]! /= weight
      this.#total /= weight
      this.#originMs = nowMs
      weight = 1
    }
    this.#weights[bucketOf(valueMs)]! += weight
    this.#total += weight
  }

  /** Samples, each counting half after a half-life. */
  count(nowMs: number): number {
    return this.#total / this.#weightAt(nowMs)
  }

  /** The value below which `q` of the samples lie, `priorCount` expected samples mixed in; NaN when there is nothing. */
  quantile(q: number, nowMs: number, prior?: Masses, priorCount = 0): number {
    const scale = this.#weightAt(nowMs)
    const expected = prior ? priorCount * scale : 0
    const wanted = q * (this.#total + expected)
    if (!(wanted > 0)) return Number.NaN
    let seen = 0
    for (let i = 0; i < BUCKETS; i++) {
      const here = this.#weights[i]! + (prior ? expected * prior[i]! : 0)
      if (here > 0 && seen + here >= wanted) return lowerOf(i) * RATIO ** ((wanted - seen) / here)
      seen += here
    }
    return lowerOf(BUCKETS)
  }

  #weightAt(nowMs: number): number {
    return 2 ** (Math.max(0, nowMs - this.#originMs) / this.#halfLifeMs)
  }
}

/** A log-normal distribution with these two quantiles, by bucket. */
export function expected(p50Ms: number, p95Ms: number): Masses {
  const middle = Math.log(Math.max(1, p50Ms))
  // 1.645 standard deviations lie between the median and p95.
  const sigma = Math.max(0.05, (Math.log(Math.max(p95Ms, p50Ms)) - middle) / 1.645)
  const below = (ms: number) =>
    0.5 * (1 + erf((Math.log(Math.max(ms, 1e-9)) - middle) / (sigma * Math.SQRT2)))
  const masses = new Float64Array(BUCKETS)
  let before = 0
  for (let i = 0; i < BUCKETS; i++) {
    const upTo = i === BUCKETS - 1 ? 1 : below(lowerOf(i + 1))
    masses[i] = upTo - before
    before = upTo
  }
  return masses
}

function bucketOf(valueMs: number): number {
  if (!(valueMs > 1)) return 0
  return Math.min(BUCKETS - 1, 1 + Math.floor(Math.log(valueMs) / LOG_RATIO))
}

function lowerOf(bucket: number): number {
  return RATIO ** (bucket - 1)
}

/** Abramowitz and Stegun 7.1.26, right to 1.5e-7. */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x))
  const poly = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t
  return Math.sign(x) * (1 - poly * Math.exp(-x * x))
}
