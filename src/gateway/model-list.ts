/**
 * Which names a request may have as its `model`: pipelines, their `router/NAME`, and the models of the providers that are set up. Providers'
 * models are of the catalogue and of the pipelines' own targets.
 */
import type { PipelineSnapshot } from '../attempt/snapshots.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { CatalogEntry } from '../catalog/entry.ts'
import { canonicalProvider } from '../catalog/names.ts'
import type { StageName } from '../errors.ts'
import type { Provider } from '../stage/provider.ts'

export type ModelCard = PipelineCard | TargetCard

export interface PipelineCard {
  readonly kind: 'pipeline'
  readonly id: string
  /** The pipeline's name, which `id` holds behind `router/` or alone. */
  readonly pipeline: string
  readonly isDefault: boolean
  readonly language: string | null
}

/** What a provider can have an adapter for. */
export type TargetKind = StageName | 'embedding'

export interface TargetCard {
  readonly kind: TargetKind
  /** `provider/model`, the provider as the settings name it. */
  readonly id: string
  readonly provider: string
  readonly model: string
  /** Null: the catalogue does not have it. */
  readonly entry: CatalogEntry | null
}

export interface ModelListDeps {
  /** As they are now, with the targets each has an adapter for. */
  readonly pipelines: () => readonly Pick<PipelineSnapshot, 'pipeline'>[]
  readonly targetsOf: (pipeline: string, stage: StageName) => readonly string[]
  readonly defaultPipeline: () => string
  readonly providers: ReadonlyMap<string, Provider>
  readonly catalog: Catalog
}

const STAGES = ['stt', 'llm', 'tts'] as const
const TARGET_KINDS: readonly string[] = [...STAGES, 'embedding'] satisfies TargetKind[]
const ROUTER = /^(?:router|inworld)\//

export class ModelList {
  readonly #deps: ModelListDeps
  #catalogued: ReadonlyMap<string, TargetCard> | undefined

  constructor(deps: ModelListDeps) {
    this.#deps = deps
  }

  /** Pipelines first, then targets by name. */
  all(): readonly ModelCard[] {
    const pipelines = this.#deps.pipelines().map(({ pipeline }) => pipeline)
    const cards = pipelines.flatMap(({ name, language }) =>
      [name, `router/${name}`].map((id) => this.#pipelineCard(id, name, language)),
    )
    const targets = new Map(this.#ofCatalog())
    for (const { name } of pipelines) {
      for (const stage of STAGES) {
        for (const id of this.#deps.targetsOf(name, stage)) {
          if (!targets.has(id)) targets.set(id, this.#targetCard(stage, id))
        }
      }
    }
    return [...cards, ...[...targets.values()].sort((a, b) => (a.id < b.id ? -1 : 1))]
  }

  /** By any name that a request may use, a bare model name among them: its first provider that is set up. */
  find(id: string): ModelCard | undefined {
    const name = id.replace(ROUTER, '')
    const found = this.#deps.pipelines().find(({ pipeline }) => pipeline.name === name)
    if (found) return this.#pipelineCard(id, name, found.pipeline.language)
    return this.#target(id) ?? this.#named(id)
  }

  /**
   * Targets of one kind that a name without a provider means, `gpt-4o` or `meta-llama/llama-3.3-70b-instruct`: one a provider that is set
   * up, makers first. A snapshot's date stays in it.
   */
  targetsNamed(name: string, kind: TargetKind): readonly string[] {
    const { catalog, providers } = this.#deps
    const targets = new Map<string, string>()
    for (const entry of catalog.byName(name)) {
      if (entry.kind !== kind) continue
      for (const [provider, adapters] of providers) {
        if (canonicalProvider(provider) !== entry.provider || targets.has(provider)) continue
        const model = catalog.find(provider, name) ? name : entry.id
        if (adapters[kind]?.(model)) targets.set(provider, `${provider}/${model}`)
      }
    }
    return [...targets.values()]
  }

  #target(id: string): TargetCard | undefined {
    const provider = id.slice(0, Math.max(0, id.indexOf('/')))
    if (!this.#deps.providers.has(provider)) return undefined
    const entry = this.#deps.catalog.target(id)
    if (entry) return this.#ofCatalog().get(`${provider}/${entry.id}`)
    for (const card of this.all()) if (card.kind !== 'pipeline' && card.id === id) return card
    return undefined
  }

  #named(name: string): TargetCard | undefined {
    for (const kind of ['llm', 'stt', 'tts', 'embedding'] as const) {
      const [target] = this.targetsNamed(name, kind)
      if (target !== undefined) return this.#target(target)
    }
    return undefined
  }

  #pipelineCard(id: string, pipeline: string, language: string | null): PipelineCard {
    const isDefault = pipeline === this.#deps.defaultPipeline()
    return { kind: 'pipeline', id, pipeline, isDefault, language }
  }

  /** Neither the providers nor the catalogue change while the server runs. */
  #ofCatalog(): ReadonlyMap<string, TargetCard> {
    if (this.#catalogued) return this.#catalogued
    const cards = new Map<string, TargetCard>()
    for (const [name, provider] of this.#deps.providers) {
      for (const entry of this.#deps.catalog.models(name)) {
        const { kind } = entry
        // Nothing here could call a realtime model.
        if (!isTargetKind(kind) || !provider[kind]?.(entry.id)) continue
        const id = `${name}/${entry.id}`
        cards.set(id, { kind, id, provider: name, model: entry.id, entry })
      }
    }
    this.#catalogued = cards
    return cards
  }

  #targetCard(kind: StageName, id: string): TargetCard {
    const slash = id.indexOf('/')
    const entry = this.#deps.catalog.target(id) ?? null
    return { kind, id, provider: id.slice(0, slash), model: id.slice(slash + 1), entry }
  }
}

function isTargetKind(kind: string): kind is TargetKind {
  return TARGET_KINDS.includes(kind)
}
