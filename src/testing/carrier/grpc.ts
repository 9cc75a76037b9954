/**
 * What a double of a provider's gRPC service is written against, and a real server for it on port 0, over HTTP/2 without TLS.
 * Calls stream both ways. The protocol: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md.
 */
import { createServer, type ServerHttp2Stream } from 'node:http2'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { DURATION, durationOf, encode, type Fields, type Message } from './protobuf.ts'
import type { ServedDouble } from './sockets.ts'

/** The double's end of one call. Nothing goes out after its end. */
export interface GrpcPeer {
  send(message: Uint8Array): void
  /** Status OK. */
  end(): void
  /** Another: https://grpc.io/docs/guides/status-codes. `details` are in Google's own form. */
  fail(code: number, details?: GrpcDetails): void
  /** The connection breaks, and all calls on it. */
  drop(): void
}

export interface GrpcDetails {
  /** Of `google.rpc.ErrorInfo`. */
  readonly reason?: string
  /** Of `google.rpc.RetryInfo`. */
  readonly retryAfterMs?: number
}

export interface GrpcTalk {
  message(bytes: Uint8Array): void
  /** The client sends no more. */
  finished(): void
  /** The call is over, whoever ended it. */
  gone(): void
}

export interface GrpcDoubleServer {
  /** Asked for each connection; one that hangs is never spoken to. */
  connects(): 'hang' | 'open'
  /** `path`: `/package.Service/Method`. Undefined: there is no such method. */
  call(path: string, peer: GrpcPeer): GrpcTalk | undefined
}

/** Longer than any message of speech. */
const MOST_BYTES = 4 << 20
const UNIMPLEMENTED = 12
const RESOURCE_EXHAUSTED = 8

export async function serveGrpc(double: GrpcDoubleServer): Promise<ServedDouble> {
  const http = createServer()
  const sockets = new Set<Socket>()
  let accepted = 0
  http.on('stream', (stream, headers) => answer(double, stream, String(headers[':path'])))
  http.on('sessionError', () => {})
  const tcp = createTcpServer((socket) => {
    accepted++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    if (double.connects() === 'open') http.emit('connection', socket)
  })
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(tcp.address() as AddressInfo).port}`,
    get open() {
      return sockets.size
    },
    get connections() {
      return accepted
    },
    async empty() {
      await Promise.all([...sockets].map((socket) => new Promise((resolve) => socket.on('close', resolve))))
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => tcp.close(resolve))
    },
  }
}

function answer(double: GrpcDoubleServer, stream: ServerHttp2Stream, path: string): void {
  let trailers: Record<string, string> = {}
  let isOver = false
  let talk: GrpcTalk | undefined
  const over = () => {
    if (isOver) return false
    isOver = true
    talk?.gone()
    return true
  }
  const end = (code: number, details?: GrpcDetails) => {
    if (!over()) return
    trailers = { 'grpc-status': String(code), ...(code !== 0 && trailersOf(code, details)) }
    stream.end()
  }
  stream.on('error', () => {})
  stream.on('close', () => void over())
  stream.on('wantTrailers', () => stream.sendTrailers(trailers))
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
  talk = double.call(path, {
    send: (message) => {
      if (!isOver) stream.write(framed(message))
    },
    end: () => end(0),
    fail: end,
    drop: () => {
      over()
      stream.session?.destroy()
    },
  })
  if (!talk) return end(UNIMPLEMENTED)
  let unread = Buffer.alloc(0)
  stream.on('data', (bytes: Buffer) => {
    unread = Buffer.concat([unread, bytes])
    while (!isOver && unread.length >= 5) {
      const length = unread.readUInt32BE(1)
      if (unread[0] !== 0) return end(UNIMPLEMENTED)
      if (length > MOST_BYTES) return end(RESOURCE_EXHAUSTED)
      if (unread.length < 5 + length) return
      talk.message(unread.subarray(5, 5 + length))
      unread = unread.subarray(5 + length)
    }
  })
  stream.on('end', () => {
    if (!isOver) talk.finished()
  })
}

/** Not compressed. */
function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

const ANY: Message = { name: 'Any', fields: { typeUrl: [1, 'string'], value: [2, 'bytes'] } }
const STATUS: Message = {
  name: 'Status',
  fields: { code: [1, 'int'], message: [2, 'string'], details: [3, ANY, 'many'] },
}
const ERROR_INFO: Message = { name: 'ErrorInfo', fields: { reason: [1, 'string'], domain: [2, 'string'] } }
const RETRY_INFO: Message = { name: 'RetryInfo', fields: { retryDelay: [1, DURATION] } }

/** A sentence that nobody may repeat, and Google's details (https://google.aip.dev/193). */
function trailersOf(code: number, { reason, retryAfterMs }: GrpcDetails = {}): Record<string, string> {
  const any = (message: Message, fields: Fields) => ({
    typeUrl: `type.googleapis.com/google.rpc.${message.name}`,
    value: encode(message, fields),
  })
  const details = [
    ...(reason !== undefined ? [any(ERROR_INFO, { reason, domain: 'googleapis.com' })] : []),
    ...(retryAfterMs !== undefined ? [any(RETRY_INFO, { retryDelay: durationOf(retryAfterMs) })] : []),
  ]
  const status = encode(STATUS, { code, message: 'SECRET', details })
  return {
    'grpc-message': 'SECRET',
    ...(details.length > 0 && { 'grpc-status-details-bin': Buffer.from(status).toString('base64') }),
  }
}
