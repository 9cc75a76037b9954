/**
 * Who is called by a name: a pipeline's, `router/NAME` (alias `inworld/NAME`), `provider/model` (split at the first slash), or a bare
 * name that the catalogue knows. A pipeline lends its routes and its budget, not its instructions.
 */
import type { Hedge } from '../../attempt/hedge.ts'
import type { Candidate, Lineup } from '../../attempt/lineup.ts'
import type { PipelineSnapshot } from '../../attempt/snapshots.ts'
import { parseTarget } from '../../config/target.ts'
import type { Exposure } from '../../experiment/book.ts'
import type { RoutingFacts } from '../../route/context.ts'
import type { LlmAdapter } from '../../stage/llm.ts'
import type { Provider } from '../../stage/provider.ts'

export interface ResolveDeps {
  readonly snapshot: (name: string) => PipelineSnapshot | undefined
  readonly providers: ReadonlyMap<string, Provider>
  /** Targets that serve a bare model name, best first. */
  readonly byName: (model: string) => readonly string[]
}

export interface Named {
  /** Null: the name is a model's and no pipeline's. */
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

/** Undefined: nobody is called so. */
export function resolve(name: string, deps: ResolveDeps, factsFor: FactsFor): Named | undefined {
  const routed = /^(?:router|inworld)\/(.+)$/.exec(name)?.[1]
  const snapshot = deps.snapshot(routed ?? name)
  if (snapshot) return ofPipeline(snapshot, factsFor)
  const candidates = routed === undefined ? ofModel(name, deps) : []
  if (candidates.length === 0) return undefined
  return { pipeline: null, candidates, insteadOf: {}, hedge: null, exposures: [], turnMs: null }
}

function ofPipeline({ pipeline, router }: PipelineSnapshot, factsFor: FactsFor): Named {
  const { turnMs } = pipeline.budget
  const facts = factsFor(turnMs)
  const lineup = router.lineup(() => facts, { voice: null, slackMs: turnMs })
  const exposure = lineup.exposure?.('llm')
  return {
    pipeline: pipeline.name,
    candidates: lineup.llm,
    insteadOf: lineup.llmInsteadOf ?? {},
    hedge: lineup.llmHedge ?? null,
    exposures: exposure ? [exposure] : [],
    turnMs,
  }
}

/** The target itself, or those that serve a model of this name. */
function ofModel(name: string, { providers, byName }: ResolveDeps): Candidate<LlmAdapter>[] {
  const own = present(name, providers)
  return own ? [own] : byName(name).flatMap((target) => present(target, providers) ?? [])
}

function present(id: string, providers: ResolveDeps['providers']): Candidate<LlmAdapter> | undefined {
  const target = parseTarget(id)
  const adapter = target && providers.get(target.provider)?.llm?.(target.model)
  return target && adapter && { adapter, provider: target.provider, model: target.model, route: '' }
}
