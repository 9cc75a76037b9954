/**
 * What a speech-to-text adapter offers. A stream is leased for many turns of one session; one *attempt* is
 * one `finalize → final` on it.
 *
 *     write write write … preview ─► partial{complete}      (the caller fell silent, perhaps only for a breath)
 *     write … finalize ─► final                             (the turn is committed; the next write starts a new utterance)
 *     discard                                               (what was written since the last final is forgotten)
 */
import type { AudioFormat } from '../audio/format.ts'
import type { Clock } from '../clock.ts'

export interface SttCaps {
  /** BCP-47 primary tags, or any. */
  readonly languages: readonly string[] | 'any'
  /**
   * Those that it tells apart by itself where `open` names no language; one that is named holds it to that. Left out: it finds no
   * language, or is not held by one that is named.
   */
  readonly findsLanguages?: readonly string[] | 'any'
  /** Formats `write` takes, best first. */
  readonly inputs: readonly AudioFormat[]
  /** `speech`: wants only speech with its padding. `continuous`: wants every frame, silence too. */
  readonly feed: 'speech' | 'continuous'
  /** What it ends turns by: what was said (`model`), silence alone (`vad`), or nothing. */
  readonly endOfTurn: 'none' | 'vad' | 'model'
  /** Announces a probable end of turn (`eagerEnd`) before `endOfTurn`. */
  readonly eager: boolean
  readonly wordTimes: boolean
  /** `finalize` really forces a final; otherwise it only waits for the provider's own. */
  readonly forceFinal: boolean
  /** Times real time at which a replay may be written. */
  readonly maxReplaySpeed: number
  readonly sessionLimitMs?: number
}

export interface Word {
  readonly text: string
  /** Milliseconds since the first byte written to this stream. */
  readonly startMs: number
  readonly endMs: number
}

export type SttEvent =
  /**
   * `text` is all that is known of the current utterance; `stable` its prefix that will not change.
   * `complete` marks the answer to `preview`: all audio written before that call is in `text`.
   */
  | {
      readonly type: 'partial'
      readonly text: string
      readonly stable: string
      readonly complete: boolean
      readonly language?: string
    }
  /** Exactly one for each `finalize`, in order; `text` may be empty (noise). */
  | {
      readonly type: 'final'
      readonly text: string
      readonly language?: string
      readonly confidence?: number
      readonly words?: readonly Word[]
    }
  /** Probably all of the turn; taken back by `resumed`. */
  | { readonly type: 'eagerEnd'; readonly text: string }
  | { readonly type: 'resumed' }
  /** The provider's own judgement that the turn is over. `text` is all of the current utterance; a final is due only to `finalize`. */
  | { readonly type: 'endOfTurn'; readonly text: string }

/** Iteration ends at `close`, throws a `ProviderError` when the stream broke, settles when the signal aborts. */
export interface SttStream extends AsyncIterable<SttEvent> {
  /** `audio` is in the format given to `open`; any length, whole samples. Never blocks; the adapter bounds its queue. */
  write(audio: Uint8Array): void
  preview(): void
  finalize(): void
  discard(): void
  close(): Promise<void>
}

/** How a recogniser shall end turns: the session's eagerness as waits, and by its name. */
export interface OwnTurns {
  readonly eagerness: 'low' | 'medium' | 'high' | 'auto'
  /** No shorter pause ends a turn. */
  readonly minSilenceMs: number
  /** No longer one fails to. */
  readonly maxWaitMs: number
}

export interface SttOpenOptions {
  readonly format: AudioFormat
  /**
   * For `endOfTurn: 'model'` only: judge pauses, and tell by `endOfTurn`. Then `preview` may stay without an answer, since to
   * force words would end the turn that is to be judged. Left out: turns are ended by `finalize` alone.
   */
  readonly ownTurns?: OwnTurns
  readonly language?: string
  readonly hints?: readonly string[]
  readonly signal: AbortSignal
  readonly clock: Clock
}

export interface SttAdapter {
  /** `provider/model`. */
  readonly id: string
  readonly caps: SttCaps
  /** Throws `ProviderError`. */
  open(options: SttOpenOptions): Promise<SttStream>
}
