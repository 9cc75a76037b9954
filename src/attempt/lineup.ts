/**
 * Which adapters serve a turn's stages, in the order they are to be tried: what the pipeline's rules make of the facts
 * of one moment. Each stage is judged when it is first asked for, so a turn pays for the rules it needs.
 */
import type { Declined, StageName } from '../errors.ts'
import type { Exposure } from '../experiment/book.ts'
import type { Costs } from '../price/pricing.ts'
import type { RoutingFacts } from '../route/context.ts'
import type { CacheFacts } from '../route/prefer.ts'
import type { LlmAdapter } from '../stage/llm.ts'
import type { SttAdapter } from '../stage/stt.ts'
import type { TtsAdapter } from '../stage/tts.ts'
import type { HealthView } from './health.ts'
import type { Hedge } from './hedge.ts'
import type { Phrase } from './phrase.ts'
import type { SentenceCache } from './sentence-cache.ts'

export interface Candidate<Adapter> {
  readonly adapter: Adapter
  readonly provider: string
  readonly model: string
  /** Which of the provider's named keys. */
  readonly credential?: string | undefined
  /** The route that names it. */
  readonly route: string
  /** As the pipeline gives them. */
  readonly params?: Readonly<Record<string, unknown>>
}

export interface Lineup {
  readonly stt: readonly Candidate<SttAdapter>[]
  readonly llm: readonly Candidate<LlmAdapter>[]
  readonly tts: readonly Candidate<TtsAdapter>[]
  /** The variant that was dealt for a stage, if its route has any. Judges the stage if it was not yet. */
  exposure?(stage: StageName): Exposure | null
  /** Asked instead of the rest of the model's list when one declines so. */
  readonly llmInsteadOf?: Readonly<Partial<Record<Declined, readonly Candidate<LlmAdapter>[]>>>
  /** When the route asks the second model as well; the share is the route's, for all sessions. */
  readonly llmHedge?: Hedge | null
  /** The provider's id for a voice name, of the one that speaks `language` if it has such; undefined: the provider's own default. */
  voice(name: string, provider: string, language?: string): string | undefined
}

/** A pipeline's rules: the facts of a moment in, the lineup out. Of one snapshot, as long as a session lives. */
export interface Router {
  /** The process's own: what rules ask of it, and where attempts are recorded. */
  readonly health: HealthView
  /** What attempts cost; left out: nobody knows. */
  readonly pricing?: Costs
  lineup(facts: StageFacts, habits: Habits): Lineup
  /** A phrase that can be said at once, in this session's voice or else in one that its routes have; null: none is ready. */
  phrase?(text: string, speaker: PhraseSpeaker): Phrase | null
  /** Sentences of answers that were said before; left out: each is synthesised. */
  readonly sentences?: SentenceCache | undefined
  /** A model will be asked, by which rule is not known yet: the one that needs none connects. No rule is judged. */
  warm?(facts: StageFacts): void
  /** Makes the pipeline's phrases ready for a session's voice. Nobody waits for it. */
  prepare?(speaker: PhraseSpeaker): void
}

/** What a conversation is used to, and how much it is in a hurry. */
export interface Habits {
  /** The target (`provider/model`) whose voice this session already has; null before it spoke. */
  readonly voice: string | null
  /** The model that served the last answer, and what it was sent. */
  readonly cache?: CacheFacts | null
  /** What it was exposed to: kept, whatever is stopped meanwhile. */
  readonly exposed?: ReadonlyMap<string, string>
  /** Left for the model, when the quickest that fits shall be asked first. */
  readonly slackMs?: number
}

/** Whose voice says a phrase. */
export interface PhraseSpeaker {
  /** The target the session speaks with; null before it spoke. */
  readonly target: string | null
  /** A name of `voices`, or the client's. */
  readonly voice: string
  readonly language: string | null
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
