/** The order of candidates by what a list asks for: `sort`, most important first; equals stay as they are written. Pure. */
import type { Candidate, Target } from './candidates.ts'
import { drawOf } from './variants.ts'

export const SORT_KEYS = [
  'latency',
  'latency-p90',
  'latency-p95',
  'price',
  'throughput',
  'quality',
  'least-busy',
  'weighted',
] as const
export type SortKey = (typeof SORT_KEYS)[number]

export interface SortOptions {
  readonly sort: readonly SortKey[]
  /** For `weighted`; a target without one has the weight 1. */
  readonly weights: Readonly<Record<string, number>>
  /** What a weighted order sticks to: a conversation keeps its target. */
  readonly key: string
  /** Keeps one route's weighted order apart from another's. */
  readonly name: string
}

/** Two latencies or throughputs are told apart from 15 % on: less is noise, and would hide the next key. */
const STEP = Math.log(1.15)

export function sorted<T extends Target>(
  candidates: readonly Candidate<T>[],
  options: SortOptions,
): Candidate<T>[] {
  const { sort } = options
  if (sort.length === 0) return [...candidates]
  const places = sort.includes('weighted') ? weightedPlaces(candidates, options) : []
  const scored = candidates.map((candidate, i) => ({
    candidate,
    scores: sort.map((key) => scoreOf(candidate, key, places[i] ?? 0)),
  }))
  return scored.sort((a, b) => compare(a.scores, b.scores)).map(({ candidate }) => candidate)
}

/** Lower is better; what is not known comes last. */
function scoreOf({ facts }: Candidate, key: SortKey, place: number): number {
  const { latency, priceUsd, quality, inFlight } = facts
  switch (key) {
    case 'latency':
      return step(latency.p50Ms)
    case 'latency-p90':
      return step(latency.p90Ms)
    case 'latency-p95':
      return step(latency.p95Ms)
    case 'price':
      return priceUsd ?? Number.POSITIVE_INFINITY
    case 'throughput':
      return latency.unitsPerSecond === null ? Number.POSITIVE_INFINITY : -step(latency.unitsPerSecond)
    case 'quality':
      return quality === null ? Number.POSITIVE_INFINITY : -quality
    case 'least-busy':
      return inFlight
    case 'weighted':
      return place
    default: {
      const never: never = key
      return never
    }
  }
}

function step(value: number): number {
  return Math.round(Math.log(Math.max(1, value)) / STEP)
}

function weightedPlaces(candidates: readonly Candidate[], { weights, key, name }: SortOptions): number[] {
  const order = drawOf(
    name,
    candidates.map(({ target }) => ({ id: target.id, weight: weights[target.id] ?? 1 })),
  ).order(key)
  const places = candidates.map(() => candidates.length)
  order.forEach((index, place) => {
    places[index] = place
  })
  return places
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) {
    // Not a difference: two infinities have none.
    if (a[i]! < b[i]!) return -1
    if (a[i]! > b[i]!) return 1
  }
  return 0
}
