/** What happens to calls, over a real socket to whoever watches. The calls are on the virtual clock. */
import { get, type IncomingMessage } from 'node:http'
import { type AddressInfo, Socket } from 'node:net'
import fastify, { type FastifyInstance } from 'fastify'
import { afterEach, describe, expect, test } from 'vitest'
import type {} from '../../../src/access/plugin.ts'
import { VirtualClock } from '../../../src/clock.ts'
import type { SessionSettings } from '../../../src/session/settings.ts'
import { twilioPhone } from '../../../src/testing/telephony/twilio.ts'
import { twilio } from '../../../src/wire/telephony/bridges/twilio/index.ts'
import { CallBoard } from '../../../src/wire/telephony/call/board.ts'
import type { Call } from '../../../src/wire/telephony/call/call.ts'
import { registerCallEvents } from '../../../src/wire/telephony/http/call-events.ts'
import { Exchange } from './exchange.ts'
import { settingOf } from './setting.ts'

const setting = settingOf('twilio')
const DTMF = { as: 'events', endOn: '#', afterMs: 2_000, maxDigits: 32, interrupts: 'first' } as const

const servers: FastifyInstance[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

/** With a key id as the bearer, or nobody's. */
async function serve(board: CallBoard, clock: VirtualClock): Promise<number> {
  const app = fastify({ forceCloseConnections: true })
  app.decorateRequest('caller', null)
  app.addHook('onRequest', async (request) => {
    const keyId = request.headers.authorization?.replace('Bearer ', '')
    if (keyId !== undefined) Object.assign(request, { caller: { keyId } })
  })
  registerCallEvents(app, { board, clock })
  servers.push(app)
  await app.listen({ host: '127.0.0.1', port: 0 })
  return (app.server.address() as AddressInfo).port
}

/** A client that reads events as they come. */
class Reader {
  readonly #stream: IncomingMessage
  #text = ''
  #wake: () => void = () => {}
  ended = false

  private constructor(stream: IncomingMessage) {
    this.#stream = stream
    stream.setEncoding('utf8').on('data', (text: string) => {
      this.#text += text
      this.#wake()
    })
    for (const end of ['end', 'error', 'close'] as const) {
      stream.on(end, () => {
        this.ended = true
        this.#wake()
      })
    }
  }

  static async open(port: number, keyId?: string): Promise<Reader> {
    const headers = keyId === undefined ? {} : { authorization: `Bearer ${keyId}` }
    const stream = await new Promise<IncomingMessage>((resolve, reject) =>
      get({ host: '127.0.0.1', port, path: '/v1/calls/events', headers }, resolve).on('error', reject),
    )
    return new Reader(stream)
  }

  get status(): number {
    return this.#stream.statusCode!
  }

  get text(): string {
    return this.#text
  }

  get events(): Record<string, unknown>[] {
    return this.#text
      .split('\n\n')
      .filter((one) => one.startsWith('event: '))
      .map((one) => {
        const [, type, json] = /^event: (\S+)\ndata: (.*)$/.exec(one)!
        const event = JSON.parse(json!) as Record<string, unknown>
        expect(event['type']).toBe(type)
        return event
      })
  }

  async until(done: () => boolean): Promise<void> {
    while (!done()) await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  leave(): void {
    this.#stream.destroy()
  }
}

function calling(settings: Partial<SessionSettings> = {}) {
  return Exchange.open({
    bridge: twilio(setting),
    setting,
    dialect: twilioPhone(),
    settings: { dtmf: DTMF, ...settings },
    phone: { call: { callId: 'CA1', from: '+4930111', parameters: { from: '+4930111' } } },
  })
}

describe('who watches calls', () => {
  test('is told of a call, of each key at once, and of the end', async () => {
    const call = await calling()
    const reader = await Reader.open(await serve(call.board, call.clock))
    expect(reader.status).toBe(200)
    call.phone.call()
    await call.wait(100)
    call.phone.press('4#')
    await call.wait(1_000)
    call.phone.hangUp()
    await call.wait(10)
    await reader.until(() => reader.events.length >= 4)
    const about = { id: 'twilio/CA1', object: 'call', bridge: 'twilio', session_id: call.sessions[0]!.id }
    expect(reader.events).toMatchObject([
      { type: 'call.started', call: { ...about, from: '+4930111', state: 'connected' } },
      { type: 'call.digit', call: about, digit: '4' },
      { type: 'call.digit', call: about, digit: '#' },
      { type: 'call.ended', call: { ...about, state: 'ended' }, why: 'caller' },
    ])
    expect(reader.events[1]!['at']).toMatch(/^2023-11-14T22:13:2\d\.\d{3}Z$/)
    // Nothing of it is a turn.
    expect(call.llm.requests).toHaveLength(0)
    await call.end()
  })

  test('is told of keys that become turns too, and of none where the pipeline wants none', async () => {
    for (const [dtmf, digits] of [
      [{ ...DTMF, as: 'turns' } as const, ['7']],
      [null, []],
    ] as const) {
      const call = await calling({ dtmf })
      const reader = await Reader.open(await serve(call.board, call.clock))
      call.phone.call()
      await call.wait(100)
      call.phone.press('7')
      await call.wait(100)
      call.phone.hangUp()
      await call.wait(10)
      await reader.until(() => reader.events.at(-1)?.['type'] === 'call.ended')
      expect(reader.events.flatMap(({ digit }) => (digit === undefined ? [] : [digit]))).toEqual(digits)
      await call.end()
    }
  })

  test('sees the calls of the own key alone', async () => {
    const call = await calling()
    const port = await serve(call.board, call.clock)
    const [nobody, other] = [await Reader.open(port), await Reader.open(port, 'other')]
    call.phone.call()
    await call.wait(100)
    await nobody.until(() => nobody.events.length > 0)
    call.board.tell({ ...call.calls.of(null)[0]!, keyId: 'other' } as unknown as Call, {
      type: 'call.started',
    })
    await other.until(() => other.events.length > 0)
    expect([nobody.events.length, other.events.length]).toEqual([1, 1])
    await call.end()
  })

  test('is sent a sign of life, leaves nothing behind on leaving, and is let go when the server closes', async () => {
    const clock = new VirtualClock()
    const board = new CallBoard(clock)
    const port = await serve(board, clock)
    const [stays, leaves] = [await Reader.open(port), await Reader.open(port)]
    await stays.until(() => stays.text === ':\n\n')
    expect(clock.pendingTimers).toBe(2)
    leaves.leave()
    await clock.advance(15_000)
    await stays.until(() => stays.text === ':\n\n:\n\n')
    board.close()
    await stays.until(() => stays.ended)
    while (clock.pendingTimers > 0) await new Promise((resolve) => setImmediate(resolve))
  })
})

describe('too much', () => {
  test('as many clients of a key as may, and then 503; another key has room', async () => {
    const clock = new VirtualClock()
    const port = await serve(new CallBoard(clock), clock)
    const readers = []
    for (let i = 0; i < 21; i++) readers.push(await Reader.open(port, 'web'))
    expect(readers.map(({ status }) => status)).toEqual([...Array(20).fill(200), 503])
    expect((await Reader.open(port, 'other')).status).toBe(200)
    readers[0]!.leave()
    let status = 503
    while (status === 503) status = (await Reader.open(port, 'web')).status
    expect(status).toBe(200)
  })

  test('a client that does not read is cut, and nothing waits for it', async () => {
    const call = await calling()
    const port = await serve(call.board, call.clock)
    const deaf = new Socket()
    deaf.on('error', () => {}).connect(port, '127.0.0.1')
    deaf.write('GET /v1/calls/events HTTP/1.1\r\nhost: x\r\n\r\n')
    const first = await new Promise<Buffer>((resolve) => deaf.once('data', resolve))
    expect(String(first)).toMatch(/^HTTP\/1.1 200 /)
    deaf.pause()
    call.phone.call()
    await call.wait(100)
    const [one] = call.calls.of(null)
    const connections = () =>
      new Promise<number>((resolve) => servers[0]!.server.getConnections((_, count) => resolve(count)))
    expect(await connections()).toBe(1)
    // Until the kernel takes no more, and then 64 kB.
    for (let told = 0; told < 200_000 && (await connections()) > 0; told += 200) {
      for (let i = 0; i < 200; i++) call.board.tell(one!, { type: 'call.digit', digit: '1' })
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await connections()).toBe(0)
    deaf.destroy()
    await call.end()
  })
})
