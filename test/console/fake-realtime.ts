/**
 * A small Realtime server for the page's tests: hears loud and quiet in the audio it is sent, and plays a script of
 * answers. No recognition, no model; the words are the script's. Time is counted in the audio it received.
 */
import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import { type WebSocket, WebSocketServer } from 'ws'
import { consolePage } from '../../src/console/index.ts'
import type { TurnRecord } from '../../src/trace/record.ts'

const RATE_HZ = 24_000
/** Quiet this long ends what was being said. */
const SILENCE_MS = 400

export interface ScriptedTurn {
  /** What is "recognised", delta by delta. */
  readonly words: readonly string[]
  /** Sentence by sentence: the text, and how long its sound is. */
  readonly answer: readonly { readonly text: string; readonly ms: number }[]
  /** Times for the turn's report and record. */
  readonly record?: Partial<TurnRecord>
  /** What the record says was heard, when this turn's answer is truncated. */
  readonly heardText?: string
}

export interface ClientEvent {
  readonly type: string
  readonly [member: string]: unknown
}

export interface FakeRealtime {
  readonly url: string
  /** Every client event but audio, in order. */
  readonly events: ClientEvent[]
  /** All audio of all connections. */
  readonly heard: Int16Array[]
  readonly protocols: string[]
  /** Resolves to the n-th event of this type, once it is there. */
  event(type: string, n?: number): Promise<ClientEvent>
  /** Resolves to the next audio event that is as asked. */
  audio(wanted: (samples: Int16Array) => boolean): Promise<void>
  /** Open connections. */
  connections(): number
  /** Drops every connection, as a failing network does. */
  drop(): void
  close(): Promise<void>
}

export interface FakeOptions {
  readonly script: readonly ScriptedTurn[]
  /** Where the built page lies. */
  readonly root: string
  /** When given, asked for as a server with keys does. */
  readonly key?: string
}

