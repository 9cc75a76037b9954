/**
 * What is known of every target's speed and health: decayed quantiles of the time to the first useful output, for each
 * target and language, priors until there is traffic, errors and throughput. A hedge's threshold has a histogram of its
 * own, of healthy attempts only: stalls must not teach it to wait. Pure: whoever records brings the time.
 */
import type { StageName } from '../errors.ts'
import { expected, Histogram, type Masses } from './histogram.ts'
import { primaryTag } from './language.ts'
import { type Prior, priorOf } from './priors.ts'

export interface AttemptFact {
  readonly stage: StageName
  /** `provider/model`. */
  readonly target: string
  readonly language: string | null
  /**
   * `ok`: came. `failed`: an error or a deadline that is the provider's fault. `cut`: ended by us before anything came (a lost
   * hedge, a barge-in): it took at least so long, and is no failure.
   */
  readonly outcome: 'ok' | 'failed' | 'cut'
  /** To the first useful output, or to the end of an attempt without any. */
  readonly ms: number
  /** Tokens a second (LLM), or seconds of audio a second (STT, TTS); null: not measured. */
  readonly unitsPerSecond: number | null
}

export interface LatencyView {
  readonly p50Ms: number
  readonly p90Ms: number
  readonly p95Ms: number
  /** Decayed count behind it. */
  readonly samples: number
  /** `language`: of this very language. `target`: of all its languages. `prior`: mostly expectation. */
  readonly from: 'language' | 'target' | 'prior'
  readonly errorRate: number
  readonly unitsPerSecond: number | null
}

/** Ten minutes: long enough for a p95 at a turn a minute, short enough to notice a bad hour. */
const HALF_LIFE_MS = 600_000
/** Errors are believed and forgiven sooner. */
const ERROR_HALF_LIFE_MS = 120_000
/** From as many samples on a target is known; below, expectation fills up. */
const KNOWN_FROM = 10
/** An attempt this many medians long is a stall, and no lesson for the hedge. */
const STALL_MEDIANS = 4
/** Unless so many are: then the provider has become slower and the threshold must follow. */
const NEW_NORMAL = 0.25
/** Targets times languages; the least recently used goes. */
const MAX_SERIES = 2000

interface Series {
  readonly all: Histogram
  readonly healthy: Histogram
  readonly prior: Prior
  readonly masses: Masses
  readonly errors: Fading
  readonly stalls: Fading
  units: { value: number; weight: number } | null
  usedAt: number
}

export class LatencyBook {
  readonly #series = new Map<string, Series>()
  #uses = 0
  readonly #priorOf: typeof priorOf

  /** `prior` left out: by provider and stage alone. One object a target, always the same. */
  constructor(prior: typeof priorOf = priorOf) {
    this.#priorOf = prior
  }

  record(fact: AttemptFact, nowMs: number): void {
    const { stage, target, language } = fact
    const tag = primaryTag(language)
    for (const key of tag === null ? [target] : [target, `${target} ${tag}`]) {
      learn(this.#seriesFor(`${stage} ${key}`, stage, target, nowMs), fact, nowMs)
    }
  }

  view(stage: StageName, target: string, language: string | null, nowMs: number): LatencyView {
    const { series, from } = this.#best(stage, target, language, nowMs)
    if (!series) {
      const { p50Ms, p95Ms } = this.#priorOf(stage, target)
      const p90Ms = Math.round(p50Ms * (p95Ms / p50Ms) ** (1.2816 / 1.645))
      return { p50Ms, p90Ms, p95Ms, samples: 0, from: 'prior', errorRate: 0, unitsPerSecond: null }
    }
    const samples = series.all.count(nowMs)
    const at = (q: number) => Math.round(series.all.quantile(q, nowMs, series.masses, expectedCount(samples)))
    return {
      p50Ms: at(0.5),
      p90Ms: at(0.9),
      p95Ms: at(0.95),
      samples: Math.round(samples * 10) / 10,
      from: samples < KNOWN_FROM ? 'prior' : from,
      errorRate: series.errors.share(nowMs),
      unitsPerSecond: series.units === null ? null : series.units.value,
    }
  }

  /** How long a healthy attempt takes in all but 1 − `q` of cases: when to start a hedge. */
  healthyMs(stage: StageName, target: string, language: string | null, q: number, nowMs: number): number {
    const { series } = this.#best(stage, target, language, nowMs)
    if (!series) {
      const prior = this.#priorOf(stage, target)
      return Math.round(new Histogram(1, 0).quantile(q, 0, massesOf(prior), 1))
    }
    return Math.round(healthyAt(series, q, nowMs))
  }

