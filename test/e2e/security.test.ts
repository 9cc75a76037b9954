/** Who may come in, what they may see, and what the log says of it: the whole server, over real sockets. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { request } from 'undici'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { parseSettings } from '../../src/config/settings.ts'
import { type RunningApp, startApp } from './app.ts'
import { Caller, type CallerOptions } from './caller.ts'
import { closeEmbedded } from './embedded.ts'

const KEY = 'pk-the-right-one-5f2c'
const OTHER = 'pk-of-somebody-else-91d0'
const WRONG = 'pk-never-given-out-77aa'

let server: RunningApp
afterEach(() => server.close())
afterAll(closeEmbedded)

/** What an upgrade was answered with: 101, or the status that refused it. */
async function knock(options: CallerOptions = {}): Promise<number> {
  const caller = new Caller(server, options)
  const status = await new Promise<number>((resolve) => {
    caller.socket.on('upgrade', (response) => resolve(response.statusCode ?? 0))
    caller.socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0))
  })
  caller.vanish()
  return status
}

async function get(path: string, headers: Record<string, string> = {}): Promise<number> {
  const answer = await request(server.url + path, { headers })
  await answer.body.dump()
  return answer.statusCode
}

describe('with keys', () => {
  test('no door but the open ones opens without one', async () => {
    server = await startApp({ key: KEY })
    expect(await knock()).toBe(401)
    expect(await knock({ key: WRONG })).toBe(401)
    expect(await knock({ protocols: ['realtime', `openai-insecure-api-key.${WRONG}`] })).toBe(401)
    expect(await knock({ query: `?key=${KEY}&api_key=${KEY}` })).toBe(401)
    expect(await knock({ key: KEY })).toBe(101)
    expect(await knock({ socket: { headers: { 'api-key': KEY } } })).toBe(101)
    expect(await knock({ protocols: ['realtime', `openai-insecure-api-key.${KEY}`] })).toBe(101)
    // A page of another origin has no way to the key; with it, it may come.
    expect(await knock({ key: KEY, socket: { origin: 'https://elsewhere.example' } })).toBe(101)

    for (const path of [
      '/v1/turns',
      '/v1/turns/turn_1',
      '/metrics',
      '/v1/realtime',
      '/v1/other',
      '/%76%31/turns',
    ])
      expect(await get(path), path).toBe(401)
    for (const path of ['/healthz', '/readyz', '/']) expect(await get(path), path).not.toBe(401)
    expect(await get('/v1/turns', { authorization: `Bearer ${KEY}` })).toBe(200)
    await expect.poll(() => server.app.host.size).toBe(0)
  })

  test('a refused upgrade holds no socket, however patient its client is', async () => {
    server = await startApp({ key: KEY })
    const socket = connect(server.port, '127.0.0.1')
    let answer = ''
    socket.on('data', (data) => {
      answer += data
    })
    const lines = ['GET /v1/realtime HTTP/1.1', `Host: 127.0.0.1:${server.port}`, 'Connection: Upgrade']
    lines.push('Upgrade: websocket', 'Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${'A'.repeat(22)}==`)
    socket.write(`${lines.join('\r\n')}\r\n\r\n`)
    await once(socket, 'end')
    expect(answer).toMatch(/^HTTP\/1\.1 401 /)
    expect(answer).toContain('missing_api_key')
  })

  test('a key sees its own turns only', async () => {
    server = await startApp({
      settings: `keys: [{ id: mine, secret: '${KEY}' }, { id: theirs, secret: '${OTHER}' }]`,
    })
    const caller = await Caller.ready(server, { key: KEY })
    await caller.completesATurn()
    const { turnId } = caller.events.of('response.done')[0]!['response'].parley
    expect(await get(`/v1/turns/${turnId}`, { authorization: `Bearer ${KEY}` })).toBe(200)
    expect(await get(`/v1/turns/${turnId}`, { authorization: `Bearer ${OTHER}` })).toBe(404)
    const list = await request(`${server.url}/v1/turns`, { headers: { authorization: `Bearer ${OTHER}` } })
    expect(await list.body.json()).toMatchObject({ data: [] })
    caller.hangUp()
  })

  test('the log knows no key and no word that was said', async () => {
    const settings = `providers: { elsewhere: { type: nobody-knows, apiKey: '${OTHER}' } }`
    server = await startApp({ key: KEY, settings })
    await knock({ key: WRONG, path: '/healthz', query: `?api_key=${KEY}&user=Ada-Lovelace` })
    await knock({ key: WRONG, query: `?user=Ada-Lovelace&metadata.note=private-note` })
    const caller = await Caller.ready(server, {
      key: KEY,
      query: '?user=Ada-Lovelace&metadata.note=private-note',
    })
    const said = await caller.completesATurn()
    caller.socket.send('{"type":"private-note')
    caller.send({ type: 'session.update', session: { instructions: 'private-note', tools: 'private-note' } })
    caller.write('Tell me about the private-note.')
    await caller.events.next('response.done', caller.events.here)
    caller.vanish()
    await expect.poll(() => server.app.host.size).toBe(0)
    await get('/v1/turns?user=Ada-Lovelace', { authorization: `Bearer ${KEY}` })
    const log = server.log.join('')
    expect(log).toContain('elsewhere')
    for (const secret of [
      KEY,
      WRONG,
      OTHER,
      'Lovelace',
      'private-note',
      said,
      'ten of clubs',
      'Ten of clubs',
    ])
      expect(log).not.toContain(secret)
    const metrics = await request(`${server.url}/metrics`, { headers: { authorization: `Bearer ${KEY}` } })
    expect(await metrics.body.text()).not.toMatch(/pk-|Lovelace|private-note|clubs/)
  })
})

describe('without keys', () => {
  test('only this machine’s names and this page’s origin are answered', async () => {
    server = await startApp()
    const own = `http://127.0.0.1:${server.port}`
    const host = (name: string) => ({ socket: { headers: { host: name } } })
    expect(await knock()).toBe(101)
    expect(await knock(host(`localhost:${server.port}`))).toBe(101)
    expect(await knock({ socket: { origin: own } })).toBe(101)
    // A name that an attacker's DNS points at 127.0.0.1, and a page of theirs.
    expect(await knock(host(`rebound.example:${server.port}`))).toBe(403)
    expect(await knock({ socket: { origin: 'https://elsewhere.example' } })).toBe(403)
    expect(await knock({ socket: { origin: 'null' } })).toBe(403)
    expect(await knock({ socket: { origin: `http://127.0.0.1:${server.port + 1}` } })).toBe(403)
    for (const path of ['/v1/turns', '/metrics', '/']) {
      expect(await get(path, { host: 'rebound.example' }), path).toBe(403)
      expect(await get(path, { origin: 'https://elsewhere.example' }), path).toBe(403)
      expect(await get(path), path).not.toBe(403)
    }
    expect(() => parseSettings('listen: { host: 0.0.0.0 }', null, { env: {} })).toThrow(/key/)
  })
})
