/** Pipelines with the adapters that serve them, by name. A reload makes new ones; sessions keep theirs. */
import type { Candidate, Lineup } from '../attempt/lineup.ts'
import { listsOf, type Pipeline, type Route, voiceFor } from '../config/pipeline.ts'
import type { PipelineSet } from '../config/pipeline-set.ts'
import type { Provider } from '../stage/provider.ts'
import type { PipelineSnapshot } from './host.ts'

export class Snapshots {
  readonly #providers: ReadonlyMap<string, Provider>
  #byName = new Map<string, PipelineSnapshot>()
  #default: PipelineSnapshot | undefined

  constructor(providers: ReadonlyMap<string, Provider>) {
    this.#providers = providers
  }

  load(set: PipelineSet): void {
    const snapshot = (pipeline: Pipeline) => ({ pipeline, lineup: lineupOf(pipeline, this.#providers) })
    this.#byName = new Map(set.all.map((pipeline) => [pipeline.name, snapshot(pipeline)]))
    this.#default = this.#byName.get(set.default.name)
  }

  /** Null: the default. */
  get(name: string | null): PipelineSnapshot | undefined {
    return name === null ? this.#default : this.#byName.get(name)
  }

  has(name: string): boolean {
    return this.#byName.has(name)
  }

  get defaultName(): string {
    return this.#default?.pipeline.name ?? 'default'
  }

  /** The first target present of each stage of the default pipeline. */
  get runsOn(): { readonly stt: string; readonly llm: string; readonly tts: string } {
    const lineup = this.#default?.lineup
    const first = (candidates: readonly Candidate<{ readonly id: string }>[] | undefined) =>
      candidates?.[0]?.adapter.id ?? 'none'
    return { stt: first(lineup?.stt), llm: first(lineup?.llm), tts: first(lineup?.tts) }
  }
}

/** Targets that no provider serves are left out; the order is the route's. */
export function lineupOf(pipeline: Pipeline, providers: ReadonlyMap<string, Provider>): Lineup {
  const voices = (name: string, provider: string) =>
    voiceFor(pipeline, name, provider) ?? voiceFor(pipeline, pipeline.voice, provider)
  return {
    stt: candidates(pipeline.stt.routes, (provider, model) => provider.stt?.(model), providers),
    llm: candidates(pipeline.llm.routes, (provider, model) => provider.llm?.(model), providers),
    tts: candidates(pipeline.tts.routes, (provider, model) => provider.tts?.(model), providers),
    voice: voices,
  }
}

function candidates<A>(
  routes: readonly Route[],
  adapterOf: (provider: Provider, model: string) => A | undefined,
  providers: ReadonlyMap<string, Provider>,
): Candidate<A>[] {
  const route = routes.find((one) => one.when === null)
  if (!route) return []
  return listsOf(route).flatMap(({ list }) =>
    list.targets.flatMap((target) => {
      const provider = providers.get(target.provider)
      const adapter = provider && adapterOf(provider, target.model)
      if (!adapter) return []
      return [{ adapter, provider: target.provider, model: target.model, route: route.name }]
    }),
  )
}
