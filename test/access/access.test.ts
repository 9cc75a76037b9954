import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import websocket from '@fastify/websocket'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type AccessSettings, accessPlugin } from '../../src/access/plugin.ts'

const SECRET = 'right-secret-of-good-length'
const KEYS = [
  { id: 'web', sha256: createHash('sha256').update(SECRET).digest('hex'), attributes: { tier: 'premium' } },
  { id: 'other', sha256: createHash('sha256').update('another-secret').digest('hex'), attributes: {} },
]
const OPEN: AccessSettings = { keys: [], origins: ['https://app.example.com'], listen: { publicUrl: null } }
const KEYED: AccessSettings = { ...OPEN, keys: KEYS }

const apps: FastifyInstance[] = []
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close()
})

async function build(settings: AccessSettings): Promise<FastifyInstance> {
  const app = Fastify()
  apps.push(app)
  await app.register(websocket, {
    options: { handleProtocols: (offered: Set<string>) => (offered.has('realtime') ? 'realtime' : false) },
  })
  accessPlugin(app, { settings, publicPaths: ['/healthz', '/', '/assets/*'] })
  for (const path of ['/healthz', '/', '/assets/one.js', '/metrics']) app.get(path, () => 'open')
  app.get('/v1/me', (request) => ({ caller: request.caller }))
  app.post('/v1/me', (request) => ({ caller: request.caller }))
  await app.register((scope) => scope.get('/v1/scoped', (request) => ({ caller: request.caller })))
  app.get('/v1/realtime', { websocket: true }, (socket, request) => {
    socket.send(JSON.stringify(request.caller))
  })
  return app
}

async function get(app: FastifyInstance, url: string, headers: Record<string, string> = {}) {
  return app.inject({ url, headers: { host: 'localhost:8080', ...headers } })
}

/** The answer to a request exactly as written. */
async function raw(app: FastifyInstance, head: string): Promise<string> {
  if (!app.server.listening) await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as { port: number }
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(`${head}\r\nconnection: close\r\n\r\n`))
    socket.on('data', (data) => {
      text += data
    })
    socket.on('close', () => resolve(text))
    socket.on('error', reject)
  })
}

describe('with keys', () => {
  test('a key is taken from Authorization, from api-key, and gives its attributes', async () => {
    const app = await build(KEYED)
    for (const headers of [
      { authorization: `Bearer ${SECRET}` },
      { authorization: `bearer  ${SECRET} ` },
      { 'api-key': SECRET },
    ]) {
      const answer = await get(app, '/v1/me', headers)
      expect(answer.json()).toEqual({ caller: { keyId: 'web', attributes: { tier: 'premium' } } })
    }
    expect((await get(app, '/v1/scoped', { 'api-key': 'another-secret' })).json().caller.keyId).toBe('other')
  })

  test('no key, a wrong one, an empty one, a huge one: 401 in the shape that OpenAI clients read', async () => {
    const app = await build(KEYED)
    const none = await get(app, '/v1/me')
    expect(none.statusCode).toBe(401)
    expect(none.headers['www-authenticate']).toBe('Bearer')
    expect(none.json().error).toMatchObject({
      type: 'invalid_request_error',
      code: 'missing_api_key',
      param: null,
    })
    for (const wrong of ['x', `${SECRET}x`, SECRET.slice(1), 'y'.repeat(10_000)]) {
      const answer = await get(app, '/v1/me', { authorization: `Bearer ${wrong}` })
      expect(answer.statusCode).toBe(401)
      expect(answer.json().error.code).toBe('invalid_api_key')
      expect(answer.body).not.toContain(wrong.slice(0, 9))
    }
    for (const header of ['Bearer', 'Bearer ', `Basic ${SECRET}`, SECRET]) {
      expect((await get(app, '/v1/me', { authorization: header })).json().error.code).toBe('missing_api_key')
    }
  })

  test('public paths are open; all others are not, nor what is not there', async () => {
    const app = await build(KEYED)
    for (const path of ['/healthz', '/', '/assets/one.js', '/healthz?x=1']) {
      expect((await get(app, path)).statusCode, path).toBe(200)
    }
    const closed = ['/metrics', '/v1/scoped', '/nowhere']
    for (const path of closed) expect((await get(app, path)).statusCode, path).toBe(401)
  })

  test('no way of writing a path makes a closed one public', async () => {
    const app = await build(KEYED)
    for (const path of [
      '/assets/../v1/me',
      '/assets/%2e%2e/v1/me',
      '/assets/..%2fv1/me',
      '//healthz',
      '/healthz/..',
      '/HEALTHZ/../v1/me',
      '/healthz;/v1/me',
      'http://localhost/v1/me',
    ]) {
      const answer = await raw(app, `GET ${path} HTTP/1.1\r\nhost: localhost`)
      expect(answer, path).toMatch(/^HTTP\/1\.1 40[01] /)
    }
  })

  test('a public path may be asked with any key and has no caller', async () => {
    const app = await build(KEYED)
    expect((await get(app, '/healthz', { authorization: 'Bearer nonsense' })).statusCode).toBe(200)
  })

  test('any Host will do: the key is the proof', async () => {
    const app = await build(KEYED)
    const answer = await get(app, '/v1/me', {
      host: 'voice.example.com',
      'api-key': SECRET,
      origin: 'https://elsewhere.example',
    })
    expect(answer.statusCode).toBe(200)
    expect(answer.headers['access-control-allow-origin']).toBeUndefined()
  })
})

