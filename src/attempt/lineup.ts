/**
 * Which adapters serve a turn's stages, in the order they are to be tried: what the pipeline's rules make of the facts
 * of one moment. Each stage is judged when it is first asked for, so a turn pays for the rules it needs.
 */
import type { StageName } from '../errors.ts'
import type { RoutingFacts } from '../route/context.ts'
import type { LlmAdapter } from '../stage/llm.ts'
import type { SttAdapter } from '../stage/stt.ts'
import type { TtsAdapter } from '../stage/tts.ts'
import type { HealthView } from './health.ts'
import type { Hedge } from './hedge.ts'

export interface Candidate<Adapter> {
  readonly adapter: Adapter
  readonly provider: string
  readonly model: string
  /** The route that names it. */
  readonly route: string
  /** As the pipeline gives them. */
  readonly params?: Readonly<Record<string, unknown>>
}

export interface Lineup {
  readonly stt: readonly Candidate<SttAdapter>[]
  readonly llm: readonly Candidate<LlmAdapter>[]
  readonly tts: readonly Candidate<TtsAdapter>[]
  /** When the route asks the second model as well; the share is the route's, for all sessions. */
  readonly llmHedge?: Hedge | null
  /** The provider's id for a voice name; undefined: the provider's own default. */
  voice(name: string, provider: string): string | undefined
}

/** A pipeline's rules: the facts of a moment in, the lineup out. Of one snapshot, as long as a session lives. */
export interface Router {
  /** The process's own: what rules ask of it, and where attempts are recorded. */
  readonly health: HealthView
  /** `voice`: the target (`provider/model`) whose voice this session already has; null before it spoke. */
  lineup(facts: StageFacts, voice: string | null): Lineup
}

/** What is known to the rules of each stage: recognition comes before the words. */
export type StageFacts = (stage: StageName) => RoutingFacts

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
