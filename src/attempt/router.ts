/** A pipeline's routes at work: rules compiled once, judged on the facts of each turn, targets turned into adapters. */
import { planOf } from '../budget/plan.ts'
import { listsOf, type Pipeline, type Route, voiceFor } from '../config/pipeline.ts'
import type { Target } from '../config/target.ts'
import type { Declined, StageName } from '../errors.ts'
import type { ExperimentBook } from '../experiment/book.ts'
import { Pricing } from '../price/pricing.ts'
import { RoutingContext } from '../route/context.ts'
import { type Decision, decide, usable } from '../route/decide.ts'
import { type Explanation, explain } from '../route/explain.ts'
import { cachePin, type Pin } from '../route/prefer.ts'
import { type CompiledRoutes, compileRoutes } from '../route/routes.ts'
import type { Provider } from '../stage/provider.ts'
import { keyOrderOf, withEachKey } from './credentials.ts'
import { idOf } from './failure.ts'
import type { Health, HealthView } from './health.ts'
import type { Hedge } from './hedge.ts'
import { type HedgeCounts, HedgeShare } from './hedge-share.ts'
import type { Candidate, Habits, Lineup, PhraseSpeaker, Router, StageFacts } from './lineup.ts'
import type { Phrase, PhraseCache } from './phrases.ts'
import { type Adapters, type LineupParts, PipelineLineup } from './pipeline-lineup.ts'
import { PipelinePhrases } from './pipeline-phrases.ts'
import type { SentenceCache } from './sentence-cache.ts'

/** What the order of a target's keys goes by. */
type Sticky = () => string
const STAGES = ['stt', 'llm', 'tts'] as const

export interface RouterOptions {
  /** Left out: no phrase is ready. */
  readonly phrases?: PhraseCache
  /** Left out: no sentence is kept. */
  readonly sentences?: SentenceCache
  /** Left out: published prices. */
  readonly pricing?: Pricing
  /** Knows which variants were stopped; left out: none. */
  readonly experiments?: ExperimentBook
}

export class PipelineRouter<H extends HealthView = Health> implements Router {
  readonly #pipeline: Pipeline
  readonly #providers: ReadonlyMap<string, Provider>
  readonly #rules: Readonly<Record<StageName, CompiledRoutes<Route>>>
  readonly health: H
  /** By the model's routes. */
  readonly #hedges: ReadonlyMap<string, Hedge & { readonly share: HedgeShare }>

  readonly pricing: Pricing
  readonly sentences: SentenceCache | undefined
  readonly #experiments: ExperimentBook | undefined
  readonly #phrases: PipelinePhrases | null

