/**
 * Preferences applied to targets: who may be asked, in which order, who may not and why, and what of the preferences, or of the
 * usual stickiness, could not be kept. Pure; filters, sorting and circuits are those of `route/`.
 */
import {
  type Candidate,
  candidatesOf,
  type Filter,
  NO_FILTER,
  type Target,
  type TargetFacts,
} from '../../route/candidates.ts'
import { type Pin, preferred } from '../../route/prefer.ts'
import { type PricesOf, tooDear } from './ceiling.ts'
import type { Choice } from './choices.ts'
import type { Needs } from './needs.ts'
import { named, namedFirst, placeIn, sortedBy, withinFirst } from './order.ts'
import type { Preferences } from './preferences.ts'
import { APPROXIMATE } from './sort-words.ts'
import { pinned } from './stick.ts'

export interface Known<T extends Target> {
  readonly factsOf: (target: T) => TargetFacts
  /** Asked when there is a `max_price`; left out: no price is known. */
  readonly pricesOf?: PricesOf
  /** Of the request's body; left out: nothing special. */
  readonly needs?: Needs
  /** The target that holds the conversation's prompt cache; left out: none. */
  readonly pin?: Pin | null
}

export interface Strategy {
  /** `direct`: one model. `fallback`: several, in their order. `auto`: the best of a pool. */
  readonly kind: 'direct' | 'fallback' | 'auto'
  /** What made the order, the first to act first: `models`, `order`, `sort price`, `preferred`, `stickiness`. */
  readonly by: readonly string[]
  /** The target that stays in front because it holds the conversation; null: none does. */
  readonly stuckTo: string | null
  /** What was not kept, and why; told, so that nothing is lost in silence. */
  readonly lost: readonly string[]
}

export interface Applied<T extends Target> {
  /** To be tried, best first. */
  readonly order: readonly Choice<T>[]
  readonly refused: readonly { readonly target: T; readonly why: string }[]
  readonly strategy: Strategy
}

const NO_NEEDS: Needs = { capabilities: [], unknown: [] }

export function applyPreferences<T extends Target>(
  choices: readonly Choice<T>[],
  preferences: Preferences,
  known: Known<T>,
): Applied<T> {
  const { needs = NO_NEEDS, pin = null } = known
  const groups = grouped(allowed(choices, preferences, known), preferences)
  const ordered = groups.flatMap((group) => arranged(group, preferences))
  const liked = withinFirst(ordered, preferences)
  const usable = liked.filter(({ refused }) => refused === null)
  const stick = pinned(usable, { pin, order: preferences.order, group: firstGroup(preferences) })
  const final = preferred(liked, { pin: stick.pin, slackMs: null })
  const first = final[0]
  return {
    order: final.flatMap(({ target, refused }) => (refused === null ? [target] : [])),
    refused: final.flatMap(({ target, refused }) =>
      refused === null ? [] : [{ target: target.target, why: refused }],
    ),
    strategy: {
      kind: preferences.auto
        ? 'auto'
        : new Set(choices.map(({ group }) => group)).size > 1
          ? 'fallback'
          : 'direct',
      by: whatActed(preferences, stick.pin, usable),
      stuckTo:
        stick.pin && first?.refused === null && first.target.id === stick.pin.target ? first.target.id : null,
      lost: [...stick.lost, ...notKept(preferences, needs)],
    },
  }
}

type Chosen<T extends Target> = Candidate<Choice<T>>

/** Filters first: who is refused has no place in an order. */
function allowed<T extends Target>(
  choices: readonly Choice<T>[],
  { only, ignore, maxPrice, requireParameters, capabilities }: Preferences,
  { factsOf, pricesOf, needs = NO_NEEDS }: Known<T>,
): Chosen<T>[] {
  const required = requireParameters ? [...capabilities, ...needs.capabilities] : capabilities
  const filter: Filter = {
    ...NO_FILTER,
    only: named(only, choices),
    ignore: named(ignore, choices),
    capabilities: required,
  }
  const facts = ({ target }: Choice<T>) => factsOf(target)
  const wanted = { language: null, capabilities: requireParameters ? [] : needs.capabilities }
  return candidatesOf(choices, filter, wanted, facts).map((one) => {
    if (one.refused !== null || !maxPrice) return one
    const refused = tooDear(pricesOf?.(one.target.id) ?? { prompt: null, completion: null }, maxPrice)
    return { ...one, refused }
  })
}

/** What is arranged among itself: each model's targets, or all of them where the request says so. */
function grouped<T extends Target>(
  candidates: readonly Chosen<T>[],
  { auto, partition }: Preferences,
): readonly (readonly Chosen<T>[])[] {
  if (auto || partition === 'none') return [candidates]
  const groups = new Map<number, Chosen<T>[]>()
  for (const one of candidates) {
    const group = groups.get(one.target.group)
    if (group) group.push(one)
    else groups.set(one.target.group, [one])
  }
  return [...groups.values()]
}

function arranged<T extends Target>(group: readonly Chosen<T>[], preferences: Preferences): Chosen<T>[] {
  const { auto, partition, order, allowFallbacks } = preferences
  const suffix = auto || partition === 'none' ? null : (group[0]?.target.wish.sort ?? null)
  const sorted = namedFirst(sortedBy(group, suffix ? [suffix] : preferences.sort), order)
  if (allowFallbacks) return sorted
  const open = sorted.filter(({ refused }) => refused === null)
  const stay =
    order.length > 0 ? open.filter(({ target }) => placeIn(order, target) < order.length) : open.slice(0, 1)
  return sorted.map((one) =>
    one.refused !== null || stay.includes(one) ? one : { ...one, refused: 'fallbacks are not allowed' },
  )
}

/** Which targets may keep the conversation. */
function firstGroup({ auto, partition }: Preferences): 'first' | 'any' {
  return auto || partition === 'none' ? 'any' : 'first'
}

function whatActed<T extends Target>(
  { auto, order, sort, minThroughput, maxLatencyMs }: Preferences,
  pin: Pin | null,
  usable: readonly Chosen<T>[],
): readonly string[] {
  const suffixes = new Set(usable.flatMap(({ target: { wish } }) => (wish.sort ? [wish.sort.asked] : [])))
  return [
    ...(!auto && usable.some(({ target }) => target.group > 0) ? ['models'] : []),
    ...(order.length > 0 ? ['order'] : []),
    ...sort.map(({ asked }) => `sort ${asked}`),
    ...(auto ? [] : suffixes),
    ...(minThroughput || maxLatencyMs ? ['preferred'] : []),
    ...(pin ? ['stickiness'] : []),
  ]
}

function notKept(
  { sort, requireParameters, maxLatencyMs }: Preferences,
  { unknown }: Needs,
): readonly string[] {
  const percentiles = (['p75', 'p99'] as const).filter((name) => maxLatencyMs?.[name] !== undefined)
  return [
    ...sort.flatMap(({ asked }) =>
      APPROXIMATE.includes(asked)
        ? [`sort ${asked}: by the one table of quality, for there is none of its own`]
        : [],
    ),
    ...percentiles.map(
      (name) => `preferred_max_latency.${name}: judged by ${name === 'p75' ? 'p90' : 'p95'}`,
    ),
    ...(requireParameters
      ? unknown.map((name) => `require_parameters: not known of any target for ${name}`)
      : []),
  ]
}
