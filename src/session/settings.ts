/** What a session runs by. The pipeline gives the start, the client changes what `clientMay` allows. */
import type { AudioFormat } from '../audio/format.ts'
import type { ToolChoice } from '../dialect/neutral.ts'
import type { Eagerness } from '../listen/patience.ts'
import type { AllowedMcp, ServerTool } from '../stage/tools.ts'
import type { ClientTool } from './mcp.ts'

export interface TurnDetection {
  readonly type: 'server_vad' | 'semantic_vad'
  /** Speech probability, 0…1. */
  readonly threshold: number
  /** Audio kept from before the first speech window. */
  readonly prefixPaddingMs: number
  /** Silence that ends a turn; under `semantic_vad` where nobody could judge it. */
  readonly silenceDurationMs: number
  /** Of `semantic_vad`; left out: `auto`. */
  readonly eagerness?: Eagerness
  /** Of `server_vad`: a caller silent for so long after an answer was played is answered all the same; null or left out: never. */
  readonly idleTimeoutMs?: number | null
  readonly createResponse: boolean
  readonly interruptResponse: boolean
}

/** What is said to a caller who says nothing. */
export interface IdlePrompts {
  readonly afterMs: number
  /** One after the other, from the beginning again. */
  readonly say: readonly string[]
  /** So many times, then the session ends; 0: for ever. */
  readonly hangUpAfter: number
}

/** What becomes of pressed keys, and when they become a turn. */
export interface Dtmf {
  /** `events`: they are written down and told to whoever watches the call, and the model hears nothing of them. */
  readonly as: 'turns' | 'events'
  /** The key that ends them, and is part of what was pressed. */
  readonly endOn: string
  /** Since the last one. */
  readonly afterMs: number
  readonly maxDigits: number
  /** What plays stops at the first key, or only when all are there. */
  readonly interrupts: 'first' | 'last'
}

export interface Interruption {
  /** Speech while an answer plays counts as an interruption from this length on. */
  readonly minSpeechMs: number
  readonly minWords: number
  /** Words that never interrupt ("uh-huh"), compared without case and punctuation. */
  readonly ignore: readonly string[]
}

export interface SessionSettings {
  /** Words only: nothing is said, thought or answered. Left out: a conversation. Fixed for the session's life. */
  readonly kind?: 'transcription'
  readonly instructions: string
  /** The pipeline's voice name, or a name the client sent. */
  readonly voice: string
  readonly language?: string
  readonly inputFormat: AudioFormat
  readonly outputFormat: AudioFormat
  readonly modality: 'audio' | 'text'
  readonly speed: number
  /** The wire shows what it recognised; off stops the events, not the listening. */
  readonly showTranscription: boolean
  /** Show agreed words while the caller still speaks; `committed` waits for the end, as OpenAI does. */
  readonly transcriptDeltas: 'early' | 'committed'
  /** null: the client commits by hand. */
  readonly turnDetection: TurnDetection | null
  readonly interruption: Interruption
  /** Null or left out: a silent caller is left in peace. */
  readonly idle?: IdlePrompts | null
  /** Null or left out: keys of a telephone do nothing. */
  readonly dtmf?: Dtmf | null
  /** The client's own, and the MCP servers that it names. */
  readonly tools: readonly ClientTool[]
  /** Run by the server for the pipeline, beside the client's own; of one name, these count. */
  readonly serverTools?: readonly ServerTool[]
  /** The MCP servers that the client may name among its tools; left out: none. */
  readonly mcpServers?: readonly AllowedMcp[]
  readonly toolChoice: ToolChoice
  readonly maxOutputTokens: number | 'inf'
  readonly temperature?: number
  /** Speculative model calls a turn; 0 turns speculation off. */
  readonly maxRevisions: number
  /** How far ahead of playback audio is sent; null: as fast as the reader takes it. */
  readonly leadMs: number | null
  /** Said when nobody is left to recognise the caller; left out: nothing is. */
  readonly apology?: string
}