  get size(): number {
    return this.#series.size
  }

  /** The language's own series once it is known, else the target's. */
  #best(stage: StageName, target: string, language: string | null, nowMs: number) {
    const tag = primaryTag(language)
    const own = tag === null ? undefined : this.#series.get(`${stage} ${target} ${tag}`)
    if (own && own.all.count(nowMs) >= KNOWN_FROM) return { series: own, from: 'language' as const }
    return { series: this.#series.get(`${stage} ${target}`), from: 'target' as const }
  }

  #seriesFor(key: string, stage: StageName, target: string, nowMs: number): Series {
    let series = this.#series.get(key)
    if (!series) {
      if (this.#series.size >= MAX_SERIES) this.#forgetOne()
      const prior = this.#priorOf(stage, target)
      series = {
        all: new Histogram(HALF_LIFE_MS, nowMs),
        healthy: new Histogram(HALF_LIFE_MS, nowMs),
        prior,
        masses: massesOf(prior),
        errors: new Fading(ERROR_HALF_LIFE_MS),
        stalls: new Fading(ERROR_HALF_LIFE_MS),
        units: null,
        usedAt: 0,
      }
      this.#series.set(key, series)
    }
    series.usedAt = ++this.#uses
    return series
  }

  /** The longest unused. A map that is set again at each use would be rebuilt every few uses. */
  #forgetOne(): void {
    let oldest: string | undefined
    let oldestAt = Number.POSITIVE_INFINITY
    for (const [key, { usedAt }] of this.#series) if (usedAt < oldestAt) [oldest, oldestAt] = [key, usedAt]
    if (oldest !== undefined) this.#series.delete(oldest)
  }
}

const massesByPrior = new WeakMap<Prior, Masses>()

/** One array for all targets of which the same is expected. */
function massesOf(prior: Prior): Masses {
  let masses = massesByPrior.get(prior)
  if (!masses) {
    masses = expected(prior.p50Ms, prior.p95Ms)
    massesByPrior.set(prior, masses)
  }
  return masses
}

function learn(series: Series, { outcome, ms, unitsPerSecond }: AttemptFact, nowMs: number): void {
  if (!(ms >= 0)) return
  if (outcome !== 'cut') series.errors.add(outcome === 'failed' ? 1 : 0, nowMs)
  // A failure says how soon it fails, which is no speed. What was cut would have taken longer than its time.
  if (outcome === 'failed') return
  const stall = ms > STALL_MEDIANS * healthyAt(series, 0.5, nowMs)
  if (outcome === 'ok' || stall) series.all.add(ms, nowMs)
  series.stalls.add(stall ? 1 : 0, nowMs)
  if (outcome === 'ok' && (!stall || series.stalls.share(nowMs) > NEW_NORMAL)) series.healthy.add(ms, nowMs)
  if (unitsPerSecond !== null && unitsPerSecond > 0) {
    const before = series.units ?? { value: unitsPerSecond, weight: 0 }
    const weight = Math.min(before.weight + 1, 20)
    series.units = { value: before.value + (unitsPerSecond - before.value) / weight, weight }
  }
}

function healthyAt({ healthy, masses }: Series, q: number, nowMs: number): number {
  return healthy.quantile(q, nowMs, masses, expectedCount(healthy.count(nowMs)))
}

/** Expectation steps back sample by sample, and comes forward again when there is no traffic. */
function expectedCount(samples: number): number {
  return Math.max(KNOWN_FROM - samples, samples === 0 ? 1 : 0)
}

/** A share whose samples fade. Ten expected good ones: one error in one call is no rate of 100 %. */
class Fading {
  readonly #halfLifeMs: number
  #ones = 0
  #all = 0
  #at = 0

  constructor(halfLifeMs: number) {
    this.#halfLifeMs = halfLifeMs
  }

  add(one: 0 | 1, nowMs: number): void {
    this.#fade(nowMs)
    this.#ones += one
    this.#all += 1
  }

  share(nowMs: number): number {
    this.#fade(nowMs)
    return this.#ones / Math.max(this.#all, KNOWN_FROM)
  }

  #fade(nowMs: number): void {
    const factor = 2 ** (-Math.max(0, nowMs - this.#at) / this.#halfLifeMs)
    this.#ones *= factor
    this.#all *= factor
    this.#at = Math.max(nowMs, this.#at)
  }
}
