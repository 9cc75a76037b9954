/** An upstream that says byte for byte what a test tells it to, and sees when its caller leaves. */

import type { AddressInfo } from 'node:net'
import { createServer, type Server, type Socket } from 'node:net'

export interface RawUpstream {
  readonly baseUrl: string
  /** What follows each request's end; pieces are written one after the other, as packets of their own. */
  answer(...pieces: readonly (string | Uint8Array)[]): void
  /** Requests as they came, head and body. */
  readonly requests: readonly string[]
  /** Bytes of answers that were taken from it. */
  readonly said: number
  /** Resolves when the connection of the newest request was closed by the caller. */
  left(): Promise<void>
  /** Breaks all connections off. */
  hangUp(): void
  close(): Promise<void>
}

export async function startRawUpstream(): Promise<RawUpstream> {
  let pieces: readonly (string | Uint8Array)[] = []
  const requests: string[] = []
  let said = 0
  const sockets = new Set<Socket>()
  let newest: Promise<void> = Promise.resolve()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.setNoDelay(true)
    const gone = new Promise<void>((resolve) => {
      socket.on('close', () => {
        sockets.delete(socket)
        resolve()
      })
    })
    socket.on('error', () => {})
    let seen = ''
    socket.on('data', (bytes) => {
      seen += bytes.toString('latin1')
      const head = seen.indexOf('\r\n\r\n')
      const length = Number(/content-length: (\d+)/i.exec(seen)?.[1] ?? 0)
      if (head < 0 || seen.length < head + 4 + length) return
      requests.push(seen)
      seen = ''
      newest = gone
      void say(socket, pieces, (bytes) => {
        said += bytes
      })
    })
  })
  const hangUp = () => {
    for (const socket of sockets) socket.destroy()
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    get said() {
      return said
    },
    answer(...next) {
      pieces = next
    },
    left: () => newest,
    hangUp,
    close() {
      hangUp()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

async function say(
  socket: Socket,
  pieces: readonly (string | Uint8Array)[],
  taken: (bytes: number) => void,
): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed) return
    await new Promise<void>((resolve) => socket.write(piece, () => resolve()))
    taken(piece.length)
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
}

export const SSE_HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n'

/** A chunk of a streamed chat completion. */
export function chunk(content: string, finish: string | null = null): string {
  return JSON.stringify({ id: 'x', choices: [{ index: 0, delta: { content }, finish_reason: finish }] })
}
