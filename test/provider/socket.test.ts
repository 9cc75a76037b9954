/** Sockets over the real network and in memory behave alike, and dialling tells why it failed. */
import { afterEach, describe, expect, test } from 'vitest'
import { Cancelled, openScope } from '../../src/cancel.ts'
import { realClock } from '../../src/clock.ts'
import { dial, kindOfStatus } from '../../src/provider/dial.ts'
import { cloudEndpoint } from '../../src/provider/endpoint.ts'
import { type Connect, connectWs, type Socket } from '../../src/provider/socket.ts'
import {
  connectInMemory,
  type DoubleAnswer,
  type DoublePeer,
  type DoubleRequest,
  type ServedDouble,
  serveDouble,
} from '../../src/testing/carrier/sockets.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

interface World {
  readonly connect: Connect
  readonly url: string
  readonly requests: DoubleRequest[]
  readonly heard: (string | number)[]
  readonly gone: number[]
  peer: DoublePeer | undefined
}

/** A server that takes down what it hears. */
async function world(kind: 'network' | 'memory', answer?: DoubleAnswer): Promise<World> {
  const it: World = {
    connect: connectWs,
    url: 'ws://double',
    requests: [],
    heard: [],
    gone: [],
    peer: undefined,
  }
  const double = (request: DoubleRequest): DoubleAnswer => {
    it.requests.push(request)
    return (
      answer ??
      ((peer) => {
        it.peer = peer
        return {
          text: (text) => {
            it.heard.push(text)
            if (text === 'done') peer.close(4001, 'enough')
          },
          binary: (bytes) => it.heard.push(bytes.length),
          gone: ({ code }) => it.gone.push(code),
        }
      })
    )
  }
  if (kind === 'memory') return Object.assign(it, { connect: connectInMemory(double).connect })
  const served: ServedDouble = await serveDouble(double)
  closers.push(() => served.close())
  return Object.assign(it, { url: served.url })
}

function dialled({ connect, url }: World, signal: AbortSignal, connectMs = 5_000): Promise<Socket> {
  const headers = { Authorization: 'Token secret-key' }
  const clock = realClock
  return dial({
    connect,
    url: `${url}/v1?a=b`,
    headers,
    provider: 'p',
    stage: 'stt',
    signal,
    clock,
    connectMs,
  })
}

describe.each(['network', 'memory'] as const)('a socket over the %s', (kind) => {
  test('texts and bytes both ways, in order, and the reason it was closed for', async () => {
    const it = await world(kind)
    const socket = await dialled(it, openScope().signal)
    expect(it.requests[0]?.headers['authorization']).toBe('Token secret-key')
    expect(it.requests[0]?.url.search).toBe('?a=b')
    it.peer?.send('one')
    it.peer?.send(new Uint8Array([1, 2, 3]))
    socket.sendText('hello')
    socket.sendBinary(new Uint8Array(320))
    socket.sendText('done')
    const got: (string | number[])[] = []
    for await (const message of socket.messages)
      got.push(typeof message === 'string' ? message : [...message])
    expect(got).toEqual(['one', [1, 2, 3]])
    expect(it.heard).toEqual(['hello', 320, 'done'])
    expect(await socket.closed).toEqual({ code: 4001, reason: 'enough' })
    // Too late: ignored.
    socket.sendText('anyone?')
    socket.close()
    socket.terminate()
  })

  test('a connection that breaks is 1006', async () => {
    const it = await world(kind)
    const socket = await dialled(it, openScope().signal)
    it.peer?.drop()
    expect((await socket.closed).code).toBe(1006)
    for await (const _ of socket.messages) throw new Error('nothing was sent')
  })

  test.each([
    [401, 'auth', {}],
    [402, 'quota', {}],
    [429, 'rate', { 'retry-after': '3' }],
    [400, 'bad_request', {}],
    [503, 'transient', { 'retry-after-ms': '250' }],
  ] as const)('refused with %d: %s', async (status, kindOfError, headers) => {
    const it = await world(kind, { status, headers, body: 'your key secret-key is wrong' })
    const error = await dialled(it, openScope().signal).catch((error) => error)
    const after = status === 429 ? 3_000 : status === 503 ? 250 : undefined
    expect(error).toMatchObject({
      name: 'ProviderError',
      provider: 'p',
      kind: kindOfError,
      retryAfterMs: after,
    })
    expect(String(error) + JSON.stringify(error)).not.toContain('secret-key')
  })

  test('nobody answers the upgrade: a time-out; or we lose patience first', async () => {
    const it = await world(kind, 'hang')
    await expect(dialled(it, openScope().signal, 30)).rejects.toMatchObject({ kind: 'timeout' })
    const scope = openScope()
    const opening = dialled(it, scope.signal)
    scope.cancel('hedge-lost')
    await expect(opening).rejects.toEqual(new Cancelled('hedge-lost'))
  })
})

test('a reader that is slow makes the sender wait, and gets everything in order', async () => {
  const it = await world('network')
  const socket = await dialled(it, openScope().signal)
  const count = 5_000
  for (let i = 0; i < count; i++) it.peer?.send(`${i}${' '.repeat(500)}`)
  it.peer?.close(1000)
  let expected = 0
  for await (const message of socket.messages) {
    expect(Number(message)).toBe(expected++)
    if (expected % 500 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  expect(expected).toBe(count)
})

test('a socket nobody reads any more can still be closed', async () => {
  const it = await world('network')
  const socket = await dialled(it, openScope().signal)
  for (let i = 0; i < 2_000; i++) it.peer?.send('x'.repeat(2_000))
  socket.close(1000)
  expect((await socket.closed).code).toBe(1000)
})

test('nobody at that address', async () => {
  const it = { ...(await world('memory')), connect: connectWs, url: 'ws://127.0.0.1:1' }
  await expect(dialled(it, openScope().signal)).rejects.toMatchObject({ kind: 'transient' })
})

test('statuses nobody thought of', () => {
  expect([404, 409, 418].map(kindOfStatus)).toEqual(['bad_request', 'bad_request', 'bad_request'])
  expect([301, 200, 500, 599, 0].map(kindOfStatus)).toEqual(Array(5).fill('transient'))
})

describe('settings', () => {
  const settings = { name: 'dg', apiKey: 'secret-key' }
  test.each([
    ['https://eu.example.com/', 'wss://eu.example.com'],
    ['wss://example.com/proxy/', 'wss://example.com/proxy'],
    ['http://127.0.0.1:9', 'ws://127.0.0.1:9'],
  ])('%s', (baseUrl, result) => {
    expect(cloudEndpoint({ ...settings, baseUrl }, 'wss://standard').baseUrl).toBe(result)
  })

  test.each([
    [{ apiKey: '' }, 'providers.dg.apiKey'],
    [{ apiKey: 'a\nb' }, 'providers.dg.apiKey'],
    [{ baseUrl: 'ftp://example.com' }, 'providers.dg.baseUrl'],
    [{ baseUrl: 'no url' }, 'providers.dg.baseUrl'],
    [{ baseUrl: 'wss://user:pass@example.com' }, 'providers.dg.baseUrl'],
    [{ baseUrl: 'wss://example.com/?key=x' }, 'providers.dg.baseUrl'],
  ])('%o is refused', (wrong, named) => {
    expect(() => cloudEndpoint({ ...settings, ...wrong }, 'wss://standard')).toThrow(named)
  })
})
