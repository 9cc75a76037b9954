/** The part of the Realtime wire this page reads, and Parley's own report inside `response.done`. */
import type { AttemptRecord, TurnRecord } from '../../../trace/record.ts'

/** What an answer says about its turn, as of that moment; `GET /v1/turns/{id}` has the final `TurnRecord`. */
export interface TurnReport {
  readonly turnId: string
  readonly pipeline: string
  readonly route: TurnRecord['route']
  readonly attempts: readonly AttemptRecord[]
  readonly budget: TurnRecord['budget']
  readonly costUsd: number | null
}

export interface WireItem {
  readonly id: string
  readonly type: string
  readonly role?: string
  readonly name?: string
  readonly content?: readonly {
    readonly type: string
    readonly text?: string
    readonly transcript?: string | null
  }[]
}

export interface WireResponse {
  readonly id: string
  readonly status: 'in_progress' | 'completed' | 'cancelled' | 'incomplete' | 'failed'
  readonly status_details?: { readonly error?: { readonly code?: string; readonly message?: string } } | null
  readonly conversation_id?: string | null
  readonly parley?: TurnReport
}

interface Delta {
  readonly response_id: string
  readonly item_id: string
  readonly delta: string
}

export type ServerEvent =
  | { readonly type: 'session.created'; readonly session: { readonly model?: string } }
  | { readonly type: 'error'; readonly error: { readonly code: string | null; readonly message: string } }
  | { readonly type: 'input_audio_buffer.speech_started'; readonly item_id: string }
  | { readonly type: 'input_audio_buffer.speech_stopped'; readonly item_id: string }
  | { readonly type: 'conversation.item.added'; readonly item: WireItem }
  | { readonly type: 'conversation.item.truncated'; readonly item_id: string }
  | {
      readonly type: 'conversation.item.input_audio_transcription.delta'
      readonly item_id: string
      readonly delta: string
    }
  | {
      readonly type: 'conversation.item.input_audio_transcription.completed'
      readonly item_id: string
      readonly transcript: string
    }
  | { readonly type: 'conversation.item.input_audio_transcription.failed'; readonly item_id: string }
  | { readonly type: 'response.created'; readonly response: WireResponse }
  | { readonly type: 'response.output_item.added'; readonly response_id: string; readonly item: WireItem }
  | ({ readonly type: 'response.output_audio_transcript.delta' } & Delta)
  | ({ readonly type: 'response.output_text.delta' } & Delta)
  | ({ readonly type: 'response.output_audio.delta' } & Delta)
  | { readonly type: 'response.output_audio.done'; readonly item_id: string }
  | { readonly type: 'response.done'; readonly response: WireResponse }
