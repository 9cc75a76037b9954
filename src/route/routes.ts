/** The routes of a stage, compiled when their pipeline is loaded; at each turn the first whose condition holds. */
import type { StageName } from '../errors.ts'
import type { Filter, Target } from './candidates.ts'
import { type Condition, type ConditionFault, compileCondition } from './condition.ts'
import type { RoutingContext } from './context.ts'
import type { Failure } from './failure.ts'
import type { SortKey } from './sort.ts'
import { type Draw, drawOf, sharesOf } from './variants.ts'

/** As `config/pipeline.ts` has them; what is optional here may come to the schema later. */
export interface TargetList<T extends Target = Target> {
  readonly type: 'list'
  readonly targets: readonly T[]
  readonly sort: readonly SortKey[]
  readonly filter?: Filter
  /** By target, for `sort: [weighted]`. */
  readonly weights?: Readonly<Record<string, number>>
}

export interface Experiment<T extends Target = Target> {
  readonly type: 'experiment'
  readonly experiment: string | null
  readonly sticky: string | null
  readonly variants: readonly { readonly id: string; readonly weight: number; readonly use: TargetList<T> }[]
}

export interface RouteShape<T extends Target = Target> {
  readonly name: string
  readonly when: string | null
  readonly use: TargetList<T> | Experiment<T>
}

export interface CompiledRoute<R extends RouteShape = RouteShape> {
  readonly route: R
  /** Null: always taken. */
  readonly condition: Condition | null
  readonly draw: Draw | null
  readonly shares: readonly number[]
}

export interface CompiledRoutes<R extends RouteShape = RouteShape> {
  readonly stage: StageName
  readonly routes: readonly CompiledRoute<R>[]
}

/** Where in a stage's routes something is, and what; `offset` is into the text of `when`. */
export interface RouteProblem {
  readonly severity: 'error' | 'warning'
  /** Inside the stage's `routes`: `[0, 'when']`. */
  readonly path: readonly (string | number)[]
  readonly offset: number | null
  readonly message: string
}

export interface CompileOptions {
  readonly stage: StageName
  /** Every target of the pipeline; null: not checked. */
  readonly targets: readonly string[] | null
}

/** `compiled` is there when no problem is an error. */
export function compileRoutes<R extends RouteShape>(
  routes: readonly R[],
  { stage, targets }: CompileOptions,
): { readonly compiled: CompiledRoutes<R> | null; readonly problems: readonly RouteProblem[] } {
  const problems: RouteProblem[] = []
  const compiled = routes.map((route, i): CompiledRoute<R> => {
    const told = (faults: readonly ConditionFault[]) =>
      problems.push(...faults.map((fault) => ({ severity: 'error' as const, path: [i, 'when'], ...fault })))
    const result = route.when === null ? null : compileCondition(route.when, { stage, targets })
    if (result && !result.ok) told(result.faults)
    const always = route.when === null && i < routes.length - 1
    if (always) {
      const message = `${route.name} has no condition, so the routes after it are never taken`
      problems.push({ severity: 'warning', path: [i], offset: null, message })
    }
    const { draw, shares, note } = dealt(route)
    if (note !== null) {
      problems.push({ severity: 'warning', path: [i, 'variants'], offset: null, message: note })
    }
    return { route, condition: result?.ok ? result.condition : null, draw, shares }
  })
  const broken = problems.some(({ severity }) => severity === 'error')
  return { compiled: broken ? null : { stage, routes: compiled }, problems }
}

function dealt({
  name,
  use,
}: RouteShape): Pick<CompiledRoute, 'draw' | 'shares'> & { readonly note: string | null } {
  if (use.type === 'list') return { draw: null, shares: [], note: null }
  return { draw: drawOf(use.experiment ?? name, use.variants), ...sharesOf(use.variants) }
}

/** What became of each rule, in order, up to the one that was taken. */
export type Trial = boolean | Failure

export interface Choice<R extends RouteShape = RouteShape> {
  /** Null when no condition holds and none is without. */
  readonly chosen: CompiledRoute<R> | null
  readonly trials: readonly Trial[]
}

export function chooseRoute<R extends RouteShape>(
  { routes }: CompiledRoutes<R>,
  context: RoutingContext,
): Choice<R> {
  const trials: Trial[] = []
  for (const one of routes) {
    const trial = one.condition === null ? true : one.condition.judge(context)
    trials.push(trial)
    if (trial === true) return { chosen: one, trials }
  }
  return { chosen: null, trials }
}
