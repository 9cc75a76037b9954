/**
 * A streamed answer of a model's HTTP server: bytes in, its events with their meaning out, one batch a read of the socket. A reader that
 * falls behind pauses the socket; one that leaves closes the request.
 *
 *     undici.request ─ data ─► framing (SSE) ─► decoder ─► queue ─► reader
 */
import { openScope, type Scope } from '../cancel.ts'
import type { Clock } from '../clock.ts'
import type { Frame, StreamDecoder } from '../dialect/codec.ts'
import { StreamFault } from '../dialect/faults.ts'
import type { SseEvent } from '../dialect/sse.ts'
import { EventQueue } from './event-queue.ts'
import { asProviderError, exchange, failure, type HttpBody, type HttpExchange } from './http-exchange.ts'

/** Events out of bytes: server-sent events, or a provider's own framing. Throws an error without anybody's words. */
export interface Framing {
  push(bytes: Uint8Array): SseEvent[]
  end(): SseEvent[]
}

export interface StreamedExchange extends HttpExchange {
  readonly contentType: RegExp
  readonly framing: () => Framing
  readonly decoder: () => StreamDecoder
}

/** What may follow the last event before the connection is given up instead of kept for the next request. */
const TAIL_BYTES = 65_536
const TAIL_MS = 2_000

/** Throws `ProviderError`, or the signal's reason. */
export async function* framesOf(
  call: StreamedExchange,
  signal: AbortSignal,
): AsyncGenerator<readonly Frame[]> {
  signal.throwIfAborted()
  // Its own scope, so that a reader who leaves early closes the request too.
  const scope = openScope(signal)
  let answered = false
  try {
    const { headers, body } = await exchange(call, scope)
    const type = String(headers['content-type'] ?? '')
    if (type !== '' && !call.contentType.test(type)) {
      throw failure(call, 'transient', 'the server answered with something that is no event stream')
    }
    const decoder = call.decoder()
    for await (const frames of readFrames(call, decoder, body, scope)) {
      signal.throwIfAborted()
      if (decoder.done && !answered) letGo(body, call.clock)
      answered = decoder.done
      yield frames
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
function letGo(body: HttpBody, clock: Clock): void {
  let bytes = 0
  const timer = clock.setTimer(TAIL_MS, () => body.destroy())
  body.on('data', (chunk: Buffer) => {
    if ((bytes += chunk.length) > TAIL_BYTES) body.destroy()
  })
  body.on('close', () => timer.cancel())
  if (body.closed) timer.cancel()
  body.resume()
}

function readFrames(
  { framing: newFraming }: StreamedExchange,
  decoder: StreamDecoder,
  body: HttpBody,
  scope: Scope,
): AsyncIterable<readonly Frame[]> {
  const framing = newFraming()
  const queue = new EventQueue<readonly Frame[]>({ full: () => body.pause(), drained: () => body.resume() })
  const fail = (error: unknown) => queue.fail(error)
  const put = (events: readonly SseEvent[]) => {
    const frames: Frame[] = []
    try {
      for (const raw of events) {
        if (decoder.done) break
        const events = decoder.push(raw)
        const { own } = decoder
        frames.push(own === undefined ? { raw, events } : { raw, events, own })
      }
    } finally {
      if (frames.length > 0) queue.push(frames)
    }
    if (decoder.done) queue.end()
  }

  body.on('data', (bytes: Buffer) => {
    try {
      put(framing.push(bytes))
    } catch (error) {
      fail(error)
    }
  })
  body.on('end', () => {
    try {
      put(framing.end())
      const events = decoder.end()
      if (events.length > 0) queue.push([{ raw: NOTHING, events }])
      queue.end()
    } catch (error) {
      fail(error)
    }
  })
  body.on('error', fail)
  // A body destroyed by an abort may close without an error.
  body.on('close', () => {
    if (!queue.ended) fail(scope.signal.reason ?? new StreamFault('transient', 'the connection closed'))
  })
  return queue
}

/** What a decoder knew only at the end came with no event of its own. */
const NOTHING: SseEvent = { event: 'message', data: '' }
