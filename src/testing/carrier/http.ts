/**
 * What a double of a provider's HTTP endpoint is written against, and its two carriers: a real server on port 0, and a
 * dispatcher in memory, where bytes are there as soon as promises settle.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { type Dispatcher, errors } from 'undici'

export interface HttpDoubleRequest {
  readonly method: string
  readonly url: URL
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
}

/** The double's end of one answer. */
export interface HttpDoubleAnswer {
  head(status: number, headers?: Readonly<Record<string, string>>): void
  write(bytes: Uint8Array | string): void
  end(): void
  /** The connection breaks. */
  drop(): void
}

/** Called with each request; what it gives is called when the answer is over, whoever ended it. */
export type HttpDoubleServer = (request: HttpDoubleRequest, answer: HttpDoubleAnswer) => () => void

export interface ServedHttpDouble {
  /** `http://127.0.0.1:port`. */
  readonly url: string
  close(): Promise<void>
}

export async function serveHttpDouble(double: HttpDoubleServer): Promise<ServedHttpDouble> {
  const http = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const gone = double(
        {
          method: request.method ?? '',
          url: new URL(request.url ?? '/', 'http://127.0.0.1'),
          headers: request.headers as HttpDoubleRequest['headers'],
          body: Buffer.concat(chunks).toString('utf8'),
        },
        {
          head: (status, headers = {}) => void response.writeHead(status, headers).flushHeaders(),
          write: (bytes) => void response.write(bytes),
          end: () => void response.end(),
          drop: () => void response.destroy(),
        },
      )
      response.on('close', gone)
    })
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    close() {
      http.closeAllConnections()
      return new Promise((resolve) => http.close(() => resolve()))
    },
  }
}

export interface MemoryDispatcher {
  readonly dispatcher: Dispatcher
  /** Requests whose answer is not over. */
  readonly open: number
}

/** Of a dispatcher, what adapters use: `request` and `destroy`. */
export function dispatcherInMemory(double: HttpDoubleServer): MemoryDispatcher {
  const running = new Set<(error: Error) => void>()
  let destroyed = false
  const request = (options: Dispatcher.RequestOptions): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const signal = options.signal as AbortSignal
      if (signal.aborted) return reject(signal.reason)
      if (destroyed) return reject(new errors.ClientDestroyedError())
      const body = new Readable({ read() {} })
      let gone = () => {}
      const over = () => {
        running.delete(fail)
        signal.removeEventListener('abort', onAbort)
        gone()
        gone = () => {}
      }
      const fail = (error: Error) => {
        over()
        reject(error)
        body.destroy(error)
      }
      const onAbort = () => fail(signal.reason as Error)
      // One that nobody reads yet.
      body.on('error', () => {})
      running.add(fail)
      signal.addEventListener('abort', onAbort, { once: true })
      const lower = Object.entries(options.headers as Record<string, string>)
      gone = double(
        {
          method: options.method,
          url: new URL(options.path, String(options.origin)),
          headers: Object.fromEntries(lower.map(([name, value]) => [name.toLowerCase(), value])),
          body: String(options.body),
        },
        {
          head: (statusCode, headers = {}) => resolve({ statusCode, headers, body }),
          write: (bytes) => void (running.has(fail) && body.push(bytes)),
          end: () => {
            if (!running.has(fail)) return
            body.push(null)
            over()
          },
          drop: () => fail(new errors.SocketError('other side closed')),
        },
      )
    })
  const destroy = async () => {
    destroyed = true
    for (const fail of [...running]) fail(new errors.ClientDestroyedError())
  }
  return {
    dispatcher: { request, destroy, close: destroy } as unknown as Dispatcher,
    get open() {
      return running.size
    },
  }
}
