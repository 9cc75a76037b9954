/** What the page knows of the conversation: turns, each what was said and what answered it. Plain data. */
import type { TurnRecord } from '../../../trace/record.ts'
import type { TurnReport } from './events.ts'
import type { Stretch } from './heard.ts'

export interface UserSide {
  readonly itemId: string
  readonly text: string
  readonly state: 'speaking' | 'recognising' | 'final' | 'failed'
  readonly typed: boolean
}

export interface Answer {
  readonly responseId: string
  readonly itemId: string | null
  readonly text: string
  readonly status: 'in_progress' | 'completed' | 'cancelled' | 'incomplete' | 'failed'
  /** Names of the tools the model called in it. */
  readonly tools: readonly string[]
  /** 0: an answer in writing. */
  readonly receivedMs: number
  readonly playedMs: number
  readonly stretches: readonly Stretch[]
  /** Played when it was cut short; null: it was not. */
  readonly cutMs: number | null
}

export interface Turn {
  readonly key: number
  /** Connections are counted: an answer never joins a turn of an earlier one. */
  readonly connection: number
  /** null: the server spoke first. */
  readonly user: UserSide | null
  readonly answers: readonly Answer[]
  readonly report: TurnReport | null
  readonly record: TurnRecord | null
}

export interface Conversation {
  readonly connection: number
  readonly nextKey: number
  /** Oldest first; the newest `KEPT`. */
  readonly turns: readonly Turn[]
}

/** A page left open all day stays small. */
export const KEPT = 200

export const emptyConversation: Conversation = { connection: 0, nextKey: 1, turns: [] }
