/** Candidates in a client's order: named ones first, then by its sort keys, all stable. Pure. */
import type { Candidate, Target } from '../../route/candidates.ts'
import { type SortKey, sorted } from '../../route/sort.ts'
import type { Cutoffs, Sort } from './preferences.ts'

/**
 * What `list` names, as the filters of `route/` compare it: the ids of the targets it means. A list that names none of them
 * stays as it is, since an empty one would ask for nothing.
 */
export function named(list: readonly string[], targets: readonly Target[]): readonly string[] {
  const ids = targets.filter((target) => placeIn(list, target) < list.length).map(({ id }) => id)
  return ids.length > 0 ? ids : list
}

/** The place in `order`; behind all of it where it is not named. */
export function placeIn(order: readonly string[], { id, provider }: Target): number {
  const place = order.findIndex((name) => name === provider.toLowerCase() || name === id.toLowerCase())
  return place < 0 ? order.length : place
}

export function namedFirst<T extends Target>(
  candidates: readonly Candidate<T>[],
  order: readonly string[],
): Candidate<T>[] {
  if (order.length === 0) return [...candidates]
  return candidates.toSorted((a, b) => placeIn(order, a.target) - placeIn(order, b.target))
}

/** The least important key first: each sort is stable, so the last one decides and the others break its ties. */
export function sortedBy<T extends Target>(
  candidates: readonly Candidate<T>[],
  sorts: readonly Sort[],
): Candidate<T>[] {
  return sorts.toReversed().reduce(sortedByOne, [...candidates])
}

function sortedByOne<T extends Target>(
  candidates: Candidate<T>[],
  { key, worstFirst }: Sort,
): Candidate<T>[] {
  const by = (list: readonly Candidate<T>[]) => sorted(list, { sort: [key], weights: {}, key: '', name: '' })
  if (!worstFirst) return by(candidates)
  const known = candidates.filter((one) => isKnown(one, key))
  const unknown = candidates.filter((one) => !isKnown(one, key))
  // Turned twice, so that equals stay as they were; what is not known comes last either way.
  return [...by(known.toReversed()).reverse(), ...unknown]
}

function isKnown({ facts }: Candidate, key: SortKey): boolean {
  if (key === 'price') return facts.priceUsd !== null
  if (key === 'throughput') return facts.latency.unitsPerSecond !== null
  return key !== 'quality' || facts.quality !== null
}

/** Those within all cutoffs first. What is not measured is no reason to go back. */
export function withinFirst<T extends Target>(
  candidates: readonly Candidate<T>[],
  {
    minThroughput,
    maxLatencyMs,
  }: { readonly minThroughput: Cutoffs | null; readonly maxLatencyMs: Cutoffs | null },
): Candidate<T>[] {
  const within = ({ facts: { latency } }: Candidate) => {
    const { p50Ms, p90Ms, p95Ms, unitsPerSecond } = latency
    // p75 and p99 are not kept: the next percentile that is stands for each.
    const slow = { p50: p50Ms, p75: p90Ms, p90: p90Ms, p99: p95Ms }
    const fits = entries(maxLatencyMs).every(([name, most]) => slow[name] <= most)
    return (
      fits &&
      (unitsPerSecond === null || entries(minThroughput).every(([, least]) => unitsPerSecond >= least))
    )
  }
  const [good, rest] = [candidates.filter(within), candidates.filter((one) => !within(one))]
  return [...good, ...rest.map((one) => ({ ...one, notes: [...one.notes, 'beyond what was preferred'] }))]
}

function entries(cutoffs: Cutoffs | null): readonly (readonly ['p50' | 'p75' | 'p90' | 'p99', number])[] {
  return Object.entries(cutoffs ?? {}) as ['p50' | 'p75' | 'p90' | 'p99', number][]
}
