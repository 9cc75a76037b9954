/** A WebSocket in memory whose network the test opens and shuts, and a connection on it. */
import { type InputRateSettings, InputRates } from '../../../src/access/input-rates.ts'
import { ResponseRates } from '../../../src/access/response-rates.ts'
import { VirtualClock } from '../../../src/clock.ts'
import { Connection } from '../../../src/wire/realtime/connection.ts'
import type { ShapeName } from '../../../src/wire/realtime/shape.ts'
import { PLAIN } from '../../../src/wire/realtime/start.ts'
import type { WireSocket } from '../../../src/wire/writer.ts'
import { FakeHost, type FakeSession } from '../../support/fake-session.ts'

/** A server event as the client reads it. */
// biome-ignore lint/suspicious/noExplicitAny: tests read whatever the wire wrote
export type WireEvent = { readonly type: string; readonly event_id: string } & Record<string, any>

export class FakeSocket implements WireSocket {
  readonly sent: string[] = []
  /** Shut: nothing leaves, `bufferedAmount` grows. */
  network: 'open' | 'shut' = 'open'
  bufferedAmount = 0
  pings = 0
  closedWith: { readonly code: number; readonly reason: string } | undefined
  terminated = false
  readonly #unflushed: { readonly bytes: number; readonly flushed: () => void }[] = []

  send(text: string, flushed: () => void): void {
    if (this.closedWith || this.terminated) throw new Error('sent after the close')
    this.sent.push(text)
    if (this.network === 'open') return queueMicrotask(flushed)
    this.bufferedAmount += text.length
    this.#unflushed.push({ bytes: text.length, flushed })
  }

  /** Lets `count` of the waiting sends through. */
  drain(count = this.#unflushed.length): void {
    for (const { bytes, flushed } of this.#unflushed.splice(0, count)) {
      this.bufferedAmount -= bytes
      flushed()
    }
  }

  ping(): void {
    this.pings++
  }

  close(code: number, reason: string): void {
    this.closedWith = { code, reason }
  }

  terminate(): void {
    this.terminated = true
  }

  get events(): WireEvent[] {
    return this.sent.map((text) => JSON.parse(text))
  }

  get types(): string[] {
    return this.events.map((event) => event.type)
  }

  /** The newest event. */
  get last(): WireEvent {
    return this.events.at(-1) as WireEvent
  }
}

export const ORIGIN = {
  wire: 'realtime',
  caps: { leadMs: null, ownsOutput: false, reportsPlayed: true },
  pipeline: null,
  key: null,
  metadata: {},
  user: null,
} as const

export interface Talk {
  readonly clock: VirtualClock
  readonly host: FakeHost
  readonly socket: FakeSocket
  readonly connection: Connection
  readonly notes: string[]
  /** The session the socket is attached to now. */
  readonly session: FakeSession
  /** Sends a client event and lets everything settle. */
  tell(event: object): Promise<void>
}

export interface ConnectOptions {
  readonly sessionMinutes?: number
  readonly shape?: ShapeName
  readonly limits?: InputRateSettings['limits']
  readonly responsesPerMinute?: number | null
}

/** A client that has just connected. */
export async function connect({
  sessionMinutes = 60,
  shape = 'ga',
  limits,
  responsesPerMinute = null,
}: ConnectOptions = {}): Promise<Talk> {
  const clock = new VirtualClock()
  const host = new FakeHost()
  const socket = new FakeSocket()
  const notes: string[] = []
  const deps = {
    host,
    clock,
    hasPipeline: (name: string) => name === 'support',
    sessionMinutes,
    responseRates: new ResponseRates(clock, { limits: { responsesPerMinute }, keys: [] }),
    ...(limits ? { inputRates: new InputRates(clock, { limits, keys: [] }) } : {}),
    note: (message: string) => void notes.push(message),
  }
  const session = host.open(ORIGIN)
  const connection = new Connection(
    socket,
    { session, origin: ORIGIN, start: PLAIN, shape, model: 'gpt-realtime' },
    deps,
  )
  void connection.run()
  await clock.advance(0)
  return {
    clock,
    host,
    socket,
    connection,
    notes,
    get session() {
      return host.last
    },
    async tell(event) {
      connection.message(Buffer.from(JSON.stringify(event)), false)
      await clock.advance(0)
    },
  }
}
