/**
 * Who may answer a request, by its `model`: a pipeline's name, `router/NAME` (alias `inworld/NAME`), `provider/model` (split at the
 * first slash), or a bare name that the catalogue knows. A pipeline lends its routes and its budget, not its instructions.
 */
import type { HealthView } from '../../attempt/health.ts'
import type { Hedge } from '../../attempt/hedge.ts'
import type { Candidate, Lineup, StageFacts } from '../../attempt/lineup.ts'
import type { PipelineSnapshot } from '../../attempt/snapshots.ts'
import { parseTarget } from '../../config/target.ts'
import type { Exposure } from '../../experiment/book.ts'
import type { RoutingFacts } from '../../route/context.ts'
import type { LlmAdapter } from '../../stage/llm.ts'
import type { Provider } from '../../stage/provider.ts'
import { Refusal } from '../failure.ts'

export interface PlanDeps {
  readonly snapshot: (name: string) => PipelineSnapshot | undefined
  readonly providers: ReadonlyMap<string, Provider>
  readonly health: HealthView
  /** Targets that serve a bare model name, best first. */
  readonly byName: (model: string) => readonly string[]
}

export interface Plan {
  /** Null: the request named a model and no pipeline. */
  readonly pipeline: string | null
  readonly candidates: readonly Candidate<LlmAdapter>[]
  readonly insteadOf: NonNullable<Lineup['llmInsteadOf']>
  readonly hedge: Hedge | null
  readonly exposures: readonly Exposure[]
  /** To the first useful output; null: no budget. */
  readonly turnMs: number | null
}

/** The facts once it is known what budget they are judged under. */
export type FactsFor = (turnMs: number) => RoutingFacts

/** Throws `Refusal` when nobody is called `name`. */
export function planFor(name: string, deps: PlanDeps, factsFor: FactsFor): Plan {
  const routed = /^(?:router|inworld)\/(.+)$/.exec(name)?.[1]
  const snapshot = deps.snapshot(routed ?? name)
  if (snapshot) return planOfPipeline(snapshot, factsFor)
  const candidates = routed === undefined ? candidatesNamed(name, deps) : []
  if (candidates.length === 0) {
    throw new Refusal('model_not_found', `The model '${shown(name)}' does not exist here.`, 'model')
  }
  return { pipeline: null, candidates, insteadOf: {}, hedge: null, exposures: [], turnMs: null }
}

function planOfPipeline({ pipeline, router }: PipelineSnapshot, factsFor: FactsFor): Plan {
  const facts = factsFor(pipeline.budget.turnMs)
  const stageFacts: StageFacts = () => facts
  const lineup = router.lineup(stageFacts, { voice: null, slackMs: pipeline.budget.turnMs })
  const exposure = lineup.exposure?.('llm')
  return {
    pipeline: pipeline.name,
    candidates: lineup.llm,
    insteadOf: lineup.llmInsteadOf ?? {},
    hedge: lineup.llmHedge ?? null,
    exposures: exposure ? [exposure] : [],
    turnMs: pipeline.budget.turnMs,
  }
}

/** Without a pipeline: the target itself, or those that serve a model of this name. */
export function candidatesNamed(name: string, { providers, byName }: PlanDeps): Candidate<LlmAdapter>[] {
  const own = present(name, providers)
  return own ? [own] : byName(name).flatMap((target) => present(target, providers) ?? [])
}

function present(id: string, providers: PlanDeps['providers']): Candidate<LlmAdapter> | undefined {
  const target = parseTarget(id)
  const adapter = target && providers.get(target.provider)?.llm?.(target.model)
  return target && adapter && { adapter, provider: target.provider, model: target.model, route: '' }
}

/** A client's own word, in an error to that client: cut to what a name may be. */
function shown(name: string): string {
  return name.length <= 200 ? name : `${name.slice(0, 200)}…`
}
