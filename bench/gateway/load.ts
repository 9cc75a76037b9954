/**
 * The load generator of `bench:gateway`, in a process of its own: raw keep-alive sockets, the next request when the last was
 * answered. Every answer is read to its end and checked.
 */
import { connect, type Socket } from 'node:net'
import { type Api, serveParent } from '../harness/process.ts'
import { faultOfPlain, firstTokenAt, QUESTION, readStream } from './answer.ts'
import { HttpReader, type Message } from './http-reader.ts'

/** Where to ask, and how one asks there. */
export interface Target {
  readonly port: number
  readonly model: string
  readonly headers: Readonly<Record<string, string>>
}

export type Kind = 'plain' | 'stream'

export interface LoadOptions {
  readonly target: Target
  readonly kind: Kind
  readonly connections: number
  /** No request begins later. */
  readonly lastMs: number
  /** The connections begin within this, evenly. */
  readonly spreadMs: number
}

export interface LoadResult {
  readonly answers: number
  readonly wrong: number
  /** What was wrong first; empty: nothing. */
  readonly fault: string
  /** From the first request to the last answer. */
  readonly tookMs: number
  /** From the request to the whole answer, each. */
  readonly totalMs: Float64Array
  /** Streams: from the request to the first token, less what the upstream held it, each. */
  readonly firstTokenMs: Float64Array
}

export interface LoadApi extends Api {
  run(options: LoadOptions): Promise<LoadResult>
  read(_: null): Promise<{ readonly cpuMs: number }>
}

/** No answer takes so long. */
const PATIENCE_MS = 20_000

function requestBytes({ port, model, headers }: Target, kind: Kind): Buffer {
  const body = JSON.stringify({
    model,
    messages: [
      { role: 'system', content: 'You answer the telephone of a restaurant. Be short and kind.' },
      { role: 'user', content: QUESTION },
    ],
    temperature: 0.7,
    max_tokens: 300,
    ...(kind === 'stream' && { stream: true, stream_options: { include_usage: true } }),
  })
  const lines = Object.entries({
    host: `127.0.0.1:${port}`,
    accept: kind === 'stream' ? 'text/event-stream' : 'application/json',
    'content-type': 'application/json',
    'user-agent': 'bench',
    ...headers,
    'content-length': String(Buffer.byteLength(body)),
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`POST /v1/chat/completions HTTP/1.1\r\n${lines.join('')}\r\n${body}`)
}

class Run {
  readonly #options: LoadOptions
  readonly #request: Buffer
  readonly #beginAt = performance.now()
  readonly #totals: number[] = []
  readonly #firsts: number[] = []
  #wrong = 0
  #fault = ''
  #endAt = 0

  constructor(options: LoadOptions) {
    this.#options = options
    this.#request = requestBytes(options.target, options.kind)
  }

  async result(): Promise<LoadResult> {
    const { connections, spreadMs } = this.#options
    await Promise.all(
      Array.from({ length: connections }, (_, n) => this.#caller((spreadMs * n) / connections)),
    )
    return {
      answers: this.#totals.length,
      wrong: this.#wrong,
      fault: this.#fault,
      tookMs: this.#endAt - this.#beginAt,
      totalMs: Float64Array.from(this.#totals),
      firstTokenMs: Float64Array.from(this.#firsts),
    }
  }

  #note(fault: string): void {
    this.#wrong++
    this.#fault ||= fault
  }

  /** One connection, asking until the time is over. Resolves when it has closed. */
  #caller(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      let askedAt = 0
      let firstAt = 0
      let waits = false
      const socket: Socket = connect({ port: this.#options.target.port, host: '127.0.0.1', noDelay: true })
      const ask = () => {
        const now = performance.now()
        if (now - this.#beginAt > this.#options.lastMs) return socket.destroy()
        askedAt = now
        firstAt = 0
        waits = true
        return socket.write(this.#request)
      }
      const onMessage = (message: Message) => {
        waits = false
        this.#endAt = performance.now()
        this.#read(message, askedAt, firstAt || this.#endAt)
        ask()
      }
      const onBody = (body: string) => {
        if (firstAt === 0 && firstTokenAt(body) >= 0) firstAt = performance.now()
      }
      const streams = this.#options.kind === 'stream'
      const reader = new HttpReader({ onMessage, ...(streams && { onBody }) })
      const timer = setTimeout(() => socket.destroy(), waitMs + this.#options.lastMs + PATIENCE_MS)
      socket.once('connect', () => setTimeout(ask, waitMs))
      socket.on('data', (piece: Buffer) => {
        try {
          reader.push(piece)
        } catch (error) {
          this.#note(String(error))
          waits = false
          socket.destroy()
        }
      })
      socket.on('error', (error) => {
        this.#note(String(error))
        waits = false
      })
      socket.once('close', () => {
        clearTimeout(timer)
        if (waits) this.#note('the connection closed, or nothing came, before the whole answer')
        resolve()
      })
    })
  }

  #read({ head, body }: Message, askedAt: number, firstAt: number): void {
    if (!head.startsWith('HTTP/1.1 200')) return this.#note(`${head.split('\r\n')[0]}: ${body.slice(0, 500)}`)
    this.#totals.push(this.#endAt - askedAt)
    if (this.#options.kind === 'plain') {
      const fault = faultOfPlain(body)
      if (fault !== null) this.#note(fault)
    } else {
      const { heldMs, fault } = readStream(body)
      if (fault !== null) this.#note(fault)
      this.#firsts.push(firstAt - askedAt - heldMs)
    }
  }
}

const api: LoadApi = {
  run: (options) => new Run(options).result(),
  async read() {
    const { user, system } = process.cpuUsage()
    return { cpuMs: (user + system) / 1000 }
  },
}

serveParent(api)
