/**
 * What a dialect is to the rest of the server: two halves, of which it may have either. Providers speak through the one, clients of the
 * gateway through the other, and everything meets in the neutral request and events. Pure.
 *
 *     client body ─► ClientCodec.read ─► ModelRequest ─► ProviderCodec.encode ─► provider's body
 *     client bytes ◄─ AnswerWriter ◄─ ModelEvent ◄─ ProviderCodec.decoder ◄─ provider's events
 *               └──────── pass: the provider's own events, where both speak the same dialect ┘
 */
import type { ProviderErrorKind } from '../errors.ts'
import type { ModelEvent, ModelRequest } from './neutral.ts'
import type { SseEvent } from './sse.ts'

export type DialectName = 'openai-chat' | 'openai-responses' | 'anthropic' | 'gemini' | 'bedrock'

/** Whether the answer is wanted as it is made, or when it is whole. */
export type Delivery = 'stream' | 'whole'

/** `dropped`: what the dialect cannot say, as `member` or `member: why`. Never a value of the caller's. */
export interface Encoded {
  readonly body: Record<string, unknown>
  readonly dropped: readonly string[]
}

/** What a provider said of a request it refused, for its sender alone: it may quote them. Never logged. */
export interface Told {
  readonly message: string
  readonly type?: string
  readonly code?: string
  readonly param?: string
}

export interface ErrorFacts {
  readonly kind: ProviderErrorKind
  /** Built from codes alone. */
  readonly message: string
  readonly declined?: 'context_overflow' | 'content_refusal'
  readonly told?: Told
  /** Where the body says it. A header that says it stands above. */
  readonly retryAfterMs?: number
}

/** One stream's events into neutral ones. Each method throws `StreamFault`. */
export interface StreamDecoder {
  push(event: SseEvent): ModelEvent[]
  /** The connection ended. */
  end(): ModelEvent[]
  /** `finish` was given; what follows does not matter. */
  readonly done: boolean
  /** Of the event that was pushed last. */
  readonly own?: OwnOutput | undefined
}

/**
 * Output that only clients of the provider's own dialect understand: `shown`, such as a search that runs at the provider; or `asks`, such as
 * a call of another kind than of a function, which the client shall make.
 */
export type OwnOutput = 'shown' | 'asks'

export interface DecoderOptions {
  /** Names calls whose server gave them no id. */
  readonly newCallId: () => string
  /** `streamed`: `begin` and `toolCallDelta` as well. */
  readonly calls: 'whole' | 'streamed'
}

export interface EncodeOptions {
  readonly model: string
  readonly delivery: Delivery
}

/** By lower-case name. */
export type AnswerHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

/** What providers speak. */
export interface ProviderCodec {
  readonly dialect: DialectName
  encode(request: ModelRequest, options: EncodeOptions): Encoded
  decoder(options: DecoderOptions): StreamDecoder
  /** Of a whole answer, parsed: the same events as its stream would have had, without deltas. Throws `StreamFault`. */
  decodeAnswer(body: unknown, newCallId: () => string): ModelEvent[]
  /** Of an answer that is no success; `body` parsed where it is JSON. */
  errorOf(status: number, body: unknown, headers?: AnswerHeaders): ErrorFacts
}

/** An event of the provider's own, and what it means. */
export interface Frame {
  readonly raw: SseEvent
  readonly events: readonly ModelEvent[]
  readonly own?: OwnOutput
}

/** A client's request, read as far as routing needs; `neutral` is made when somebody asks. */
export interface ClientRequest {
  readonly model: string
  readonly delivery: Delivery
  readonly maxTokens: number | null
  /** The end user. */
  readonly user: string | null
  readonly toolNames: readonly string[]
  /** Throws `RequestFault` for what has no neutral form. The same object at each call. */
  neutral(): ModelRequest
  /** What `neutral` leaves out, as `Encoded.dropped`. */
  ignored(): readonly string[]
}

export interface PassOptions {
  readonly model: string
  /** The target's own, over the client's. */
  readonly params: Readonly<Record<string, unknown>>
  readonly delivery: Delivery
}

/** How an answer is named to the client. */
export interface AnswerHead {
  /** Ours, with the dialect's prefix, unless the provider's own answer is passed on. */
  readonly id: string
  readonly model: string
  /** Unix seconds. */
  readonly createdS: number
}

/** JSON that every answer of ours carries as its member `parley`, and other members beside it. */
export type Trailer = Readonly<Record<string, unknown>>

export interface FailFacts {
  /** OpenAI's words for it; every dialect has its own for some. */
  readonly status: number
  readonly code: string
  readonly type: string
  readonly message: string
  readonly param: string | null
}

/** One streamed answer to one client. Each method gives the text to be sent, which may be empty. */
export interface AnswerWriter {
  /** An event of a provider that speaks the same dialect: as it came, but for what must change. */
  pass(frame: Frame): string
  /** Of any provider; also goes on where passed events broke off. */
  write(event: ModelEvent): string
  /** Once, last: what is held back, with our record, and the dialect's own ending. */
  end(trailer: Trailer): string
  /** Once, instead of `end`: the answer broke off. */
  fail(error: FailFacts, trailer: Trailer): string
}

/** What clients speak. */
export interface ClientCodec {
  readonly dialect: DialectName
  /** Throws `RequestFault`. `body` is an object. */
  read(body: Readonly<Record<string, unknown>>): ClientRequest
  /** The client's own body for a provider that speaks the same dialect. The body itself is left as it is. */
  passBody(body: Readonly<Record<string, unknown>>, options: PassOptions): Record<string, unknown>
  writer(head: AnswerHead, body: Readonly<Record<string, unknown>>): AnswerWriter
  /** A whole answer out of neutral events. */
  encodeAnswer(
    events: readonly ModelEvent[],
    head: AnswerHead,
    body: Readonly<Record<string, unknown>>,
  ): Record<string, unknown>
  errorBody(error: FailFacts): Record<string, unknown>
}
