/** A language model behind HTTP, out of the dialect its server speaks and the address it has: for voice and for the gateway. */
import { randomUUID } from 'node:crypto'
import type { Dispatcher } from 'undici'
import type { Clock } from '../clock.ts'
import type { Delivery, ProviderCodec } from '../dialect/codec.ts'
import type { ModelEvent, ModelRequest } from '../dialect/neutral.ts'
import { SseParser } from '../dialect/sse.ts'
import type { LlmAdapter, LlmCaps, LlmStreamOptions, LlmWire, WireCall } from '../stage/llm.ts'
import { asProviderError, type HttpExchange, type HttpTarget } from './http-exchange.ts'
import { type Framing, framesOf } from './http-frames.ts'
import { wholeOf } from './http-whole.ts'
import { getReady, ReadyAgent } from './ready-agent.ts'

export interface HttpModel {
  readonly provider: string
  readonly model: string
  readonly caps: LlmCaps
  readonly codec: ProviderCodec
  readonly dispatcher: Dispatcher
  /** Of every target. */
  readonly origin: string
  readonly target: (delivery: Delivery, body: string) => HttpTarget | Promise<HttpTarget>
  /** Left out: as it came. */
  readonly fit?: LlmWire['fit']
  /** Left out: server-sent events. */
  readonly framing?: { readonly contentType: RegExp; readonly open: () => Framing }
  /** What else requests wait for, where it can be had before. Never throws. */
  readonly prepare?: () => void
  /** What must not be told to anybody. */
  readonly secrets: readonly string[]
}

const SSE = { contentType: /^text\/event-stream\b/i, open: (): Framing => new SseParser() }

type CallOptions = LlmStreamOptions & Pick<WireCall, 'headers'>

export function httpModel(model: HttpModel): LlmAdapter {
  const { codec, framing = SSE, fit = (body) => body } = model
  const newCallId = () => `call_${randomUUID()}`
  const call = (delivery: Delivery, body: unknown, { clock, headers: more }: CallOptions): HttpExchange => ({
    provider: model.provider,
    dispatcher: model.dispatcher,
    codec,
    target: model.target,
    secrets: model.secrets,
    delivery,
    body: JSON.stringify(body),
    clock,
    more,
  })
  const frames = (body: unknown, calls: 'whole' | 'streamed', options: CallOptions) =>
    framesOf(
      {
        contentType: framing.contentType,
        framing: framing.open,
        decoder: () => codec.decoder({ newCallId, calls }),
        ...call('stream', body, options),
      },
      options.signal,
    )
  const encode: LlmWire['encode'] = (request, delivery) =>
    codec.encode(request, { model: model.model, delivery })
  const bodyOf = (request: ModelRequest) => {
    try {
      return encode(request, 'stream').body
    } catch (error) {
      throw asProviderError(model, error)
    }
  }
  return {
    id: `${model.provider}/${model.model}`,
    caps: model.caps,
    warm() {
      getReady(model.dispatcher, model.origin, 'llm')
      model.prepare?.()
    },
    async *stream(request, options): AsyncGenerator<ModelEvent> {
      for await (const batch of frames(bodyOf(request), 'whole', options)) {
        for (const { events } of batch) yield* events
      }
    },
    wire: {
      dialect: codec.dialect,
      encode,
      fit,
      frames: ({ body, ...options }) => frames(body, 'streamed', options),
      whole: ({ body, ...options }) =>
        wholeOf(
          { read: (parsed) => codec.decodeAnswer(parsed, newCallId), ...call('whole', body, options) },
          options.signal,
        ),
    },
  }
}

/**
 * The last line of defence only: deadlines are the caller's (`attempt/`). A model that reads a long prompt may
 * take a minute to its first byte, and one that thinks may take ten to its whole answer.
 */
const CONNECT_TIMEOUT_MS = 10_000
const HEADERS_TIMEOUT_MS = 660_000
const BODY_TIMEOUT_MS = 120_000
const KEEP_ALIVE_MS = 30_000
/** Each running answer holds one. */
const CONNECTIONS = 512

/** Kept-alive connections of one provider. */
export function modelAgent(clock: Clock): Dispatcher {
  const options = {
    connections: CONNECTIONS,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: HEADERS_TIMEOUT_MS,
    bodyTimeout: BODY_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
  }
  return new ReadyAgent(options, clock)
}
