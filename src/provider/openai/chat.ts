/**
 * One streamed chat completion: request out, bytes in, neutral events to the reader. Never retries. Aborting
 * closes the upstream request; a reader that falls behind pauses the socket.
 *
 *     undici.request ─ data ─► SSE ─► chunks ─► queue ─► reader
 */
import { type Dispatcher, errors } from 'undici'
import { openScope, type Scope } from '../../cancel.ts'
import type { Clock } from '../../clock.ts'
import type { ModelEvent } from '../../dialect/neutral.ts'
import { ChatStreamDecoder, ChatStreamFault } from '../../dialect/openai-chat.ts'
import { errorOfStatus } from '../../dialect/openai-error.ts'
import { SseParser, SseTooLarge } from '../../dialect/sse.ts'
import { ProviderError, type ProviderErrorKind } from '../../errors.ts'
import { retryAfterMs } from '../retry-after.ts'
import { EventQueue } from './queue.ts'
import type { Endpoint } from './settings.ts'

type Body = Dispatcher.ResponseData['body']

export interface ChatCall {
  readonly provider: string
  readonly endpoint: Endpoint
  readonly dispatcher: Dispatcher
  readonly body: string
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly newCallId: () => string
}

/** Of an error's body, to read its code. */
const ERROR_BODY_BYTES = 16_384
/** What may follow the last event before the connection is given up instead of kept for the next request. */
const TAIL_BYTES = 65_536
const TAIL_MS = 2_000

export async function* streamChat(call: ChatCall): AsyncGenerator<ModelEvent> {
  const { signal } = call
  signal.throwIfAborted()
  // Its own scope, so that a reader who leaves early closes the request too.
  const scope = openScope(signal)
  let answered = false
  try {
    const { statusCode, headers, body } = await send(call, scope)
    if (statusCode !== 200) throw await refusalOf(call, statusCode, headers, body)
    const type = String(headers['content-type'] ?? '')
    if (type !== '' && !/^text\/event-stream\b/i.test(type)) {
      throw failure(call, 'transient', 'the server answered with something that is no event stream')
    }
    for await (const event of eventsOf(call, body, scope)) {
      signal.throwIfAborted()
      answered = event.type === 'finish'
      if (answered) letGo(body, call.clock)
      yield event
    }
  } catch (error) {
    signal.throwIfAborted()
    throw asProviderError(call, error)
  } finally {
    if (answered) scope.release()
    else scope.cancel('done')
  }
}

/**
 * What follows the last event is usually there already; read to its end, the connection is free for the next
 * request. A server that neither ends nor stops loses it.
 */
function letGo(body: Body, clock: Clock): void {
  let bytes = 0
  const timer = clock.setTimer(TAIL_MS, () => body.destroy())
  body.on('data', (chunk: Buffer) => {
    if ((bytes += chunk.length) > TAIL_BYTES) body.destroy()
  })
  body.on('close', () => timer.cancel())
  if (body.closed) timer.cancel()
  body.resume()
}

function send({ endpoint, dispatcher, body }: ChatCall, { signal }: Scope): Promise<Dispatcher.ResponseData> {
  const { url, headers } = endpoint
  return dispatcher.request({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method: 'POST',
    headers: { ...headers },
    body,
    signal,
  })
}

async function* eventsOf(call: ChatCall, body: Body, scope: Scope): AsyncGenerator<ModelEvent> {
  const parser = new SseParser()
  const decoder = new ChatStreamDecoder(call.newCallId)
  const queue = new EventQueue<ModelEvent>({ full: () => body.pause(), drained: () => body.resume() })
  const fail = (error: unknown) => queue.fail(error)

  body.on('data', (bytes: Buffer) => {
    try {
      for (const { data } of parser.push(bytes)) queue.push(decoder.push(data))
      if (decoder.done) queue.end()
    } catch (error) {
      fail(error)
    }
  })
  body.on('end', () => {
    try {
      for (const { data } of parser.end()) queue.push(decoder.push(data))
      queue.push(decoder.end())
      queue.end()
    } catch (error) {
      fail(error)
    }
  })
  body.on('error', fail)
  // A body destroyed by an abort may close without an error.
  body.on('close', () =>
    fail(scope.signal.reason ?? new ChatStreamFault('transient', 'the connection closed')),
  )

  yield* queue.read()
}

async function refusalOf(
  call: ChatCall,
  status: number,
  headers: Dispatcher.ResponseData['headers'],
  body: Body,
): Promise<ProviderError> {
  const { kind, message } = errorOfStatus(status, await errorBody(body))
  const after = retryAfterMs(headers, call.clock.wallMs())
  return failure(call, kind, message, { ...(after !== undefined && { retryAfterMs: after }) })
}

async function errorBody(body: Body): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of body) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > ERROR_BODY_BYTES) break
    }
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    return undefined
  }
}

function asProviderError(call: ChatCall, error: unknown): ProviderError {
  if (error instanceof ProviderError) return error
  if (error instanceof ChatStreamFault) return failure(call, error.kind, error.message)
  if (error instanceof SseTooLarge) return failure(call, 'transient', error.message)
  const late =
    error instanceof errors.ConnectTimeoutError ||
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError
  const code = (error as { code?: unknown })?.code
  const what = typeof code === 'string' ? code : error instanceof Error ? error.name : 'failed'
  return failure(call, late ? 'timeout' : 'transient', `the connection failed (${what})`, { cause: error })
}

function failure(
  { provider }: ChatCall,
  kind: ProviderErrorKind,
  message: string,
  more: { readonly retryAfterMs?: number; readonly cause?: unknown } = {},
): ProviderError {
  return new ProviderError({ provider, stage: 'llm', kind, message, ...more })
}
