/** The Realtime route over a real socket, with sessions that a test plays. */
import type { AddressInfo } from 'node:net'
import websocket from '@fastify/websocket'
import Fastify, { type FastifyInstance } from 'fastify'
import { type ClientOptions, WebSocket } from 'ws'
import { type InputRateSettings, InputRates } from '../../../src/access/input-rates.ts'
import { realClock } from '../../../src/clock.ts'
import { registerRealtime, websocketOptions } from '../../../src/wire/realtime/index.ts'
import type { Certificate } from '../../support/certificate.ts'
import { FakeHost } from '../../support/fake-session.ts'
import type { WireEvent } from './fake-socket.ts'

export interface Server {
  readonly app: FastifyInstance
  readonly host: FakeHost
  readonly port: number
  /** What the connections noted: faults of ours. */
  readonly notes: string[]
}

export interface ServerOptions {
  /** What the access plugin would have found. */
  readonly caller?: object
  readonly tls?: Certificate
  readonly limits?: InputRateSettings['limits']
}

export async function startServer({ caller, tls, limits }: ServerOptions = {}): Promise<Server> {
  const app = Fastify({ forceCloseConnections: true, ...(tls ? { https: tls } : {}) }) as FastifyInstance
  const host = new FakeHost()
  const notes: string[] = []
  await app.register(websocket, websocketOptions)
  if (caller) app.addHook('onRequest', async (request) => void Object.assign(request, { caller }))
  registerRealtime(app, {
    host,
    clock: realClock,
    hasPipeline: (name) => name === 'support',
    defaultPipeline: () => 'talk',
    sessionMinutes: 60,
    ...(limits ? { inputRates: new InputRates(realClock, { limits, keys: [] }) } : {}),
    note: (message) => void notes.push(message),
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  return { app, host, notes, port: (app.server.address() as AddressInfo).port }
}

/** A client that keeps every event and can be waited upon. */
export class Client {
  readonly events: WireEvent[] = []
  readonly socket: WebSocket
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
  #wake: (() => void)[] = []

  constructor(port: number, query = '', protocols: string[] = [], options: ClientOptions = {}) {
    this.socket = new WebSocket(`ws://127.0.0.1:${port}/v1/realtime${query}`, protocols, options)
    this.socket.on('message', (data) => {
      this.events.push(JSON.parse(String(data)))
      for (const wake of this.#wake.splice(0)) wake()
    })
    this.socket.on('error', () => {})
    this.closed = new Promise((resolve) =>
      this.socket.on('close', (code, reason) => resolve({ code, reason: String(reason) })),
    )
  }

  send(event: object): void {
    this.socket.send(JSON.stringify(event))
  }

  /** The n-th event of a type, once it is there. */
  async event(type: string, n = 0): Promise<WireEvent> {
    for (;;) {
      const found = this.events.filter((event) => event.type === type)[n]
      if (found) return found
      await new Promise<void>((resolve) => this.#wake.push(resolve))
    }
  }

  /** The status and body of an upgrade that was refused. */
  refused(): Promise<{ readonly status: number | undefined; readonly body: string }> {
    return new Promise((resolve) => {
      this.socket.on('unexpected-response', (request, response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => {
          request.destroy()
          resolve({ status: response.statusCode, body: Buffer.concat(chunks).toString() })
        })
      })
    })
  }
}
