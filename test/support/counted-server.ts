/** A real server on the loopback, over TLS or without, that counts the connections it is given. */
import { once } from 'node:events'
import { createServer as createPlainServer, type RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { selfSigned } from './certificate.ts'

export interface CountedServer {
  readonly origin: string
  readonly port: number
  /** All that ever connected, in order. */
  readonly sockets: readonly Socket[]
  /** Of each request: its path, and the port of its connection's other end, which tells connections apart. */
  readonly requests: readonly { readonly path: string; readonly from: number | undefined }[]
  /** Connections that stand. */
  readonly open: number
  /** Until so many connections were made, ever, and have shaken hands. */
  connected(count: number): Promise<void>
  close(): void
}

const certificate = selfSigned()
/** What its clients are to trust. */
export const COUNTED_CA = certificate.cert

export async function serveCounted(
  kind: 'tls' | 'plain',
  answer: RequestListener = (_request, response) => void response.end('done'),
): Promise<CountedServer> {
  const sockets: Socket[] = []
  const requests: { path: string; from: number | undefined }[] = []
  const server = kind === 'tls' ? createServer(certificate) : createPlainServer()
  const shaken = kind === 'tls' ? 'secureConnection' : 'connection'
  let hands = 0
  server.on('connection', (socket: Socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
  })
  server.on(shaken, () => hands++)
  server.on('request', (request, response) => {
    requests.push({ path: request.url ?? '', from: request.socket.remotePort })
    answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    origin: `${kind === 'tls' ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    sockets,
    requests,
    get open() {
      return sockets.filter(({ destroyed }) => !destroyed).length
    },
    async connected(count) {
      while (hands < count) await once(server, shaken)
    },
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
