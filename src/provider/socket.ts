/**
 * The face of a WebSocket that adapters speak through, and its implementation on `ws`. Adapters take a `Connect`, so
 * that their tests run in memory and on the virtual clock. Callbacks stop here: above it messages are iterated.
 */
import WebSocket from 'ws'

export interface SocketRequest {
  /** `ws:` or `wss:`, query included. */
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** Only the opening: an abort rejects it with the signal's reason. What was opened is ended by `terminate`. */
  readonly signal: AbortSignal
}

/** As the peer gave it; 1005 without a code, 1006 when the connection broke. */
export interface SocketClose {
  readonly code: number
  readonly reason: string
}

export interface Socket {
  /** Ignored when the socket is closing or closed. */
  sendText(text: string): void
  /** The bytes may not be changed afterwards. Ignored when the socket is closing or closed. */
  sendBinary(bytes: Uint8Array): void
  /** Text as string, binary as bytes; for one reader. Ends at any close, never throws. */
  readonly messages: AsyncIterable<string | Uint8Array>
  /** Resolves when the connection is over, never rejects. */
  readonly closed: Promise<SocketClose>
  /** Bytes given to `send…` that the network has not taken yet. */
  readonly bufferedAmount: number
  /** Starts the closing handshake; what arrives from now on is dropped. Idempotent. The caller bounds the wait by `terminate`. */
  close(code?: number, reason?: string): void
  /** Ends the connection now. Idempotent. */
  terminate(): void
}

/** Rejects with `UpgradeRefused`, with the signal's reason, or with whatever the network says. No time-out of its own. */
export type Connect = (request: SocketRequest) => Promise<Socket>

/** The server answered the upgrade with something else. */
export class UpgradeRefused extends Error {
  override readonly name = 'UpgradeRefused'
  constructor(
    readonly status: number,
    readonly headers: Readonly<Record<string, string | string[] | undefined>>,
    /** The answer's beginning, at most 4 kB. */
    readonly body: string,
  ) {
    super(`the server answered the upgrade with ${status}`)
  }
}

/** The largest message taken; a longer one closes the socket with 1009. */
const MESSAGE_BYTES = 4 * 1024 * 1024
const REFUSAL_BYTES = 4096
/** Unread messages at which the socket stops reading, and starts again. */
const PAUSE_AT = 256
const RESUME_AT = 64

/** A socket of `ws`, without compression, which costs ten times what it saves on audio. */
export const connectWs: Connect = ({ url, headers = {}, signal }) =>
  new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const ws = new WebSocket(url, { headers, perMessageDeflate: false, maxPayload: MESSAGE_BYTES })
    const fail = (error: unknown) => {
      signal.removeEventListener('abort', onAbort)
      // `ws` reports the end of a half-open connection as an error.
      ws.on('error', () => {})
      ws.terminate()
      reject(error)
    }
    const onAbort = () => fail(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    ws.on('error', fail)
    ws.on('unexpected-response', (_request, response) => {
      const chunks: Buffer[] = []
      let bytes = 0
      const refuse = () => {
        const body = Buffer.concat(chunks).toString('utf8', 0, REFUSAL_BYTES)
        fail(new UpgradeRefused(response.statusCode ?? 0, response.headers, body))
      }
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        if ((bytes += chunk.length) >= REFUSAL_BYTES) refuse()
      })
      response.on('end', refuse)
      response.on('error', refuse)
    })
    const socket = new WsSocket(ws)
    ws.on('open', () => {
      signal.removeEventListener('abort', onAbort)
      ws.off('error', fail)
      // A `close` with 1006 follows.
      ws.on('error', () => {})
      resolve(socket)
    })
  })

class WsSocket implements Socket {
  readonly closed: Promise<SocketClose>
  readonly messages: AsyncIterable<string | Uint8Array>
  readonly #unread: (string | Uint8Array)[] = []
  #wake: (() => void) | undefined
  #over = false

  constructor(private readonly ws: WebSocket) {
    ws.binaryType = 'nodebuffer'
    ws.on('message', (data: Buffer, isBinary) => {
      if (ws.readyState !== WebSocket.OPEN) return
      this.#unread.push(isBinary ? data : data.toString('utf8'))
      if (this.#unread.length >= PAUSE_AT) ws.pause()
      this.#wake?.()
    })
    this.closed = new Promise((resolve) => {
      ws.on('close', (code, reason) => {
        this.#over = true
        this.#wake?.()
        resolve({ code, reason: reason.toString('utf8') })
      })
    })
    this.messages = { [Symbol.asyncIterator]: () => this.#read() }
  }

  get bufferedAmount(): number {
    return this.ws.bufferedAmount
  }

  sendText(text: string): void {
    if (this.ws.readyState === WebSocket.OPEN) this.ws.send(text)
  }

  sendBinary(bytes: Uint8Array): void {
    if (this.ws.readyState === WebSocket.OPEN) this.ws.send(bytes)
  }

  close(code?: number, reason?: string): void {
    // A paused socket would never see the peer's answer.
    this.ws.resume()
    this.ws.close(code, reason)
  }

  terminate(): void {
    this.ws.terminate()
  }

  async *#read(): AsyncGenerator<string | Uint8Array> {
    for (;;) {
      while (this.#unread.length > 0) {
        const message = this.#unread.shift()!
        if (this.#unread.length === RESUME_AT && !this.#over) this.ws.resume()
        yield message
      }
      if (this.#over) return
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#wake = undefined
    }
  }
}
