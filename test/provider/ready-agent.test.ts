/** Connections that stand before the first request: counted on a real server over TLS, and what becomes of spare ones on the virtual clock. */
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { type AddressInfo, createServer, Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { VirtualClock } from '../../src/clock.ts'
import { getReady, ReadyAgent } from '../../src/provider/ready-agent.ts'
import { SpareSocket } from '../../src/provider/spare-socket.ts'
import { SPARE_MS } from '../../src/provider/spare-sockets.ts'
import { COUNTED_CA, serveCounted } from '../support/counted-server.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function serve(kind: 'tls' | 'plain' = 'tls', answer?: RequestListener) {
  const server = await serveCounted(kind, answer)
  closing.push(() => server.close())
  return server
}

function agent() {
  const clock = new VirtualClock()
  const made = new ReadyAgent({ connect: { ca: COUNTED_CA }, keepAliveTimeout: 60_000 }, clock)
  closing.push(() => made.destroy())
  const ask = async (origin: string, path = '/', signal?: AbortSignal) => {
    const { body } = await made.request({
      origin,
      path,
      method: 'POST',
      body: '{}',
      ...(signal && { signal }),
    })
    return body.text()
  }
  return { clock, agent: made, ask }
}

/** Whatever was under way on the loopback has arrived: a request there and back, on a connection of its own. */
async function quiet() {
  const other = await serve('plain')
  await agent().ask(other.origin)
  await new Promise((resolve) => setImmediate(resolve))
}

test.each(['tls', 'plain'] as const)(
  '%s: what was got ready carries the first request; nothing was asked before',
  async (kind) => {
    const server = await serve(kind)
    const { agent: made, ask } = agent()
    for (let i = 0; i < 3; i++) getReady(made, server.origin, 'tts')
    await server.connected(1)
    expect(server.requests).toEqual([])
    await ask(server.origin)
    expect(server.requests).toHaveLength(1)
    expect(server.sockets).toHaveLength(1)
  },
)

test('a request that comes while the spare is still dialled waits for that dial and makes none', async () => {
  const server = await serve()
  const { agent: made, ask } = agent()
  made.ready(server.origin, 'llm')
  await ask(server.origin)
  expect(server.sockets).toHaveLength(1)
})

