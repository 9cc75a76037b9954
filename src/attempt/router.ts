/** A pipeline's routes at work: rules compiled once, judged on the facts of each turn, targets turned into adapters. */
import { listsOf, type Pipeline, type Route, voiceFor } from '../config/pipeline.ts'
import type { Target } from '../config/target.ts'
import type { StageName } from '../errors.ts'
import { RoutingContext } from '../route/context.ts'
import { type Decision, decide, usable } from '../route/decide.ts'
import { type Explanation, explain } from '../route/explain.ts'
import { type CompiledRoutes, compileRoutes } from '../route/routes.ts'
import type { LlmAdapter } from '../stage/llm.ts'
import type { Provider } from '../stage/provider.ts'
import type { SttAdapter } from '../stage/stt.ts'
import type { TtsAdapter } from '../stage/tts.ts'
import type { Health, HealthView } from './health.ts'
import type { Hedge } from './hedge.ts'
import { HedgeShare } from './hedge-share.ts'
import type { Candidate, Lineup, Router, StageFacts } from './lineup.ts'

type Adapters = { readonly stt: SttAdapter; readonly llm: LlmAdapter; readonly tts: TtsAdapter }
const STAGES = ['stt', 'llm', 'tts'] as const

export class PipelineRouter<H extends HealthView = Health> implements Router {
  readonly #pipeline: Pipeline
  readonly #providers: ReadonlyMap<string, Provider>
  readonly #rules: Readonly<Record<StageName, CompiledRoutes<Route>>>
  readonly health: H
  /** By the model's routes. */
  readonly #hedges: ReadonlyMap<string, Hedge>

  /** The pipeline's conditions have been checked at load: one that does not compile here is a bug. */
  constructor(pipeline: Pipeline, providers: ReadonlyMap<string, Provider>, health: H) {
    this.health = health
    this.#pipeline = pipeline
    this.#providers = providers
    this.#hedges = new Map(
      pipeline.llm.routes.flatMap(({ name, hedge }) =>
        hedge ? [[name, { after: hedge.after, share: new HedgeShare(hedge.maxShare) }]] : [],
      ),
    )
    const compiled = STAGES.map((stage) => {
      const rules = compileRoutes(pipeline[stage].routes, { stage, targets: null }).compiled
      if (!rules)
        throw new TypeError(`pipeline ${pipeline.name}: a ${stage} condition that was not checked at load`)
      return [stage, rules]
    })
    this.#rules = Object.fromEntries(compiled) as Record<StageName, CompiledRoutes<Route>>
  }

  lineup(facts: StageFacts, voice: string | null): Lineup {
    const adapters = <S extends StageName>(stage: S) =>
      this.#candidates(stage, this.decide(stage, facts, voice))
    const pipeline = this.#pipeline
    const hedges = this.#hedges
    let stt: Candidate<SttAdapter>[] | undefined
    let llm: Candidate<LlmAdapter>[] | undefined
    let tts: Candidate<TtsAdapter>[] | undefined
    const model = () => {
      llm ??= adapters('llm')
      return llm
    }
    return {
      get stt() {
        stt ??= adapters('stt')
        return stt
      },
      get llm() {
        return model()
      },
      get llmHedge() {
        return hedges.get(model()[0]?.route ?? '') ?? null
      },
      get tts() {
        tts ??= adapters('tts')
        return tts
      },
      voice: (name, provider) =>
        voiceFor(pipeline, name, provider) ?? voiceFor(pipeline, pipeline.voice, provider),
    }
  }

  decide(stage: StageName, facts: StageFacts, voice: string | null): Decision<Route> {
    const context = new RoutingContext(facts(stage))
    const { language } = context.facts.session
    return decide(this.#rules[stage], {
      context,
      factsOf: this.health.factsOf(stage, language),
      needs: { language: stage === 'llm' ? null : language, capabilities: [] },
      preference: {
        pin: stage === 'tts' && voice !== null ? { target: voice, why: 'voice' } : null,
        slackMs: null,
      },
    })
  }

  explain(stage: StageName, facts: StageFacts): Explanation {
    return explain(this.decide(stage, facts, null), new RoutingContext(facts(stage)), null)
  }

  /** Targets of the stage that have an adapter, of the routes that need no condition first. */
  targets(stage: StageName): string[] {
    const routes = this.#pipeline[stage].routes.toSorted(
      (a, b) => Number(a.when !== null) - Number(b.when !== null),
    )
    return routes.flatMap((route) =>
      listsOf(route).flatMap(({ list }) =>
        list.targets.filter((target) => this.#adapter(stage, target)).map(({ id }) => id),
      ),
    )
  }

  #candidates<S extends StageName>(stage: S, decision: Decision<Route>): Candidate<Adapters[S]>[] {
    const route = decision.route?.name ?? ''
    return usable(decision).flatMap((target) => {
      const adapter = this.#adapter(stage, target)
      return adapter
        ? [{ adapter, provider: target.provider, model: target.model, route, params: target.params }]
        : []
    })
  }

  #adapter<S extends StageName>(stage: S, { provider, model }: Target): Adapters[S] | undefined {
    const offers = this.#providers.get(provider)
    return offers?.[stage]?.(model) as Adapters[S] | undefined
  }
}