  /** The pipeline's conditions have been checked at load: one that does not compile here is a bug. */
  constructor(
    pipeline: Pipeline,
    providers: ReadonlyMap<string, Provider>,
    health: H,
    { phrases, sentences, pricing = new Pricing(), experiments }: RouterOptions = {},
  ) {
    this.sentences = sentences
    this.pricing = pricing
    this.#experiments = experiments
    this.health = health
    this.#phrases = phrases ? new PipelinePhrases(pipeline, providers, phrases) : null
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

  lineup(facts: StageFacts, habits: Habits): Lineup {
    const parts: LineupParts = {
      decide: (stage) => this.decide(stage, facts, habits),
      candidates: (stage, decision) => this.#candidates(stage, decision, () => keyOrderOf(facts(stage))),
      insteadOf: (route) => this.#insteadOf(route, () => keyOrderOf(facts('llm'))),
      hedge: (route) => this.#hedges.get(route) ?? null,
      voice: (name, provider, language) =>
        voiceFor(this.#pipeline, name, provider, language) ??
        voiceFor(this.#pipeline, this.#pipeline.voice, provider, language),
    }
    return new PipelineLineup(parts)
  }

  phrase(text: string, speaker: PhraseSpeaker): Phrase | null {
    return this.#phrases?.get(text, speaker) ?? null
  }

  prepare(speaker: PhraseSpeaker): void {
    void this.#phrases?.prepare(speaker)
  }

  warm(facts: StageFacts): void {
    const { routes } = this.#pipeline.llm
    const route = routes.find(({ when }) => when === null)
    const targets = route ? (listsOf(route)[0]?.list.targets ?? []) : []
    const sticky = () => keyOrderOf(facts('stt'))
    const models = this.#present('llm', targets, { route: route?.name ?? '', sticky })
    const closed = models.find(
      (one) =>
        this.health.circuit({ stage: 'llm', target: idOf(one), credential: one.credential ?? '' }) !== 'open',
    )
    closed?.adapter.warm?.()
  }

  decide(stage: StageName, facts: StageFacts, habits: Habits): Decision<Route> {
    const context = new RoutingContext(facts(stage))
    const { language } = context.facts.session
    const tools = stage === 'llm' ? (context.facts.request?.().tools ?? []) : []
    return decide(this.#rules[stage], {
      context,
      factsOf: this.health.factsOf(stage, language),
      isStopped: (experiment, variant) =>
        habits.exposed?.get(experiment) !== variant &&
        (this.#experiments?.isStopped({ experiment, variant }) ?? false),
      needs: {
        language: stage === 'llm' ? null : language,
        capabilities: tools.length > 0 ? ['tools'] : [],
      },
      preference: {
        pin: pinOf(stage, habits),
        slackMs: stage === 'llm' ? (habits.slackMs ?? null) : null,
      },
    })
  }

  /** Of each route that hedges: what came of it. */
  hedges(): (HedgeCounts & { readonly pipeline: string; readonly route: string })[] {
    const { name: pipeline } = this.#pipeline
    return [...this.#hedges].map(([route, { share }]) => ({ pipeline, route, ...share.read() }))
  }

  /** With the plan of a spoken turn that begins now, its stages at their medians. */
  explain(stage: StageName, facts: StageFacts): Explanation {
    const decided = STAGES.map((one) => [one, this.decide(one, facts, { voice: null })] as const)
    const decision = decided.find(([one]) => one === stage)![1]
    const { budget, turnDetection } = this.#pipeline
    const plan = planOf({
      turnMs: budget.turnMs,
      zeroAt: 0,
      endpointMs: turnDetection?.silenceDurationMs ?? 0,
      stages: decided.map(([one, { candidates }]) => ({
        stage: one,
        p50Ms: candidates.find(({ refused }) => refused === null)?.facts.latency.p50Ms ?? 0,
      })),
    })
    return explain(decision, new RoutingContext(facts(stage)), plan)
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

  #insteadOf(name: string | undefined, sticky: Sticky): NonNullable<Lineup['llmInsteadOf']> {
    const route = this.#pipeline.llm.routes.find((one) => one.name === name)
    const lists = Object.entries(route?.insteadOf ?? {}) as [Declined, readonly Target[]][]
    return Object.fromEntries(
      lists.map(([declined, targets]) => [
        declined,
        this.#present('llm', targets, { route: route?.name ?? '', sticky }),
      ]),
    )
  }

  #candidates<S extends StageName>(
    stage: S,
    decision: Decision<Route>,
    sticky: Sticky,
  ): Candidate<Adapters[S]>[] {
    return this.#present(stage, usable(decision), { route: decision.route?.name ?? '', sticky })
  }

  #present<S extends StageName>(
    stage: S,
    targets: readonly Target[],
    { route, sticky }: { readonly route: string; readonly sticky: Sticky },
  ): Candidate<Adapters[S]>[] {
    return targets.flatMap(({ provider, model, params }) =>
      withEachKey(
        this.#providers.get(provider),
        sticky,
        (offers, credential) => offers[stage]?.(model, credential) as Adapters[S] | undefined,
      )
        .map(({ adapter, credential }) => ({ adapter, provider, model, credential, route, params }))
        .sort((a, b) => this.#isOff(stage, a) - this.#isOff(stage, b)),
    )
  }

  /** 1: it stands behind the target's other keys, for those who ask the first without asking for leave. */
  #isOff(stage: StageName, one: Candidate<unknown>): 0 | 1 {
    if (one.credential === undefined) return 0
    const place = { stage, target: idOf(one), credential: one.credential }
    return this.health.circuit(place) === 'open' ? 1 : 0
  }

  #adapter<S extends StageName>(stage: S, { provider, model }: Target): Adapters[S] | undefined {
    const offers = this.#providers.get(provider)
    return offers?.[stage]?.(model) as Adapters[S] | undefined
  }
}

/** Recognition has no habits: its stream is chosen anew where the facts ask for it. */
function pinOf(stage: StageName, { voice, cache }: Habits): Pin | null {
  if (stage === 'tts') return voice === null ? null : { target: voice, why: 'voice' }
  return stage === 'llm' ? cachePin(cache ?? null) : null
}
