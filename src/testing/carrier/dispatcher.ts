/**
 * What an HTTP double is written against, and its two carriers: a real server, and a network for undici inside the process, where
 * nothing waits but for the virtual clock.
 */
import type { RequestListener } from 'node:http'
import { Dispatcher, errors } from 'undici'
import type { Clock, Timer } from '../../clock.ts'

export interface MemoryRequest {
  readonly method: string
  /** `http://host`, as the client called it. */
  readonly origin: string
  /** With the query. */
  readonly path: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** `hang`: no answer ever; `drop`: the connection breaks. */
export type MemoryReply =
  | {
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly body: string
      readonly afterMs?: number
    }
  | 'hang'
  | 'drop'

export type MemoryServer = (request: MemoryRequest) => {
  readonly reply: MemoryReply
  /** The client broke off before the answer. */
  gone(): void
}

/** Undici's older handler, which its `request` still is. */
interface Handler {
  onConnect(abort: (reason: Error) => void): void
  onHeaders(status: number, headers: Buffer[], resume: () => void, text: string): boolean
  onData(chunk: Buffer): boolean
  onComplete(trailers: Buffer[]): void
  onError(error: Error): void
}

export class MemoryDispatcher extends Dispatcher {
  readonly #timers = new Set<Timer>()
  /** Requests without an answer. */
  open = 0

  constructor(
    private readonly server: MemoryServer,
    private readonly clock: Clock,
  ) {
    super()
  }

  override dispatch(options: Dispatcher.DispatchOptions, anyHandler: Dispatcher.DispatchHandler): boolean {
    const handler = anyHandler as unknown as Handler
    const given = Object.entries(options.headers as Record<string, string>)
    const { reply, gone } = this.server({
      method: options.method,
      origin: String(options.origin),
      path: options.path,
      headers: Object.fromEntries(given.map(([name, value]) => [name.toLowerCase(), value])),
      body: Buffer.from(options.body as Uint8Array),
    })
    this.open++
    let over = false
    const end = (): boolean => {
      if (over) return false
      over = true
      this.open--
      return true
    }
    let aborted: Error | undefined
    handler.onConnect((reason) => {
      aborted = reason
      if (!end()) return
      gone()
      handler.onError(reason)
    })
    if (aborted || reply === 'hang') return true
    const answer = () => {
      if (!end()) return
      if (reply === 'drop') return handler.onError(new errors.SocketError('other side closed'))
      const { status, headers = {}, body } = reply
      const raw = Object.entries(headers).flatMap((pair) => pair.map((text) => Buffer.from(text)))
      handler.onHeaders(status, raw, () => {}, '')
      handler.onData(Buffer.from(body))
      handler.onComplete([])
    }
    this.#later(reply === 'drop' ? 0 : (reply.afterMs ?? 0), answer)
    return true
  }

  #later(ms: number, act: () => void): void {
    if (ms <= 0) return queueMicrotask(act)
    const timer = this.clock.setTimer(ms, () => {
      this.#timers.delete(timer)
      act()
    })
    this.#timers.add(timer)
  }

  override close(): Promise<void> {
    return Promise.resolve()
  }

  override destroy(): Promise<void> {
    for (const timer of this.#timers) timer.cancel()
    return Promise.resolve()
  }
}

/** For a real server. `afterMs` is not waited for. */
export function listenerOf(server: MemoryServer): RequestListener {
  return (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { reply, gone } = server({
        method: request.method ?? '',
        origin: `http://${request.headers.host}`,
        path: request.url ?? '',
        headers: request.headers as Record<string, string>,
        body: Buffer.concat(chunks),
      })
      response.on('close', () => response.writableFinished || gone())
      if (reply === 'hang') return
      if (reply === 'drop') return void response.destroy()
      response
        .writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers })
        .end(reply.body)
    })
  }
}
