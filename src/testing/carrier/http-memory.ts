/** An HTTP double in memory: a network for undici with one server in it, where bytes are there as soon as promises settle. */
import { Dispatcher, errors } from 'undici'
import type { HttpDoubleAnswer, HttpDoubleServer } from './http.ts'

/** Undici's older handler, which its `request` still is. */
interface Handler {
  onConnect(abort: (reason: Error) => void): void
  onHeaders(status: number, headers: Buffer[], resume: () => void, text: string): boolean
  onData(chunk: Buffer): boolean
  onComplete(trailers: Buffer[]): void
  onError(error: Error): void
}

export class MemoryDispatcher extends Dispatcher {
  readonly #double: HttpDoubleServer
  readonly #running = new Set<(error: Error) => void>()
  #destroyed = false

  constructor(double: HttpDoubleServer) {
    super()
    this.#double = double
  }

  /** Requests whose answer is not over. */
  get open(): number {
    return this.#running.size
  }

  override dispatch(options: Dispatcher.DispatchOptions, anyHandler: Dispatcher.DispatchHandler): boolean {
    const handler = anyHandler as unknown as Handler
    let gone = () => {}
    let state: 'open' | 'over' = 'open'
    const over = () => {
      state = 'over'
      this.#running.delete(fail)
      gone()
    }
    const fail = (error: Error) => {
      if (state === 'over') return
      over()
      handler.onError(error)
    }
    // A microtask, as no answer comes before its request was sent.
    const later = (act: () => void) => queueMicrotask(() => state === 'open' && act())
    this.#running.add(fail)
    handler.onConnect(fail)
    if (this.#destroyed) fail(new errors.ClientDestroyedError())
    if ((state as string) === 'over') return true
    const answer: HttpDoubleAnswer = {
      head: (status, headers = {}) =>
        later(() => {
          const raw = Object.entries(headers).flatMap((pair) => pair.map((text) => Buffer.from(text)))
          handler.onHeaders(status, raw, () => {}, '')
        }),
      // A reader who is behind is not waited for: what it has not read it holds.
      write: (bytes) => later(() => void handler.onData(Buffer.from(bytes as Uint8Array))),
      end: () =>
        later(() => {
          over()
          handler.onComplete([])
        }),
      drop: () => later(() => fail(new errors.SocketError('other side closed'))),
    }
    const bytes = bytesOf(options.body)
    gone = this.#double(
      {
        method: options.method,
        url: new URL(options.path, String(options.origin)),
        headers: headersOf(options.headers),
        bytes,
        body: bytes.toString('utf8'),
      },
      answer,
    )
    return true
  }

  override close(): Promise<void> {
    return this.destroy()
  }

  override async destroy(): Promise<void> {
    this.#destroyed = true
    for (const fail of [...this.#running]) fail(new errors.ClientDestroyedError())
  }
}

function bytesOf(body: unknown): Buffer {
  if (typeof body === 'string') return Buffer.from(body)
  return body instanceof Uint8Array ? Buffer.from(body) : Buffer.alloc(0)
}

function headersOf(headers: unknown): Readonly<Record<string, string>> {
  const given = Object.entries((headers ?? {}) as Record<string, string>)
  return Object.fromEntries(given.map(([name, value]) => [name.toLowerCase(), value]))
}