describe('without keys', () => {
  test.each(['localhost', 'localhost:8080', 'LocalHost:1', '127.0.0.1:8080', '127.1.2.3', '[::1]:8080'])(
    'Host %s is this machine',
    async (host) => {
      const answer = await get(await build(OPEN), '/v1/me', { host })
      expect(answer.json()).toEqual({ caller: null })
    },
  )

  test.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example:80',
    'evil.example:8080',
    '0.0.0.0:8080',
    '192.168.1.5',
    'localhost:8080@evil.example',
    'localhost:',
  ])('Host %s is not: a name that resolves to this machine is refused everywhere', async (host) => {
    const app = await build(OPEN)
    for (const path of ['/v1/me', '/healthz', '/nowhere']) {
      const answer = await get(app, path, { host })
      expect(answer.statusCode, path).toBe(403)
      expect(answer.json().error.code).toBe('host_not_allowed')
    }
  })

  test.each([
    ['its own page', 'http://localhost:8080', 200],
    ['its own page over TLS', 'https://localhost:8080', 200],
    ['a configured origin', 'https://app.example.com', 200],
    ['another site', 'https://evil.example', 403],
    ['another port of this machine', 'http://localhost:3000', 403],
    ['the port that is left out', 'http://localhost', 403],
    ['a configured origin by another scheme', 'http://app.example.com', 403],
    ['a name that begins like one', 'https://app.example.com.evil.example', 403],
    ['a sandboxed page', 'null', 403],
    ['a file', 'file://', 403],
  ])('a page of %s', async (_name, origin, status) => {
    const answer = await get(await build(OPEN), '/v1/me', { origin })
    expect(answer.statusCode).toBe(status)
  })

  test('the public address counts as its own', async () => {
    const app = await build({ ...OPEN, listen: { publicUrl: 'https://voice.example.com/parley' } })
    expect((await get(app, '/v1/me', { origin: 'https://voice.example.com' })).statusCode).toBe(200)
  })

  test('a request without Host, with an empty one, or with two', async () => {
    const app = await build(OPEN)
    expect(await raw(app, 'GET /v1/me HTTP/1.0')).toMatch(/^HTTP\/1\.1 403 /)
    expect(await raw(app, 'GET /v1/me HTTP/1.1\r\nhost:')).toMatch(/^HTTP\/1\.1 403 /)
    const two = await raw(app, 'GET /v1/me HTTP/1.1\r\nhost: evil.example\r\nhost: localhost')
    expect(two).toMatch(/^HTTP\/1\.1 40[03] /)
  })
})

describe('cross-origin pages', () => {
  const ask = {
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization, x-parley-metadata',
  }

  test('of a configured origin: the preflight needs no key, the request does', async () => {
    for (const settings of [OPEN, KEYED]) {
      const app = await build(settings)
      const origin = 'https://app.example.com'
      const preflight = await app.inject({
        method: 'OPTIONS',
        url: '/v1/me',
        headers: { host: 'localhost', origin, ...ask },
      })
      expect(preflight.statusCode).toBe(204)
      expect(preflight.headers).toMatchObject({
        'access-control-allow-origin': origin,
        'access-control-allow-headers': ask['access-control-request-headers'],
        vary: 'Origin',
      })
      const answer = await get(app, '/v1/me', { origin, 'api-key': SECRET })
      expect(answer.headers['access-control-allow-origin']).toBe(origin)
      expect(answer.headers['access-control-expose-headers']).toContain('x-parley-turn-id')
    }
    const refused = await get(await build(KEYED), '/v1/me', { origin: 'https://app.example.com' })
    expect(refused.statusCode).toBe(401)
    expect(refused.headers['access-control-allow-origin']).toBe('https://app.example.com')
  })

  test('of others: the preflight is refused, and nothing is readable', async () => {
    for (const settings of [OPEN, KEYED]) {
      const app = await build(settings)
      const headers = { host: 'localhost', origin: 'https://evil.example', ...ask }
      const preflight = await app.inject({ method: 'OPTIONS', url: '/v1/me', headers })
      expect(preflight.statusCode).toBe(403)
      expect(preflight.headers['access-control-allow-origin']).toBeUndefined()
    }
  })
})

describe('a WebSocket', () => {
  async function open(settings: AccessSettings, protocols: string[], headers: Record<string, string> = {}) {
    const app = await build(settings)
    await app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = app.server.address() as { port: number }
    const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/realtime`, protocols, { headers })
    return new Promise<{ status: number; body: string; protocol: string }>((resolve, reject) => {
      socket.on('message', (data) => {
        resolve({ status: 101, body: String(data), protocol: socket.protocol })
        socket.close()
      })
      socket.on('unexpected-response', (_request, response) => {
        let body = ''
        response.on('data', (data) => {
          body += data
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body, protocol: '' }))
      })
      socket.on('error', reject)
    })
  }

  test('shows its key as a subprotocol, which is not given back', async () => {
    const answer = await open(KEYED, ['realtime', `openai-insecure-api-key.${SECRET}`])
    expect(answer).toMatchObject({ status: 101, protocol: 'realtime' })
    expect(JSON.parse(answer.body).keyId).toBe('web')
  })

  test('with a wrong key or none is refused before the upgrade, with a body that says why', async () => {
    const wrong = await open(KEYED, ['realtime', 'openai-insecure-api-key.wrong'])
    expect(wrong.status).toBe(401)
    expect(JSON.parse(wrong.body).error.code).toBe('invalid_api_key')
    expect((await open(KEYED, ['realtime'])).status).toBe(401)
  })

  test('of a foreign page is refused before the upgrade', async () => {
    const answer = await open(OPEN, ['realtime'], { origin: 'https://evil.example' })
    expect(answer.status).toBe(403)
    expect(JSON.parse(answer.body).error.code).toBe('origin_not_allowed')
    expect((await open(OPEN, ['realtime'], { host: 'rebound.example' })).status).toBe(403)
    expect((await open(OPEN, ['realtime'])).status).toBe(101)
  })
})