export async function startFakeRealtime({ script, root, key }: FakeOptions): Promise<FakeRealtime> {
  const app = Fastify()
  const records = new Map<string, TurnRecord>()
  const events: ClientEvent[] = []
  const heard: Int16Array[] = []
  const protocols: string[] = []
  const waiting: (() => void)[] = []
  const turns = script[Symbol.iterator]()
  await app.register(consolePage, { root })
  app.addHook('onRequest', async (request, reply) => {
    if (!request.url.startsWith('/v1/') || !key || request.headers.authorization === `Bearer ${key}`) return
    await reply.code(401).send({ error: { message: 'no key' } })
  })
  app.get('/v1/turns', async () => ({ data: [...records.values()] }))
  app.get('/v1/turns/:id', async (request, reply) => {
    const record = records.get((request.params as { id: string }).id)
    return record ?? reply.code(404).send({ error: { message: 'no such turn' } })
  })
  const server = new WebSocketServer({
    server: app.server,
    path: '/v1/realtime',
    handleProtocols: () => 'realtime',
    verifyClient: ({ req }: { req: { headers: Record<string, unknown> } }) => {
      const offered = String(req.headers['sec-websocket-protocol'] ?? '')
      protocols.push(offered)
      return !key || offered.includes(`openai-insecure-api-key.${key}`)
    },
  })
  server.on('connection', (socket) => {
    const talk = new Talk(socket, () => turns.next().value, records)
    socket.on('message', (data) => {
      const event = JSON.parse(String(data)) as ClientEvent
      if (event.type === 'input_audio_buffer.append') {
        const bytes = Buffer.from(String(event['audio']), 'base64')
        const samples = new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
        heard.push(samples)
        talk.hear(samples)
      } else {
        events.push(event)
        talk.receive(event)
      }
      for (const wake of waiting.splice(0)) wake()
    })
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return {
    url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`,
    events,
    heard,
    protocols,
    async event(type, n = 1) {
      for (;;) {
        const found = events.filter((event) => event.type === type)[n - 1]
        if (found) return found
        await new Promise<void>((resolve) => waiting.push(resolve))
      }
    },
    async audio(wanted) {
      for (let from = heard.length; ; ) {
        await new Promise<void>((resolve) => waiting.push(resolve))
        if (heard.slice(from).some(wanted)) return
        from = heard.length
      }
    },
    connections: () => server.clients.size,
    drop() {
      for (const client of server.clients) client.terminate()
    },
    async close() {
      for (const client of server.clients) client.terminate()
      server.close()
      await app.close()
    },
  }
}

/** One connection. */
class Talk {
  #count = 0
  #receivedMs = 0
  #quietMs = 0
  #userItem: string | null = null
  /** Item of each answer, to its turn. */
  readonly #answers = new Map<string, { readonly turnId: string; readonly turn: ScriptedTurn }>()
  readonly #socket: WebSocket
  readonly #next: () => ScriptedTurn | undefined
  readonly #records: Map<string, TurnRecord>

  constructor(socket: WebSocket, next: () => ScriptedTurn | undefined, records: Map<string, TurnRecord>) {
    this.#socket = socket
    this.#next = next
    this.#records = records
    this.#send({ type: 'session.created', session: { id: 'sess_fake', model: 'fake' } })
  }

  hear(samples: Int16Array): void {
    const ms = (samples.length * 1000) / RATE_HZ
    this.#receivedMs += ms
    const loud = samples.some((sample) => Math.abs(sample) > 1500)
    this.#quietMs = loud ? 0 : this.#quietMs + ms
    if (loud && !this.#userItem) {
      this.#userItem = this.#id('item')
      this.#send({
        type: 'input_audio_buffer.speech_started',
        audio_start_ms: this.#receivedMs,
        item_id: this.#userItem,
      })
    } else if (this.#userItem && this.#quietMs >= SILENCE_MS) {
      const item = this.#userItem
      this.#userItem = null
      this.#speechEnded(item)
    }
  }

  receive(event: ClientEvent): void {
    if (event.type === 'conversation.item.create') {
      const item = event['item'] as object
      this.#send({ type: 'conversation.item.added', previous_item_id: null, item })
      this.#send({ type: 'conversation.item.done', previous_item_id: null, item })
    } else if (event.type === 'response.create') {
      const turn = this.#next()
      if (turn) this.#answer(turn)
    } else if (event.type === 'conversation.item.truncate') this.#truncate(event)
  }

  #speechEnded(item: string): void {
    this.#send({ type: 'input_audio_buffer.speech_stopped', audio_end_ms: this.#receivedMs, item_id: item })
    this.#send({ type: 'input_audio_buffer.committed', previous_item_id: null, item_id: item })
    const added = {
      id: item,
      object: 'realtime.item',
      type: 'message',
      role: 'user',
      status: 'completed',
      content: [{ type: 'input_audio', transcript: null }],
    }
    this.#send({ type: 'conversation.item.added', previous_item_id: null, item: added })
    const turn = this.#next()
    const name = 'conversation.item.input_audio_transcription'
    for (const delta of turn?.words ?? [])
      this.#send({ type: `${name}.delta`, item_id: item, content_index: 0, delta })
    this.#send({
      type: `${name}.completed`,
      item_id: item,
      content_index: 0,
      transcript: turn?.words.join('') ?? '',
    })
    if (turn) this.#answer(turn)
  }

  /** Everything at once, faster than it can be spoken: the page must know what was played. */
  #answer(turn: ScriptedTurn): void {
    const response = {
      id: this.#id('resp'),
      object: 'realtime.response',
      status: 'in_progress',
      conversation_id: 'conv',
      output: [],
    }
    const item = this.#id('item')
    const turnId = this.#id('turn')
    const record = recordOf(turnId, turn)
    const at = { response_id: response.id, output_index: 0, item_id: item, content_index: 0 }
    this.#records.set(turnId, record)
    this.#answers.set(item, { turnId, turn })
    this.#send({ type: 'response.created', response })
    const message = {
      id: item,
      object: 'realtime.item',
      type: 'message',
      role: 'assistant',
      status: 'in_progress',
    }
    this.#send({ type: 'response.output_item.added', ...at, item: { ...message, content: [] } })
    for (const { text, ms } of turn.answer) {
      this.#send({ type: 'response.output_audio_transcript.delta', ...at, delta: text })
      for (let sent = 0; sent < ms; sent += 100)
        this.#send({ type: 'response.output_audio.delta', ...at, delta: tone(Math.min(100, ms - sent)) })
    }
    this.#send({ type: 'response.output_audio.done', ...at })
    const { marks: _, ...report } = record
    this.#send({
      type: 'response.done',
      response: { ...response, status: 'completed', parley: { turnId, ...report } },
    })
  }

  #truncate(event: ClientEvent): void {
    const item = String(event['item_id'])
    const answer = this.#answers.get(item)
    const record = answer && this.#records.get(answer.turnId)
    if (!record) return
    const ms = Number(event['audio_end_ms'])
    this.#records.set(record.id, {
      ...record,
      heard: { ms, text: answer.turn.heardText ?? '', interrupted: true },
      marks: { ...record.marks, interrupted: ms + (record.budget.actualMs ?? 0) },
    })
    const at = { item_id: item, content_index: 0, audio_end_ms: ms }
    this.#send({ type: 'conversation.item.truncated', ...at })
  }

  #id(kind: string): string {
    return `${kind}_${++ids}`
  }

  #send(event: { readonly type: string; readonly [member: string]: unknown }): void {
    this.#socket.send(JSON.stringify({ event_id: `event_${++this.#count}`, ...event }))
  }
}

let ids = 0

function recordOf(id: string, turn: ScriptedTurn): TurnRecord {
  return {
    id,
    sessionId: 'sess_fake',
    keyId: null,
    wire: 'realtime',
    pipeline: 'support',
    startedAt: '2026-01-01T00:00:00Z',
    revision: 1,
    responseIds: [],
    experiments: [],
    route: {},
    marks: {},
    endedBy: null,
    language: null,
    attempts: [],
    budget: { turnMs: 1500, actualMs: null, brokenBy: null, degraded: [] },
    heard: null,
    text: { user: turn.words.join(''), said: turn.answer.map((a) => a.text).join('') },
    underruns: 0,
    costUsd: null,
    outcome: 'said',
    ...turn.record,
  }
}

function tone(ms: number): string {
  const samples = new Int16Array((RATE_HZ * ms) / 1000)
  for (let i = 0; i < samples.length; i++) samples[i] = 3000 * Math.sin((2 * Math.PI * 220 * i) / RATE_HZ)
  return Buffer.from(samples.buffer).toString('base64')
}
