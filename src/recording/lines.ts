/**
 * A recording's file: one JSON object a line.
 *
 *     { "l": "head", … }                              what the session began with; first, once
 *     { "l": "step", "at": 12.5, "do": "audio", … }   something came in, `at` on the session's clock, in ms
 *     { "l": "mark", "do": "admit", "is": {…}, "got": … }   what the session did in that step; `got`: what it was answered
 *     { "l": "facts", … }                             what rules could read when a stage was judged
 *     { "l": "hole", "lines": 12 }                    so many lines were lost here: the disk was too slow
 *     { "l": "end", "why": "closed" | "full" }        last, once
 */
import type { Rung } from '../budget/ladder.ts'
import type { Pipeline } from '../config/pipeline.ts'
import type { StageName } from '../errors.ts'
import type { TargetFacts } from '../route/candidates.ts'
import type { RequestFacts, RoutingFacts, TargetHealth, TurnFacts } from '../route/context.ts'
import type { CacheFacts } from '../route/prefer.ts'
import type { ClientEvent } from '../session/client.ts'
import type { CloseReason, SessionOrigin } from '../session/session.ts'
import type { SessionSettings } from '../session/settings.ts'
import type { Redaction } from './redact.ts'

/** Of the file's shape. A file of another version is refused. */
export const VERSION = 2

export interface Head {
  readonly l: 'head'
  readonly version: number
  readonly id: string
  /** The session's clock, and the date, when it began. */
  readonly at: number
  readonly wallMs: number
  readonly audio: 'keep' | 'drop'
  readonly redact: readonly Redaction[]
  readonly settings: SessionSettings
  readonly greeting: string | null
  readonly origin: SessionOrigin
  readonly clientMay: readonly string[]
  readonly turnMs: number
  readonly ladder: readonly Rung[]
  readonly pipeline: Pipeline
  /** Of the pipeline as it is written here. */
  readonly pipelineHash: string
}

/** What came in. */
export type Input =
  | { readonly do: 'audio'; readonly bytes: Uint8Array }
  | { readonly do: 'client'; readonly event: ClientEvent }
  | { readonly do: 'close'; readonly reason: CloseReason }
  | { readonly do: 'finish' }
  /** The wire asked for the next output. */
  | { readonly do: 'pull' }
  /** The wire will take no more. */
  | { readonly do: 'leave' }
  | { readonly do: 'timer'; readonly timer: number }
  | { readonly do: 'turn'; readonly turn: number }
  /** The answer to the `run` of that number. */
  | { readonly do: 'answer'; readonly run: number; readonly ok: unknown }
  | { readonly do: 'answer'; readonly run: number; readonly failed: WrittenError }

export type WrittenError =
  | { readonly is: 'aborted' }
  | {
      readonly is: 'provider'
      readonly provider: string
      readonly stage: StageName
      readonly kind: string
      readonly message: string
      readonly retryAfterMs?: number
      readonly declined?: string
    }
  | { readonly is: 'error'; readonly message: string }

export type Step = { readonly l: 'step'; readonly at: number } & Input

export interface Mark {
  readonly l: 'mark'
  readonly do: string
  /** As encoded. */
  readonly is: Readonly<Record<string, unknown>>
  readonly got?: unknown
}

/** The facts of `route/`, with what is a function there called. */
export interface JudgedFacts {
  readonly l: 'facts'
  readonly stage: StageName
  readonly voice: string | null
  /** See `Habits` of `attempt/lineup.ts`. */
  readonly cache: CacheFacts | null
  readonly exposed: Readonly<Record<string, string>>
  readonly slackMs: number | null
  readonly facts: Omit<RoutingFacts, 'turn' | 'request' | 'inputTokens' | 'health'> & {
    readonly turn: TurnFacts | null
    readonly request: RequestFacts | null
    readonly inputTokens: number
  }
  /** Of every target of the pipeline's stage. */
  readonly targets: Readonly<Record<string, TargetFacts>>
  readonly health: Readonly<Record<string, TargetHealth>>
  /** What came of it, out of the mark that follows; null: none followed. Not in the line itself. */
  readonly lineup: readonly string[] | null
}

export type Line =
  | Head
  | Step
  | Mark
  | JudgedFacts
  | { readonly l: 'hole'; readonly lines: number }
  | { readonly l: 'end'; readonly why: 'closed' | 'full' }
