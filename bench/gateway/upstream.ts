/**
 * The provider's double of `bench:gateway`, in a process of its own: chat completions on a raw keep-alive socket, so that
 * it takes little of the core it shares with the load generator. It refuses what a provider would refuse.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type Api, serveParent } from '../harness/process.ts'
import { firstToken, plainAnswer, QUESTION, streamEvents, UPSTREAM_KEY, UPSTREAM_MODEL } from './answer.ts'
import { HttpReader, type Message } from './http-reader.ts'

export interface UpstreamApi extends Api {
  start(_: null): Promise<{ readonly port: number }>
  /** Between a stream's chunks; 0: all at once, a write each. */
  setPace(options: { readonly chunkMs: number }): Promise<void>
  read(_: null): Promise<{ readonly answered: number; readonly refused: number; readonly cpuMs: number }>
}

const PLAIN = respond(200, 'application/json', plainAnswer(UPSTREAM_MODEL))
const EVENTS = streamEvents(UPSTREAM_MODEL).map(chunk)
/** Before this one the upstream tells how long it held it. */
const FIRST_TOKEN = 1
const STREAM_HEAD =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n' +
  `x-request-id: req_5f1c9ad0e6f74f9c\r\n${date()}connection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n`
const LAST_CHUNK = '0\r\n\r\n'

let chunkMs = 0
let answered = 0
let refused = 0

function date(): string {
  return `date: ${new Date().toUTCString()}\r\n`
}

function respond(status: 200 | 400 | 401, type: string, body: string): string {
  const bytes = Buffer.byteLength(body)
  return `HTTP/1.1 ${status} ${status === 200 ? 'OK' : 'Refused'}\r\ncontent-type: ${type}\r\nx-request-id: req_5f1c9ad0e6f74f9c\r\n${date()}connection: keep-alive\r\ncontent-length: ${bytes}\r\n\r\n${body}`
}

function chunk(event: string): string {
  return `${Buffer.byteLength(event).toString(16)}\r\n${event}\r\n`
}

interface ChatBody {
  readonly model?: unknown
  readonly stream?: unknown
  readonly stream_options?: { readonly include_usage?: unknown }
  readonly messages?: readonly { readonly content?: unknown }[]
}

/** What a provider would say to the request; null: nothing against it. */
function complaint({ head }: Message, body: ChatBody): string | null {
  if (!head.startsWith('POST /v1/chat/completions HTTP/1.1'))
    return `no such address: ${head.split('\r\n')[0]}`
  if (!head.toLowerCase().includes(`\r\nauthorization: bearer ${UPSTREAM_KEY}`)) return 'no such key'
  if (body.model !== UPSTREAM_MODEL) return `no such model: ${String(body.model)}`
  const { content } = body.messages?.at(-1) ?? {}
  if (content !== QUESTION) return 'the question did not arrive whole'
  return body.stream === true && body.stream_options?.include_usage !== true
    ? 'usage was not asked for'
    : null
}

function answer(socket: Socket, message: Message): void {
  const at = performance.now()
  const body = JSON.parse(message.body) as ChatBody
  const wrong = complaint(message, body)
  if (wrong !== null) {
    refused++
    socket.write(respond(400, 'application/json', JSON.stringify({ error: { message: wrong } })))
  } else if (body.stream !== true) {
    answered++
    socket.write(PLAIN, 'utf8')
  } else if (chunkMs === 0) {
    socket.write(STREAM_HEAD)
    EVENTS.forEach((_, n) => {
      socket.write(eventAt(n, at))
    })
    answered++
    socket.write(LAST_CHUNK)
  } else pace(socket, at)
}

function eventAt(n: number, askedAt: number): string {
  return n === FIRST_TOKEN ? chunk(firstToken(UPSTREAM_MODEL, performance.now() - askedAt)) : EVENTS[n]!
}

/** The role comes with the first token, as it does at OpenAI. Chunks keep to their schedule: a late one does not delay the others. */
function pace(socket: Socket, askedAt: number): void {
  let sent = 0
  const send = () => {
    socket.write(eventAt(sent, askedAt))
    sent++
  }
  const next = () => {
    if (socket.destroyed) return
    if (sent === 0) {
      socket.write(STREAM_HEAD)
      send()
    }
    send()
    if (sent === EVENTS.length) {
      answered++
      socket.write(LAST_CHUNK)
    } else setTimeout(next, Math.max(0, askedAt + sent * chunkMs - performance.now()))
  }
  setTimeout(next, chunkMs)
}

const server = createServer({ noDelay: true }, (socket) => {
  const reader = new HttpReader({ onMessage: (message) => answer(socket, message) })
  socket.on('data', (piece: Buffer) => reader.push(piece))
  // A gateway may leave at any time.
  socket.on('error', () => socket.destroy())
})

const api: UpstreamApi = {
  async start() {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return { port: (server.address() as AddressInfo).port }
  },
  async setPace(options) {
    chunkMs = options.chunkMs
  },
  async read() {
    const { user, system } = process.cpuUsage()
    return { answered, refused, cpuMs: (user + system) / 1000 }
  },
}

serveParent(api)
