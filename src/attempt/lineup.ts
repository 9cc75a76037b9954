/**
 * Which adapters serve a pipeline's stages, in the order they would be tried. Built once for a pipeline and a set of
 * providers; what a session holds for its whole life.
 */
import type { StageName } from '../errors.ts'
import type { LlmAdapter } from '../stage/llm.ts'
import type { SttAdapter } from '../stage/stt.ts'
import type { TtsAdapter } from '../stage/tts.ts'

export interface Candidate<Adapter> {
  readonly adapter: Adapter
  readonly provider: string
  readonly model: string
  /** The route that names it. */
  readonly route: string
}

export interface Lineup {
  readonly stt: readonly Candidate<SttAdapter>[]
  readonly llm: readonly Candidate<LlmAdapter>[]
  readonly tts: readonly Candidate<TtsAdapter>[]
  /** The provider's id for a voice name; undefined: the provider's own default. */
  voice(name: string, provider: string): string | undefined
}

/** No adapter for a stage: nothing in the pipeline's routes is present. */
export class NoCandidate extends Error {
  override readonly name = 'NoCandidate'
  constructor(readonly stage: StageName) {
    super(`no ${stage} target of this pipeline is available`)
  }
}

export function firstOf<A>(stage: StageName, candidates: readonly Candidate<A>[]): Candidate<A> {
  const first = candidates[0]
  if (!first) throw new NoCandidate(stage)
  return first
}
