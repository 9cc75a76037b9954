/** Pipelines with their rules and the adapters behind them, by name. A reload makes new ones; sessions keep theirs. */
import type { Pipeline } from '../config/pipeline.ts'
import type { PipelineSet } from '../config/pipeline-set.ts'
import type { ExperimentBook, Plan } from '../experiment/book.ts'
import { Pricing } from '../price/pricing.ts'
import type { Provider } from '../stage/provider.ts'
import type { ServerTools } from '../stage/tools.ts'
import type { Health } from './health.ts'
import type { Router } from './lineup.ts'
import type { PhraseCache } from './phrases.ts'
import { PipelineRouter } from './router.ts'
import type { SentenceCache } from './sentence-cache.ts'

/** A pipeline with its router: immutable, what a session keeps for its life. */
export interface PipelineSnapshot {
  readonly pipeline: Pipeline
  readonly router: Router
  /** Run by the server for its sessions; left out: none. */
  readonly tools?: ServerTools
  /** Whether any route of speech recognition has an adapter at all. */
  readonly canListen: boolean
}

export interface SnapshotsOptions {
  /** Left out: published prices. */
  readonly pricing?: Pricing
  readonly experiments?: ExperimentBook
  readonly phrases?: PhraseCache
  readonly sentences?: SentenceCache
  /** The tools that the server runs for a pipeline. */
  readonly toolsOf?: (pipeline: Pipeline) => ServerTools
}

export class Snapshots {
  readonly #providers: ReadonlyMap<string, Provider>
  readonly #health: Health
  #byName = new Map<string, PipelineSnapshot & { readonly router: PipelineRouter }>()
  #defaultName = 'default'

  readonly #phrases: PhraseCache | undefined
  readonly #sentences: SentenceCache | undefined
  readonly #pricing: Pricing
  readonly #experiments: ExperimentBook | undefined
  readonly #toolsOf: SnapshotsOptions['toolsOf']

  constructor(providers: ReadonlyMap<string, Provider>, health: Health, options: SnapshotsOptions = {}) {
    this.#providers = providers
    this.#health = health
    this.#phrases = options.phrases
    this.#sentences = options.sentences
    this.#toolsOf = options.toolsOf
    this.#pricing = options.pricing ?? new Pricing()
    this.#experiments = options.experiments
  }

  load(set: PipelineSet): void {
    this.#experiments?.load(set.all.flatMap(plansOf))
    const snapshots = set.all.map((pipeline) => {
      const router = new PipelineRouter(pipeline, this.#providers, this.#health, {
        pricing: this.#pricing,
        ...(this.#experiments ? { experiments: this.#experiments } : {}),
        ...(this.#phrases ? { phrases: this.#phrases } : {}),
        ...(this.#sentences ? { sentences: this.#sentences } : {}),
      })
      const { voice, language } = pipeline
      router.prepare({ target: null, voice, language })
      const tools = this.#toolsOf?.(pipeline)
      const canListen = router.targets('stt').length > 0
      return { pipeline, router, canListen, ...(tools ? { tools } : {}) }
    })
    this.#byName = new Map(snapshots.map((snapshot) => [snapshot.pipeline.name, snapshot]))
    this.#defaultName = set.default.name
    this.#health.configured()
  }

  /** Null: the default. */
  get(name: string | null): (PipelineSnapshot & { readonly router: PipelineRouter }) | undefined {
    return this.#byName.get(name ?? this.#defaultName)
  }

  /** Of all pipelines as they are now. */
  *hedges() {
    for (const { router } of this.#byName.values()) yield* router.hedges()
  }

  /** The pipelines as they are now, in the order of their names. */
  all(): readonly (PipelineSnapshot & { readonly router: PipelineRouter })[] {
    return [...this.#byName.values()].sort((a, b) => (a.pipeline.name < b.pipeline.name ? -1 : 1))
  }

  has(name: string): boolean {
    return this.#byName.has(name)
  }

  get defaultName(): string {
    return this.#defaultName
  }

  /** The first target present of each stage of the default pipeline: of its last route, which has no condition. */
  get runsOn(): { readonly stt: string; readonly llm: string; readonly tts: string } {
    const router = this.get(null)?.router
    const last = (stage: 'stt' | 'llm' | 'tts') => router?.targets(stage)[0] ?? 'none'
    return { stt: last('stt'), llm: last('llm'), tts: last('tts') }
  }
}

/** Experiments of one name in several pipelines or stages are one; the first that names it says what is measured. */
function plansOf({ stt, llm, tts }: Pipeline): Plan[] {
  return [...stt.routes, ...llm.routes, ...tts.routes].flatMap(({ name, use }) => {
    if (use.type === 'list') return []
    const { experiment, variants, guardrails = [] } = use
    return [{ name: experiment ?? name, variants: variants.map(({ id }) => id), guardrails }]
  })
}
