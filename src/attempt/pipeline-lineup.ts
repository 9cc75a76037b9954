/**
 * One lineup of a pipeline: each stage is judged when it is first asked for, so a turn pays for the rules it needs. A class, since a
 * literal with getters would be given a hidden class of its own each time, which lives until a full collection.
 */
import type { Route } from '../config/pipeline.ts'
import type { StageName } from '../errors.ts'
import type { Exposure } from '../experiment/book.ts'
import type { Decision } from '../route/decide.ts'
import type { LlmAdapter } from '../stage/llm.ts'
import type { SttAdapter } from '../stage/stt.ts'
import type { TtsAdapter } from '../stage/tts.ts'
import type { Hedge } from './hedge.ts'
import type { Candidate, Lineup } from './lineup.ts'

export type Adapters = { readonly stt: SttAdapter; readonly llm: LlmAdapter; readonly tts: TtsAdapter }

/** What a router does for a lineup. */
export interface LineupParts {
  readonly decide: (stage: StageName) => Decision<Route>
  readonly candidates: <S extends StageName>(stage: S, decision: Decision<Route>) => Candidate<Adapters[S]>[]
  readonly insteadOf: (route: string | undefined) => NonNullable<Lineup['llmInsteadOf']>
  readonly hedge: (route: string) => Hedge | null
  readonly voice: Lineup['voice']
}

export class PipelineLineup implements Lineup {
  readonly #parts: LineupParts
  readonly #decisions = new Map<StageName, Decision<Route>>()
  #stt: Candidate<SttAdapter>[] | undefined
  #llm: Candidate<LlmAdapter>[] | undefined
  #tts: Candidate<TtsAdapter>[] | undefined

  constructor(parts: LineupParts) {
    this.#parts = parts
  }

  get stt(): readonly Candidate<SttAdapter>[] {
    this.#stt ??= this.#parts.candidates('stt', this.#decided('stt'))
    return this.#stt
  }

  get llm(): readonly Candidate<LlmAdapter>[] {
    this.#llm ??= this.#parts.candidates('llm', this.#decided('llm'))
    return this.#llm
  }

  get tts(): readonly Candidate<TtsAdapter>[] {
    this.#tts ??= this.#parts.candidates('tts', this.#decided('tts'))
    return this.#tts
  }

  get llmInsteadOf(): NonNullable<Lineup['llmInsteadOf']> {
    return this.#parts.insteadOf(this.llm[0]?.route)
  }

  get llmHedge(): Hedge | null {
    return this.#parts.hedge(this.llm[0]?.route ?? '')
  }

  exposure(stage: StageName): Exposure | null {
    const { assignment } = this.#decided(stage)
    return assignment && { experiment: assignment.experiment, variant: assignment.variant }
  }

  voice(name: string, provider: string, language?: string): string | undefined {
    return this.#parts.voice(name, provider, language)
  }

  #decided(stage: StageName): Decision<Route> {
    const decision = this.#decisions.get(stage) ?? this.#parts.decide(stage)
    this.#decisions.set(stage, decision)
    return decision
  }
}
