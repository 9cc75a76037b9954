/**
 * Who may recognise, or who may speak, for one HTTP request: by its `model` as for language models, a pipeline's name, `router/NAME`,
 * `auto` (the default pipeline), `provider/model`, or a bare name that the catalogue knows. A pipeline lends its routes, its voices, its language and its budget.
 */
import type { Candidate, StageFacts } from '../attempt/lineup.ts'
import type { PipelineSnapshot } from '../attempt/snapshots.ts'
import type { Pipeline } from '../config/pipeline.ts'
import { parseTarget } from '../config/target.ts'
import type { Exposure } from '../experiment/book.ts'
import type { RoutingFacts } from '../route/context.ts'
import type { Provider } from '../stage/provider.ts'
import type { SttAdapter } from '../stage/stt.ts'
import type { TtsAdapter } from '../stage/tts.ts'
import { Refusal } from './failure.ts'

export type Adapters = { readonly stt: SttAdapter; readonly tts: TtsAdapter }
export type AudioStage = keyof Adapters

export interface StagePlanDeps {
  readonly snapshot: (name: string) => PipelineSnapshot | undefined
  readonly defaultPipeline: () => string
  readonly providers: ReadonlyMap<string, Provider>
  /** Targets that serve a bare model name, best first. */
  readonly byName: (model: string) => readonly string[]
}

export interface StagePlan<A> {
  /** Null: the request named a model and no pipeline. */
  readonly pipeline: string | null
  readonly candidates: readonly Candidate<A>[]
  readonly exposures: readonly Exposure[]
  /** To the first useful output; null: no budget. */
  readonly turnMs: number | null
  /** What the pipeline's callers speak; null: not said. */
  readonly language: string | null
  readonly voices: Pipeline['voices']
  /** The name of the voice that speaks unless the request names one; '' without a pipeline. */
  readonly voice: string
}

/** The facts once it is known what pipeline they are judged under. */
export type AudioFactsFor = (pipeline: {
  readonly turnMs: number
  readonly language: string | null
}) => RoutingFacts

/** Throws `Refusal` when nobody is called `name`. No candidates: nothing of the pipeline's routes is present. */
export function stagePlan<S extends AudioStage>(
  stage: S,
  name: string,
  deps: StagePlanDeps,
  factsFor: AudioFactsFor,
): StagePlan<Adapters[S]> {
  const routed = /^(?:router|inworld)\/(.+)$/.exec(name)?.[1]
  const snapshot = deps.snapshot(name === 'auto' ? deps.defaultPipeline() : (routed ?? name))
  if (snapshot) return planOfPipeline(stage, snapshot, factsFor)
  const candidates = routed === undefined ? named(stage, name, deps) : []
  if (candidates.length === 0) {
    throw new Refusal('model_not_found', `The model '${name.slice(0, 200)}' does not exist here.`, 'model')
  }
  return { pipeline: null, candidates, exposures: [], turnMs: null, language: null, voices: {}, voice: '' }
}

function planOfPipeline<S extends AudioStage>(
  stage: S,
  { pipeline, router }: PipelineSnapshot,
  factsFor: AudioFactsFor,
): StagePlan<Adapters[S]> {
  const { name, language, voices, voice, budget } = pipeline
  const facts = factsFor({ turnMs: budget.turnMs, language })
  const stageFacts: StageFacts = () => facts
  const lineup = router.lineup(stageFacts, { voice: null })
  const exposure = lineup.exposure?.(stage)
  return {
    pipeline: name,
    candidates: lineup[stage] as readonly Candidate<Adapters[AudioStage]>[] as readonly Candidate<
      Adapters[S]
    >[],
    exposures: exposure ? [exposure] : [],
    turnMs: budget.turnMs,
    language,
    voices,
    voice,
  }
}

function named<S extends AudioStage>(
  stage: S,
  name: string,
  { providers, byName }: StagePlanDeps,
): Candidate<Adapters[S]>[] {
  const present = (id: string): Candidate<Adapters[S]>[] => {
    const target = parseTarget(id)
    const adapter =
      target && (providers.get(target.provider)?.[stage]?.(target.model) as Adapters[S] | undefined)
    return target && adapter ? [{ adapter, provider: target.provider, model: target.model, route: '' }] : []
  }
  const own = present(name)
  return own.length > 0 ? own : byName(name).flatMap(present)
}
