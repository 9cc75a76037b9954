/**
 * One decision: the route, the variant, and the targets in the order they are to be tried, with all that explains it.
 * Pure: the caller brings the facts, and does the trying, counting and recording.
 */
import type { StageName } from '../errors.ts'
import {
  type Candidate,
  candidatesOf,
  type Needs,
  NO_FILTER,
  type Target,
  type TargetFacts,
} from './candidates.ts'
import type { RoutingContext } from './context.ts'
import { type Preference, preferred } from './prefer.ts'
import {
  type CompiledRoute,
  type CompiledRoutes,
  chooseRoute,
  type RouteShape,
  type TargetList,
  type Trial,
} from './routes.ts'
import { sorted } from './sort.ts'
import { stickyKey } from './sticky.ts'

/** The target type of a route type. */
export type TargetOf<R> = R extends RouteShape<infer T> ? T : never

export interface Ask<T extends Target> {
  readonly context: RoutingContext
  readonly factsOf: (target: T) => TargetFacts
  readonly needs: Needs
  readonly preference: Preference
  /** Variants that nobody new is dealt; left out: none. */
  readonly isStopped?: (experiment: string, variant: string) => boolean
}

export interface Assignment {
  /** The experiment's name, or its route's. */
  readonly experiment: string
  readonly variant: string
  /** 0–1. */
  readonly share: number
  /** The path whose value decided; the value itself is the caller's and is not kept. */
  readonly by: string
  /** What would have been dealt before, and was stopped. */
  readonly passedOver: readonly string[]
}

export interface Decision<R extends RouteShape = RouteShape> {
  readonly stage: StageName
  readonly routes: CompiledRoutes<R>
  readonly trials: readonly Trial[]
  readonly route: R | null
  readonly assignment: Assignment | null
  /** Those to try in order, then those refused. Empty without a route. */
  readonly candidates: readonly Candidate<TargetOf<R>>[]
}

export function decide<R extends RouteShape>(routes: CompiledRoutes<R>, ask: Ask<TargetOf<R>>): Decision<R> {
  const { stage } = routes
  const { chosen, trials } = chooseRoute(routes, ask.context)
  if (!chosen) return { stage, routes, trials, route: null, assignment: null, candidates: [] }
  const { assignment, list } = assigned(chosen, ask)
  const { facts } = ask.context
  const targets = list.targets as readonly TargetOf<R>[]
  const all = candidatesOf(targets, list.filter ?? NO_FILTER, ask.needs, ask.factsOf)
  const order = sorted(all, {
    sort: list.sort,
    weights: list.weights ?? {},
    key: facts.session.id,
    name: chosen.route.name,
  })
  const candidates = preferred(order, ask.preference)
  return { stage, routes, trials, route: chosen.route, assignment, candidates }
}

/** Targets to try, best first. */
export function usable<R extends RouteShape>({ candidates }: Decision<R>): TargetOf<R>[] {
  return candidates.filter(({ refused }) => refused === null).map(({ target }) => target)
}

function assigned<T extends Target>(
  { route, draw, shares }: CompiledRoute,
  { context: { facts }, isStopped = () => false }: Ask<T>,
): {
  readonly assignment: Assignment | null
  readonly list: TargetList
} {
  const { use } = route
  if (use.type === 'list') return { assignment: null, list: use }
  const { key, by } = stickyKey(use.sticky, facts)
  const experiment = use.experiment ?? route.name
  const passedOver: string[] = []
  let index = Math.max(0, draw?.pick(key) ?? 0)
  let variant = use.variants[index]
  if (!variant) throw new TypeError('an experiment without variants, which the schema should have refused')
  if (isStopped(experiment, variant.id)) {
    // The next longest straws: only those who would have had a stopped variant move.
    const next = draw?.order(key).find((one) => !isStopped(experiment, use.variants[one]?.id ?? ''))
    passedOver.push(variant.id)
    index = next ?? 0
    variant = use.variants[index] ?? variant
  }
  const assignment = { experiment, variant: variant.id, share: shares[index] ?? 0, by, passedOver }
  return { assignment, list: variant.use }
}