test('a server that takes the connection and stays silent: the request waits for that one, leaves when told to, and nothing stays', async () => {
  const taken: Socket[] = []
  const silent = createServer((socket) => taken.push(socket.on('error', () => {}).resume()))
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  closing.push(() => silent.close())
  const origin = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`
  const { clock, agent: made, ask } = agent()
  made.ready(origin, 'llm')
  await once(silent, 'connection')
  const giveUp = new AbortController()
  const asked = ask(origin, '/', giveUp.signal).catch(() => 'gave up')
  await quiet()
  expect(taken).toHaveLength(1)
  giveUp.abort()
  expect(await asked).toBe('gave up')
  expect(clock.pendingTimers).toBe(0)
  // One that nobody asked for ends with the agent; its handshake never came.
  made.ready(origin, 'tts')
  await made.destroy()
  await quiet()
  expect(clock.pendingTimers).toBe(0)
})

test('a connection that is kept alive needs no spare', async () => {
  const server = await serve()
  const { agent: made, ask } = agent()
  await ask(server.origin)
  made.ready(server.origin, 'llm')
  await quiet()
  expect(server.sockets).toHaveLength(1)
  // The voice of the same provider needs one more.
  made.ready(server.origin, 'tts')
  await server.connected(2)
  await Promise.all([ask(server.origin), ask(server.origin)])
  expect(server.sockets).toHaveLength(2)
})

test('model, voice and recogniser of one provider have a connection each, and no more', async () => {
  const server = await serve()
  const { agent: made, ask } = agent()
  for (const stage of ['stt', 'llm', 'tts', 'stt', 'llm', 'tts'] as const) made.ready(server.origin, stage)
  await server.connected(3)
  await Promise.all([ask(server.origin), ask(server.origin), ask(server.origin)])
  await quiet()
  expect(server.sockets).toHaveLength(3)
})

test('a connection that ends while the caller speaks is replaced before it is needed', async () => {
  const server = await serve()
  const { agent: made, ask } = agent()
  await ask(server.origin)
  made.ready(server.origin, 'llm')
  // The server had it idle long enough.
  server.sockets[0]!.destroy()
  await server.connected(2)
  expect(server.requests).toHaveLength(1)
  await ask(server.origin)
  expect(server.sockets).toHaveLength(2)
})

test('an answer that is broken off takes its connection along: the spare takes its place', async () => {
  const server = await serve('tls', (request, response) => {
    if (request.url !== '/slow') response.end('done')
  })
  const { agent: made, ask } = agent()
  const aborting = new AbortController()
  const broken = ask(server.origin, '/slow', aborting.signal).catch(() => 'broken off')
  while (server.requests.length === 0) await new Promise((resolve) => setImmediate(resolve))
  made.ready(server.origin, 'llm')
  await server.connected(2)
  aborting.abort()
  expect(await broken).toBe('broken off')
  // undici itself dials once more after such, for nobody.
  await quiet()
  made.ready(server.origin, 'llm')
  await ask(server.origin)
  expect(server.requests[1]?.from).toBe(server.sockets[1]?.remotePort)
})

test('an unused spare is let go, and one that is needed later is dialled anew', async () => {
  const server = await serve()
  const { clock, agent: made, ask } = agent()
  made.ready(server.origin, 'llm')
  await server.connected(1)
  await quiet()
  await clock.advance(SPARE_MS)
  await once(server.sockets[0]!, 'close')
  expect(clock.pendingTimers).toBe(0)
  made.ready(server.origin, 'llm')
  await server.connected(2)
  await ask(server.origin)
  expect(server.sockets).toHaveLength(2)
})

test('a server that hangs up on a spare, or has said something on it, costs no request', async () => {
  const server = await serve('plain')
  const { clock, agent: made, ask } = agent()
  made.ready(server.origin, 'llm')
  await server.connected(1)
  server.sockets[0]!.end('HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n')
  await quiet()
  expect(await ask(server.origin)).toBe('done')
  server.sockets[1]!.destroy()
  made.ready(server.origin, 'llm')
  await server.connected(3)
  server.sockets[2]!.destroy()
  await quiet()
  // It does not want them: not one more for a while, however often the caller begins.
  for (let i = 0; i < 5; i++) made.ready(server.origin, 'llm')
  await quiet()
  expect(server.sockets).toHaveLength(3)
  await clock.advance(10_000)
  made.ready(server.origin, 'llm')
  await server.connected(4)
})

test('a spare that cannot be dialled is told to nobody; the request says what is wrong', async () => {
  const server = await serve('plain')
  const { port } = server
  for (const close of closing.splice(0)) await close()
  const { agent: made, ask } = agent()
  const origin = `http://127.0.0.1:${port}`
  made.ready(origin, 'llm')
  await expect(ask(origin)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  made.ready(origin, 'llm')
  await quiet()
  // And one that does not know our server's certificate is no better off.
  const tls = await serve()
  const stranger = new ReadyAgent({ connect: {} }, new VirtualClock())
  closing.push(() => stranger.destroy())
  stranger.ready(tls.origin, 'llm')
  await expect(stranger.request({ origin: tls.origin, path: '/', method: 'GET' })).rejects.toMatchObject({
    code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
  })
})

test('a closed agent leaves no socket and no timer, and dials none', async () => {
  const server = await serve()
  const { clock, agent: made } = agent()
  made.ready(server.origin, 'llm')
  await server.connected(1)
  await quiet()
  made.ready(server.origin, 'tts')
  await made.destroy()
  await quiet()
  while (server.open > 0) await new Promise((resolve) => setImmediate(resolve))
  const before = server.sockets.length
  made.ready(server.origin, 'llm')
  await quiet()
  expect(server.sockets).toHaveLength(before)
  expect(clock.pendingTimers).toBe(0)
})

test('what was needed and is used is not made ready once more when its connection ends', async () => {
  const server = await serve()
  const { agent: made, ask } = agent()
  made.ready(server.origin, 'llm')
  await ask(server.origin)
  server.sockets[0]!.destroy()
  await quiet()
  expect(server.sockets).toHaveLength(1)
})

test('a spare that broke a moment ago, and has not said so yet, is no good', async () => {
  const socket = new Socket()
  let lost = 0
  const spare = new SpareSocket(
    (callback) => queueMicrotask(() => callback(null, socket)),
    () => lost++,
  )
  await Promise.resolve()
  expect(spare.isReady && spare.isFit).toBe(true)
  socket.destroy()
  expect(spare.isFit).toBe(false)
  await once(socket, 'close')
  expect(lost).toBe(1)
})

test('closed gently, it leaves none either', async () => {
  const server = await serve()
  const { clock, agent: made } = agent()
  made.ready(server.origin, 'llm')
  await server.connected(1)
  await made.close()
  while (server.open > 0) await new Promise((resolve) => setImmediate(resolve))
  expect(clock.pendingTimers).toBe(0)
})
