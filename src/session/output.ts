/**
 * What the session tells a wire, in neutral words; the wire turns each into one or more of its own events.
 * Two lanes: `control` overtakes; `answer` keeps its order, since a response's events build on each other.
 *
 *     control: speechStarted speechStopped committed cleared item* transcript* refused turn
 *     answer:  responseCreated → answerStarted → (answerText | answerAudio)* → answerDone → toolCalled* → responseDone
 */
import type { ModelUsage } from '../dialect/neutral.ts'
import type { TurnRecord } from '../trace/record.ts'
import type { ApprovalRequestItem, Item, MessageItem, ServerCallItem, ToolCallItem } from './items.ts'

export type ResponseStatus = 'in_progress' | 'completed' | 'cancelled' | 'incomplete' | 'failed'

export type ResponseEnding =
  | { readonly status: 'completed' }
  | { readonly status: 'cancelled'; readonly reason: 'turn_detected' | 'client_cancelled' }
  | { readonly status: 'incomplete'; readonly reason: 'max_output_tokens' | 'content_filter' }
  | { readonly status: 'failed'; readonly code: string; readonly message: string }

export interface ResponseView {
  readonly id: string
  readonly ending: ResponseEnding | null
  /** Items of this response in output order, as they stand. */
  readonly output: readonly Item[]
  /** False for `conversation: none`. */
  readonly inConversation: boolean
  readonly modality: 'audio' | 'text'
  readonly voice: string
  readonly maxOutputTokens: number | 'inf'
  readonly usage: ModelUsage | null
  readonly metadata: Readonly<Record<string, string>> | null
}

/** Where an answer's piece belongs. */
export interface AnswerPlace {
  readonly responseId: string
  readonly itemId: string
  readonly outputIndex: number
}

export type ControlOutput =
  | { readonly type: 'settingsApplied' }
  | { readonly type: 'speechStarted'; readonly itemId: string; readonly audioStartMs: number }
  | { readonly type: 'speechStopped'; readonly itemId: string; readonly audioEndMs: number }
  | { readonly type: 'committed'; readonly itemId: string; readonly previousItemId: string | null }
  /** The caller was silent for so long that the turn goes back to the model; `committed` and an answer follow. */
  | {
      readonly type: 'timeoutTriggered'
      readonly itemId: string
      readonly audioStartMs: number
      readonly audioEndMs: number
    }
  | { readonly type: 'cleared' }
  | { readonly type: 'itemAdded'; readonly item: Item; readonly previousItemId: string | null }
  | { readonly type: 'itemDone'; readonly item: Item; readonly previousItemId: string | null }
  | { readonly type: 'itemDeleted'; readonly itemId: string }
  | {
      readonly type: 'itemTruncated'
      readonly itemId: string
      readonly contentIndex: number
      readonly audioEndMs: number
    }
  /** `audio` in the session's input format for a user's item, output format for the assistant's; null when not kept. */
  | { readonly type: 'itemRetrieved'; readonly item: Item; readonly audio: Uint8Array | null }
  | { readonly type: 'transcriptDelta'; readonly itemId: string; readonly delta: string }
  | {
      readonly type: 'transcript'
      readonly itemId: string
      readonly transcript: string
      readonly audioMs: number
    }
  | {
      readonly type: 'transcriptFailed'
      readonly itemId: string
      readonly code: string
      readonly message: string
    }
  | {
      readonly type: 'refused'
      readonly code: string
      readonly message: string
      readonly param: string | null
      readonly ref: string | null
    }
  /** Something failed that no response can carry: the session goes on. */
  | { readonly type: 'fault'; readonly code: string; readonly message: string }
  /** The server takes back what the far side has not played: bridges clear their buffer. A pause may go on later. */
  | {
      readonly type: 'outputCleared'
      readonly responseId: string
      readonly itemId: string
      readonly why: 'cut' | 'pause'
    }
  | { readonly type: 'turn'; readonly record: TurnRecord }
  /** An MCP server is asked what it offers: after its item's `itemAdded`, and before its `itemDone`. */
  | {
      readonly type: 'listingTools'
      readonly itemId: string
      readonly status: 'in_progress' | 'completed' | 'failed'
    }
  /** A call that was approved is under way: after its item's `itemAdded`. `serverAnswered` follows. */
  | { readonly type: 'serverRunning'; readonly item: ServerCallItem }
  | {
      readonly type: 'serverAnswered'
      readonly item: ServerCallItem
      readonly previousItemId: string | null
    }

export type AnswerOutput =
  | { readonly type: 'responseCreated'; readonly response: ResponseView }
  | ({
      readonly type: 'answerStarted'
      readonly item: MessageItem
      readonly previousItemId: string | null
      readonly modality: 'audio' | 'text'
      readonly inConversation: boolean
    } & AnswerPlace)
  | ({
      readonly type: 'answerText'
      readonly delta: string
      readonly modality: 'audio' | 'text'
    } & AnswerPlace)
  /** In the session's output format, whole samples. */
  | ({
      readonly type: 'answerAudio'
      readonly audio: Uint8Array
      /** Which sentences it holds, and how much of each; padding at an answer's end counts for none. */
      readonly parts: readonly { readonly tag: number; readonly ms: number }[]
    } & AnswerPlace)
  /** `text` is the sum of the deltas sent. */
  | ({
      readonly type: 'answerDone'
      readonly item: MessageItem
      readonly previousItemId: string | null
      readonly text: string
      readonly modality: 'audio' | 'text'
      readonly inConversation: boolean
    } & AnswerPlace)
  | ({
      readonly type: 'toolCalled'
      readonly item: ToolCallItem
      readonly previousItemId: string | null
      readonly inConversation: boolean
    } & AnswerPlace)
  /** Whether the server may run it is the client's to say, by an item of its own. */
  | ({
      readonly type: 'approvalRequested'
      readonly item: ApprovalRequestItem
      readonly previousItemId: string | null
      readonly inConversation: boolean
    } & AnswerPlace)
  /** The server runs it; `serverAnswered` follows, whatever becomes of the response. */
  | ({
      readonly type: 'serverCalled'
      readonly item: ServerCallItem
      readonly previousItemId: string | null
      readonly inConversation: boolean
    } & AnswerPlace)
  | {
      readonly type: 'responseDone'
      readonly turn: string
      readonly response: ResponseView
      /** As of this moment; filled in by the runner. */
      readonly record: TurnRecord | null
    }

export type SessionOutput = ControlOutput | AnswerOutput
