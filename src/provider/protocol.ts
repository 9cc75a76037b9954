/**
 * What a recogniser's provider is to `recognition.ts`: data, and a pure reading of its messages.
 */
import type { ProviderErrorKind } from '../errors.ts'
import type { Framing } from './audio-sender.ts'
import type { SocketClose } from './socket.ts'
import type { Segment } from './utterances.ts'

/** What a provider's message means. Times are the provider's, in milliseconds. */
export type Notice =
  /** Audio is welcome. */
  | { readonly type: 'ready' }
  | { readonly type: 'segment'; readonly segment: Segment }
  /** All audio up to there has been recognised. */
  | { readonly type: 'covered'; readonly toMs: number }
  /**
   * A `force` message has its answer: the first one sent after the audio that it is about, or the oldest. Where none
   * waits for one, the provider ended the turn by itself.
   */
  | { readonly type: 'forced'; readonly middleMs?: number }
  /** By itself. `middleMs`: of the audio that it is about. */
  | { readonly type: 'endOfTurn'; readonly middleMs?: number }
  /** Probably, and taken back. */
  | { readonly type: 'eagerEnd' | 'resumed' }
  /** The provider will end the session then. */
  | { readonly type: 'expires'; readonly inMs: number }
  | { readonly type: 'failed'; readonly kind: ProviderErrorKind; readonly message: string }

/** Instead of a message: audio in which nobody speaks. */
export interface Silence {
  readonly silenceMs: number
}

/** A question the provider has not answered for a while. */
export interface Unanswered {
  readonly waitedMs: number
  /** The end of the audio it is about. */
  readonly atMs: number
  /** How much of that is not recognised for good. */
  readonly uncoveredMs: number
  /** Has the utterance words that will not change, and others that still may? */
  readonly hasSettled: boolean
  readonly hasUnsettled: boolean
  /** Audio messages sent in all. */
  readonly framesSent: number
}

export interface Protocol {
  readonly framing: Framing
  /** The first message, before any audio. */
  readonly hello?: string
  /** Makes it recognise at once what it has, up to `atMs` of its audio; `covered` or `forced` answers. */
  readonly force: string | Silence | ((atMs: number) => string)
  /** With less audio since the last one it is refused: silence makes up for it. */
  readonly forceLeastMs?: number
  /** `force` was sent, for all audio up to there that the last one was not for. */
  forceSent?(atMs: number): void
  /** Nobody spoke there, and no `force` will be sent for it alone. */
  silent?(fromMs: number, toMs: number): void
  /** Left out: the connection is closed without a word. `framesSent`: audio messages in all. */
  readonly goodbye?: string | ((framesSent: number) => string)
  /** Left out: it needs none. */
  readonly keepAlive?: {
    readonly message: string | Silence
    readonly everyMs: number
    /** Before any audio it counts for nothing: send that much silence instead. */
    readonly primeMs?: number
  }
  /** `unasked`: its turns are its own to end, and to force a preview would end one. */
  readonly previews: 'forced' | 'unasked'
  /** Without audio for so long, the connection is given up as `expired`. */
  readonly idleLimitMs: number
  /** A session of so long comes to its end, where the provider does not say when. */
  readonly sessionLimitMs?: number
  /** A silent question is looked at that often. */
  readonly graceMs: number
  /** `answer`: with what is known; a provider may keep quiet about silence. */
  unanswered(question: Unanswered): 'answer' | 'wait'
  /** Throws `Malformed`. */
  hear(message: string): readonly Notice[]
  /** Why it closed, when we did not ask. */
  closed(close: SocketClose): {
    readonly kind: ProviderErrorKind
    readonly message: string
    readonly retryAfterMs?: number
  }
}

/** A message that is not as the provider's documents say. Says what is missing, never what was said. */
export class Malformed extends Error {
  override readonly name = 'Malformed'
}
