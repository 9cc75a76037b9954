/**
 * Everything that can happen to a conversation. `at` is the clock's time of the event; the reducer never
 * reads a clock itself, so a recorded sequence of events replays to the same effects.
 */
import type { FinishReason, ModelUsage, ToolCall } from '../dialect/neutral.ts'
import type { EndedBy } from '../listen/end-of-turn.ts'
import type { McpTool } from '../stage/tools.ts'
import type { ClientEvent } from './client.ts'
import type { Heard } from './items.ts'

/** What the listener found out. Times named `…Ms` are audio time since the session's first byte. */
export type SpeechEvent =
  | { readonly type: 'speechStarted'; readonly at: number; readonly startMs: number }
  | { readonly type: 'speechConfirmed'; readonly at: number }
  | { readonly type: 'speechDropped'; readonly at: number }
  | { readonly type: 'speechPaused'; readonly at: number; readonly endMs: number; readonly endAt: number }
  | { readonly type: 'speechResumed'; readonly at: number }
  | {
      readonly type: 'speechEnded'
      readonly at: number
      readonly endMs: number
      /** Clock time at which the last speech sample arrived: the budget's zero. */
      readonly endAt: number
      readonly audioEndMs: number
      readonly endedBy?: EndedBy
    }

export type RecognitionEvent =
  | {
      readonly type: 'partial'
      readonly at: number
      readonly turn: string
      readonly text: string
      readonly stable: string
      readonly complete: boolean
      /** The recogniser judges that the caller has, or may have, finished. */
      readonly probablyOver?: boolean
    }
  | {
      readonly type: 'final'
      readonly at: number
      readonly turn: string
      readonly text: string
      readonly language: string | null
      /** 0…1, where the recogniser tells. */
      readonly confidence?: number | undefined
      readonly audioMs: number
    }
  | {
      readonly type: 'sttFailed'
      readonly at: number
      readonly turn: string
      readonly code: string
      readonly message: string
    }

export interface Failure {
  readonly code: string
  readonly message: string
}

/** From the model (`toolCalled`, `thought`, `answerFailed`) and from what speaks its words. */
export type AnswerEvent =
  | { readonly type: 'toolCalled'; readonly at: number; readonly response: string; readonly call: ToolCall }
  | {
      readonly type: 'thought'
      readonly at: number
      readonly response: string
      readonly finish: FinishReason
      readonly usage: ModelUsage | null
      /** Whether there is anything to say; if not, `spoken` never comes. */
      readonly words: 'some' | 'none'
      /** The model broke off after these words: they are said, and then the response has failed. */
      readonly failure?: Failure
    }
  /** Nothing more of it will be said. `heard` is what will have been, once all that was sent is played. */
  | {
      readonly type: 'answerFailed'
      readonly at: number
      readonly response: string
      readonly code: string
      readonly message: string
      readonly said: string
      readonly audioMs: number
      readonly heard: Heard | null
    }
  /** The first piece of the answer is about to be queued for the wire. */
  | { readonly type: 'speaking'; readonly at: number; readonly response: string }
  /** The wire has taken all of it. `said` is what it was shown, `kept` what has sound: less, when a voice broke off. */
  | {
      readonly type: 'spoken'
      readonly at: number
      readonly response: string
      readonly said: string
      readonly kept?: string
      readonly audioMs: number
    }
  /** The answer to the effect `cut`: what had been sent, and how much of it was heard. */
  | {
      readonly type: 'outputCut'
      readonly at: number
      readonly response: string
      readonly said: string
      readonly audioMs: number
      readonly heard: Heard
    }
  /** The far side has played everything sent. */
  | { readonly type: 'playedOut'; readonly at: number; readonly response: string }
  | {
      readonly type: 'truncated'
      readonly at: number
      readonly itemId: string
      readonly contentIndex: number
      readonly audioEndMs: number
      readonly heard: Heard
    }

export type SessionEvent =
  /** A tool that the server ran has ended. `error`: why it has no output, in words fit for the model. */
  | {
      readonly type: 'toolAnswered'
      readonly at: number
      readonly callId: string
      readonly output: string | null
      readonly error: string | null
    }
  /** An MCP server was asked what it offers; `tools` null: it could not be. */
  | {
      readonly type: 'toolsListed'
      readonly at: number
      readonly itemId: string
      readonly tools: readonly McpTool[] | null
    }
  /** The caller's words are late, and a phrase shall bridge the wait. */
  | { readonly type: 'wordsLate'; readonly at: number; readonly turn: string; readonly phrase: string }
  | { readonly type: 'started'; readonly at: number; readonly greeting: string | null }
  /** `bufferedMs`: caller's audio since the last commit or clear; `audioMs`: since the session's start. */
  | {
      readonly type: 'client'
      readonly at: number
      readonly event: ClientEvent
      readonly bufferedMs: number
      readonly audioMs: number
    }
  | SpeechEvent
  | RecognitionEvent
  | AnswerEvent
  | { readonly type: 'timer'; readonly at: number; readonly timer: TimerName; readonly audioMs: number }
  | { readonly type: 'hangup'; readonly at: number }

export type TimerName = 'falseInterruption' | 'idle' | 'digits'
