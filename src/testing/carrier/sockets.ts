/**
 * What a double of a provider's WebSocket is written against, and its two carriers: a real server on port 0, and a
 * `Connect` that runs in memory, where a message is there as soon as promises settle.
 */
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket as NetSocket } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import {
  type Connect,
  type Socket,
  type SocketClose,
  type SocketRequest,
  UpgradeRefused,
} from '../../provider/socket.ts'

export interface DoubleRequest {
  readonly url: URL
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
}

/** The double's end of one connection. */
export interface DoublePeer {
  send(data: string | Uint8Array): void
  close(code: number, reason?: string): void
  /** The connection breaks: the client sees 1006. */
  drop(): void
}

/** What the double does with what it hears. */
export interface DoubleTalk {
  text(text: string): void
  binary(bytes: Uint8Array): void
  /** The connection is over, whoever ended it. */
  gone(close: SocketClose): void
}

export type DoubleAnswer =
  | {
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: string
    }
  /** Neither accepted nor refused. */
  | 'hang'
  /** Accepted; called with the open connection. */
  | ((peer: DoublePeer) => DoubleTalk)

/** Decides on an upgrade. */
export type DoubleServer = (request: DoubleRequest) => DoubleAnswer

/** One that has to ask somebody first. */
export type LateServer = (request: DoubleRequest) => Promise<DoubleAnswer>

export interface ServedDouble {
  /** `ws://127.0.0.1:port`, or `wss:`. */
  readonly url: string
  /** Connections that are open now. */
  readonly open: number
  /** Sockets accepted so far, of requests too. */
  readonly connections: number
  /** Resolves when no connection is open. */
  empty(): Promise<void>
  close(): Promise<void>
}

/** With a certificate: `wss:`, for `localhost`. `listener`: of ordinary requests; left out: they are refused. */
export async function serveDouble(
  double: DoubleServer | LateServer,
  tls?: { readonly cert: string; readonly key: string },
  listener?: RequestListener,
): Promise<ServedDouble> {
  const http = tls ? createTlsServer(tls) : createServer()
  http.on('request', listener ?? ((_request, response) => response.writeHead(426).end()))
  // Upgraded ones are no longer the server's to close.
  const connections = new Set<NetSocket>()
  let accepted = 0
  http.on('connection', (socket: NetSocket) => {
    accepted++
    connections.add(socket)
    socket.on('close', () => connections.delete(socket))
  })
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false })
  http.on('upgrade', (request, socket, head) => {
    socket.on('error', () => {})
    const headers = request.headers as DoubleRequest['headers']
    const url = new URL(request.url ?? '/', `ws://${request.headers.host ?? '127.0.0.1'}`)
    const answered = double({ url, headers })
    if (answered instanceof Promise) void answered.then(upgrade)
    else upgrade(answered)
    function upgrade(answer: DoubleAnswer): void {
      if (answer === 'hang') return
      if (typeof answer !== 'function') {
        const { status, headers = {}, body = '' } = answer
        const lines = Object.entries({ connection: 'close', 'content-length': body.length, ...headers })
        socket.end(
          `HTTP/1.1 ${status} Refused\r\n${lines.map(([k, v]) => `${k}: ${v}\r\n`).join('')}\r\n${body}`,
        )
        return
      }
      sockets.handleUpgrade(request, socket, head, (ws) => talkOver(ws, answer))
    }
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  return {
    url: `${tls ? 'wss' : 'ws'}://127.0.0.1:${(http.address() as AddressInfo).port}`,
    get open() {
      return sockets.clients.size
    },
    get connections() {
      return accepted
    },
    async empty() {
      await Promise.all([...sockets.clients].map((ws) => new Promise((resolve) => ws.on('close', resolve))))
    },
    async close() {
      for (const socket of connections) socket.destroy()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}

function talkOver(ws: WebSocket, accept: (peer: DoublePeer) => DoubleTalk): void {
  const talk = accept({
    send: (data) => ws.send(data),
    close: (code, reason) => ws.close(code, reason),
    drop: () => ws.terminate(),
  })
  ws.on('message', (data: Buffer, isBinary) =>
    isBinary ? talk.binary(data) : talk.text(data.toString('utf8')),
  )
  ws.on('close', (code, reason) => talk.gone({ code, reason: reason.toString('utf8') }))
  ws.on('error', () => {})
}

/** Counts what is open, to show that nothing is left. */
export interface MemoryConnect {
  readonly connect: Connect
  /** Sockets open, and openings that hang. */
  readonly open: number
}

export function connectInMemory(double: DoubleServer): MemoryConnect {
  const open = new Set<unknown>()
  const connect: Connect = async (request) => {
    request.signal.throwIfAborted()
    const answer = double(requestOf(request))
    if (answer === 'hang') return hang(request.signal, open)
    await Promise.resolve()
    if (typeof answer !== 'function') {
      throw new UpgradeRefused(answer.status, answer.headers ?? {}, answer.body ?? '')
    }
    const socket = new MemorySocket(() => open.delete(socket))
    open.add(socket)
    socket.talk = answer(socket.peer)
    return socket
  }
  return {
    connect,
    get open() {
      return open.size
    },
  }
}

function requestOf({ url, headers = {} }: SocketRequest): DoubleRequest {
  const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])
  return { url: new URL(url), headers: Object.fromEntries(lower) }
}

function hang(signal: AbortSignal, open: Set<unknown>): Promise<never> {
  open.add(signal)
  return new Promise((_resolve, reject) => {
    signal.addEventListener(
      'abort',
      () => {
        open.delete(signal)
        reject(signal.reason)
      },
      { once: true },
    )
  })
}

class MemorySocket implements Socket {
  readonly closed: Promise<SocketClose>
  readonly messages: AsyncIterable<string | Uint8Array>
  readonly bufferedAmount = 0
  readonly peer: DoublePeer
  talk: DoubleTalk | undefined
  readonly #unread: (string | Uint8Array)[] = []
  #wake: (() => void) | undefined
  #end: SocketClose | undefined
  #closing = false
  #resolveClosed: (close: SocketClose) => void = () => {}

  constructor(private readonly onEnd: () => void) {
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    this.messages = { [Symbol.asyncIterator]: () => this.#read() }
    this.peer = {
      send: (data) => {
        if (this.#end || this.#closing) return
        this.#unread.push(data)
        this.#wake?.()
      },
      close: (code, reason = '') => this.#over({ code, reason }),
      drop: () => this.#over({ code: 1006, reason: '' }),
    }
  }

  sendText(text: string): void {
    this.#carry(() => this.talk?.text(text))
  }

  sendBinary(bytes: Uint8Array): void {
    const copy = bytes.slice()
    this.#carry(() => this.talk?.binary(copy))
  }

  close(code = 1005, reason = ''): void {
    if (this.#closing) return
    // What was sent before is heard before.
    this.#carry(() => this.#over({ code, reason }))
    this.#closing = true
  }

  terminate(): void {
    this.#over({ code: 1006, reason: '' })
  }

  #carry(act: () => void): void {
    if (this.#closing || this.#end) return
    queueMicrotask(() => {
      if (!this.#end) act()
    })
  }

  #over(close: SocketClose): void {
    if (this.#end) return
    this.#end = close
    this.onEnd()
    this.talk?.gone(close)
    this.#resolveClosed(close)
    this.#wake?.()
  }

  async *#read(): AsyncGenerator<string | Uint8Array> {
    for (;;) {
      while (this.#unread.length > 0) yield this.#unread.shift()!
      if (this.#end) return
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
