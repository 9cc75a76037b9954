/** The record of one turn: what `GET /v1/turns/{id}` answers and the console draws. Times in ms from clock zero. */

import type { ProviderErrorKind, StageName } from '../errors.ts'
import type { Exposure } from '../experiment/book.ts'
import type { EndedBy } from '../listen/end-of-turn.ts'

/**
 * Clock zero is the caller's real end of speech (spoken turns), the commit (manual) or the request (text).
 * Marks before it are negative.
 */
export type MarkName =
  | 'speechStart'
  | 'speechEnd'
  | 'speculated'
  | 'committed'
  | 'sttFinal'
  | 'llmFirstToken'
  | 'firstSentence'
  | 'ttsFirstAudio'
  | 'firstAudioSent'
  | 'interrupted'
  | 'end'

/** A key of the telephone: `0-9 * # A-D`. */
export interface KeyRecord {
  readonly digit: string
  readonly atMs: number
}

/** Who said that the caller had finished; `client`: it committed the audio itself. */
export type TurnEnd = EndedBy | 'client'

export interface AttemptRecord {
  readonly stage: StageName
  readonly provider: string
  readonly model: string
  /** The id of the key it was asked with, where the provider has several; never the key. */
  readonly credential?: string
  readonly status: 'running' | 'ok' | 'failed' | 'cancelled'
  readonly startMs: number
  readonly firstOutputMs: number | null
  readonly endMs: number | null
  readonly kind: ProviderErrorKind | null
  readonly hedge: boolean
  /** Why this target: `first`, `fallback`, `revision 2` …; `cached`: nobody was asked. */
  readonly reason: string
  readonly costUsd: number | null
}

export interface TurnRecord {
  readonly id: string
  readonly sessionId: string
  readonly keyId: string | null
  readonly wire: string
  readonly pipeline: string
  readonly startedAt: string
  readonly revision: number
  readonly responseIds: readonly string[]
  readonly route: Readonly<Partial<Record<StageName, string>>>
  /** Variants that made what the caller heard. */
  readonly experiments: readonly Exposure[]
  readonly marks: Readonly<Partial<Record<MarkName, number>>>
  /** Null of a turn that nobody spoke. */
  readonly endedBy: TurnEnd | null
  /** Of the user's words, as they were recognised; null: typed, or not told. */
  readonly language: string | null
  readonly attempts: readonly AttemptRecord[]
  readonly budget: {
    readonly turnMs: number
    /** Clock zero to first audio sent; null while none was. */
    readonly actualMs: number | null
    readonly brokenBy: StageName | 'endpoint' | null
    readonly degraded: readonly string[]
  }
  readonly heard: { readonly ms: number; readonly text: string; readonly interrupted: boolean } | null
  readonly text: { readonly user: string | null; readonly said: string | null }
  /** Pressed during the turn, or after it and before the next; left out: none. Those it was made of were pressed before it. */
  readonly keys?: readonly KeyRecord[]
  readonly underruns: number
  readonly costUsd: number | null
  readonly outcome: 'open' | 'said' | 'transcribed' | 'superseded' | 'failed' | 'cancelled'
}

/** What every answer says about itself; the words of the turn stay out, who asked has them already. */
export function parleyRecord(record: TurnRecord): Readonly<Record<string, unknown>> {
  const { id, pipeline, route, attempts, budget, costUsd } = record
  return { turnId: id, pipeline, route, attempts, budget, costUsd }
}
