/**
 * What a double of a provider's HTTP endpoint is written against, and its first carrier: a real server on port 0. The other is
 * `http-memory.ts`.
 */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Clock } from '../../clock.ts'

export interface HttpDoubleRequest {
  readonly method: string
  readonly url: URL
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly bytes: Buffer
  /** `bytes` as text. */
  readonly body: string
}

/** The double's end of one answer. */
export interface HttpDoubleAnswer {
  head(status: number, headers?: Readonly<Record<string, string>>): void
  write(bytes: Uint8Array | string): void
  end(): void
  /** The connection breaks, after what was written. */
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
  const http = createServer(listenerOf(double))
  const sockets = new Set<Socket>()
  http.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    close() {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => http.close(() => resolve()))
    },
  }
}

/** For a server of `node:http`. */
export function listenerOf(double: HttpDoubleServer): RequestListener {
  return (request, response) => {
    const chunks: Buffer[] = []
    response.on('error', () => {})
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const bytes = Buffer.concat(chunks)
      const gone = double(
        {
          method: request.method ?? '',
          url: new URL(request.url ?? '/', `http://${request.headers.host ?? '127.0.0.1'}`),
          headers: request.headers as HttpDoubleRequest['headers'],
          bytes,
          body: bytes.toString('utf8'),
        },
        {
          head: (status, headers = {}) => void response.writeHead(status, headers).flushHeaders(),
          write: (part) => void response.write(part),
          end: () => void response.end(),
          drop: () =>
            void (response.headersSent ? response.write('', () => response.destroy()) : response.destroy()),
        },
      )
      response.on('close', gone)
    })
  }
}

/** `hang`: no answer ever; `drop`: the connection breaks. */
export type WholeReply =
  | {
      readonly status: number
      /** `application/json`, where no other type is named. */
      readonly headers?: Readonly<Record<string, string>>
      readonly body: string
      readonly afterMs?: number
    }
  | 'hang'
  | 'drop'

/** Sends an answer that is there at once, or after its delay. Returns what cancels it. */
export function reply(clock: Clock, answer: HttpDoubleAnswer, whole: WholeReply): () => void {
  if (whole === 'hang') return () => {}
  if (whole === 'drop') {
    answer.drop()
    return () => {}
  }
  const { status, headers, body, afterMs = 0 } = whole
  const send = () => {
    answer.head(status, { 'content-type': 'application/json', ...headers })
    answer.write(body)
    answer.end()
  }
  if (afterMs > 0) {
    const timer = clock.setTimer(afterMs, send)
    return () => timer.cancel()
  }
  send()
  return () => {}
}
