/** What the reducer asks of the runner. Data only; the runner executes them in order, at once. */
import type { ModelRequest, ToolCall } from '../dialect/neutral.ts'
import type { McpAccess } from '../stage/tools.ts'
import type { MarkName, TurnEnd, TurnRecord } from '../trace/record.ts'
import type { PressedKey } from '../trace/turn-trace.ts'
import type { ClientEvent } from './client.ts'
import type { Failure, TimerName } from './events.ts'
import type { SessionOutput } from './output.ts'
import type { SessionSettings } from './settings.ts'

export type Effect =
  | { readonly do: 'emit'; readonly output: SessionOutput }
  /** Recognise the caller's audio from `fromMs` on as `turn`; everything that arrives later belongs to it too. */
  | { readonly do: 'listen'; readonly turn: string; readonly fromMs: number }
  /** Recognise all there is so far: the caller may have finished. */
  | { readonly do: 'preview'; readonly turn: string }
  /** The utterance's audio ended at `endMs`: answer with a `final`. */
  | { readonly do: 'finalize'; readonly turn: string; readonly itemId: string; readonly endMs: number }
  /** Recognise audio that is there whole, beside what the caller says: answer with a `final` of `turn`. */
  | { readonly do: 'recognise'; readonly turn: string; readonly itemId: string; readonly audio: Uint8Array }
  | { readonly do: 'discard'; readonly turn: string }
  /** Forget the caller's uncommitted audio and any utterance in progress. */
  | { readonly do: 'resetListening' }
  | {
      readonly do: 'think'
      readonly response: string
      readonly turn: string
      readonly revision: number
      readonly request: ModelRequest
      readonly voicing: Voicing
      /** Hold everything back until `release`. */
      readonly hold: 'until-release' | 'no'
      /** Of a turn that is not open yet: since when the caller may have been done. */
      readonly zeroAt?: number
    }
  /** An answer whose words are not there yet: says the phrase, and waits for `think` or `recite` of the same response. */
  | {
      readonly do: 'bridge'
      readonly response: string
      readonly turn: string
      readonly phrase: string
      readonly voicing: Voicing
    }
  /** Run a tool of the server's, once, and answer with `toolAnswered`. */
  | { readonly do: 'callTool'; readonly call: ToolCall; readonly access?: McpAccess }
  /** Ask an MCP server what it offers, and answer with `toolsListed`. */
  | { readonly do: 'listTools'; readonly itemId: string; readonly access: McpAccess }
  | { readonly do: 'release'; readonly response: string }
  /** Say a fixed text as a response of its own. */
  | {
      readonly do: 'recite'
      readonly response: string
      readonly turn: string
      readonly text: string
      readonly voicing: Voicing
      /** Why there is no answer: the text is an apology, and the response has failed. */
      readonly failure?: Failure
    }
  /** Stop sending at once and answer with `outputCut`. */
  | { readonly do: 'cut'; readonly response: string; readonly reason: 'barge-in' | 'client-cancelled' }
  /** Abort a response of which nothing reached the wire. */
  | { readonly do: 'drop'; readonly response: string; readonly reason: 'superseded' | 'hangup' | 'barge-in' }
  | { readonly do: 'pause'; readonly response: string }
  | { readonly do: 'resume'; readonly response: string }
  | { readonly do: 'retrieve'; readonly itemId: string; readonly ref: string | null }
  | {
      readonly do: 'truncate'
      readonly event: Extract<ClientEvent, { type: 'truncateItem' }>
    }
  | { readonly do: 'forget'; readonly itemId: string }
  | { readonly do: 'played'; readonly response: string; readonly ms: number }
  | { readonly do: 'apply'; readonly patch: Partial<SessionSettings> }
  | { readonly do: 'setTimer'; readonly timer: TimerName; readonly ms: number }
  | { readonly do: 'clearTimer'; readonly timer: TimerName }
  | {
      readonly do: 'openTurn'
      readonly turn: string
      readonly zeroAt: number
      readonly endedBy?: TurnEnd
    }
  | { readonly do: 'mark'; readonly turn: string; readonly name: MarkName; readonly at: number }
  | {
      readonly do: 'userSaid'
      readonly turn: string
      readonly text: string
      readonly language: string | null
    }
  /** Keys of the telephone, for the record; `turn` null: of the newest. */
  | { readonly do: 'keys'; readonly turn: string | null; readonly keys: readonly PressedKey[] }
  | {
      readonly do: 'closeTurn'
      readonly turn: string
      readonly outcome: Exclude<TurnRecord['outcome'], 'open'>
    }
  /** Close the session. */
  | { readonly do: 'hangUp' }
  | { readonly do: 'end' }

/** How a response's words leave: as text, or as a voice. */
export interface Voicing {
  readonly modality: 'audio' | 'text'
  readonly voice: string
  readonly itemId: string
  readonly outputIndex: number
}
