/** A backend mints, a browser connects: over real sockets, with the access plugin in front and sessions that are played. */
import { createHash } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import websocket from '@fastify/websocket'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ClientSecrets } from '../../../src/access/client-secrets.ts'
import { accessPlugin } from '../../../src/access/plugin.ts'
import { realClock } from '../../../src/clock.ts'
import { MemoryExpiring } from '../../../src/store/memory-expiring.ts'
import { registerClientSecrets } from '../../../src/wire/realtime/client-secrets.ts'
import { registerRealtime, websocketOptions } from '../../../src/wire/realtime/index.ts'
import { CRM } from '../../session/desk.ts'
import { FakeHost, PIPELINE_SETTINGS } from '../../support/fake-session.ts'
import { Client } from './server.ts'

const KEY = 'the-key-of-the-backend'
const KEYS = [
  { id: 'web', sha256: createHash('sha256').update(KEY).digest('hex'), attributes: { tier: 'gold' } },
]

let app: FastifyInstance
let host: FakeHost
beforeEach(async () => {
  app = Fastify({ forceCloseConnections: true }) as FastifyInstance
  host = new FakeHost()
  const secrets = new ClientSecrets(
    new MemoryExpiring(realClock, { entriesPerOwner: 100, bytesPerOwner: 1e6, bytes: 1e7 }),
    KEYS,
    realClock,
  )
  await app.register(websocket, websocketOptions)
  const settings = { keys: KEYS, origins: [], listen: { publicUrl: null } }
  accessPlugin(app, { settings, publicPaths: [], secrets, secretPaths: ['/v1/realtime'] })
  const names = {
    hasPipeline: (name: string) => name === 'support' || name === 'sales',
    defaultPipeline: () => 'talk',
  }
  registerRealtime(app, { ...names, host, clock: realClock, sessionMinutes: 60, note: () => {} })
  registerClientSecrets(app, {
    ...names,
    secrets,
    settingsOf: () => ({ ...PIPELINE_SETTINGS, mcpServers: [CRM] }),
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
})
afterEach(() => app.close())

const post = (url: string, payload: object | undefined, headers: Record<string, string> = {}) =>
  app.inject({
    method: 'POST',
    url: `/v1/realtime/${url}`,
    headers: { authorization: `Bearer ${KEY}`, ...headers },
    ...(payload ? { payload } : {}),
  })

async function secret(session: object, headers: Record<string, string> = {}): Promise<string> {
  const answer = await post('client_secrets', { session }, headers)
  expect(answer.statusCode, answer.body).toBe(200)
  return answer.json().value
}

/** As a browser does. */
function browser(value: string, query = ''): Client {
  const { port } = app.server.address() as AddressInfo
  return new Client(port, query, ['realtime', `openai-insecure-api-key.${value}`])
}

describe('minting', () => {
  test('answers with the secret, its end, and the session it will begin as', async () => {
    const before = Math.floor(realClock.wallMs() / 1000)
    const answer = await post('client_secrets', {
      expires_after: { anchor: 'created_at', seconds: 60 },
      session: {
        type: 'realtime',
        model: 'gpt-realtime',
        instructions: 'Be kind.',
        audio: { output: { voice: 'marin' }, input: { turn_detection: { type: 'semantic_vad' } } },
        providerData: { parley: { pipeline: 'support', user: 'ann', metadata: { tier: 'gold' } } },
      },
    })
    expect(answer.headers['cache-control']).toBe('no-store')
    const { value, expires_at, session } = answer.json()
    expect(value).toMatch(/^ek_/)
    expect(expires_at - before - 60).toBeGreaterThanOrEqual(0)
    expect(expires_at - before - 60).toBeLessThan(30)
    expect(session).toMatchObject({
      type: 'realtime',
      object: 'realtime.session',
      id: expect.stringMatching(/^sess_/),
      model: 'gpt-realtime',
      expires_at: 0,
      instructions: 'Be kind.',
      audio: {
        input: { turn_detection: { type: 'semantic_vad', create_response: true } },
        output: { voice: 'marin' },
      },
      providerData: { parley: { pipeline: 'support', user: 'ann', metadata: { tier: 'gold' } } },
    })
    expect(host.opened).toEqual([])
  })

  test('a session may name MCP servers; one that is not allowed is refused', async () => {
    const tool = { type: 'mcp', server_label: 'crm', require_approval: 'never' }
    const value = await secret({ tools: [tool] })
    const client = browser(value)
    const { session } = await client.event('session.created')
    expect(session.tools).toEqual([tool])
    for (const [more, param] of [
      [{ server_label: 'evil' }, 'session.tools[0].server_label'],
      [{ server_url: 'https://evil.example.com' }, 'session.tools[0].server_url'],
      [{ authorization: 'tok' }, 'session.tools[0].authorization'],
    ] as const) {
      const answer = await post('client_secrets', { session: { tools: [{ ...tool, ...more }] } })
      expect(answer.statusCode).toBe(400)
      expect(answer.json().error).toMatchObject({ code: 'invalid_value', param })
    }
  })

  test('needs no body: ten minutes of the default pipeline', async () => {
    const answer = await post('client_secrets', undefined)
    expect(answer.json()).toMatchObject({ session: { model: 'talk', instructions: 'Be brief.' } })
    expect(answer.json().expires_at - realClock.wallMs() / 1000).toBeGreaterThan(500)
  })

  test.each([
    [{ expires_after: { anchor: 'opened_at', seconds: 60 } }, 'invalid_value', 'expires_after.anchor'],
    [{ expires_after: { seconds: 9 } }, 'integer_below_min_value', 'expires_after.seconds'],
    [{ expires_after: { seconds: 7201 } }, 'integer_above_max_value', 'expires_after.seconds'],
    [{ session: { type: 'translation' } }, 'invalid_value', 'session.type'],
    [
      { session: { audio: { output: { speed: 9 } } } },
      'decimal_above_max_value',
      'session.audio.output.speed',
    ],
    [{ session: 'x' }, 'invalid_type', 'session'],
    [
      { session: { providerData: { parley: { pipeline: 'nobody' } } } },
      'invalid_value',
      'session.providerData.parley.pipeline',
    ],
    [{ session: { tools: [], instructions: 'x'.repeat(300_000) } }, 'string_above_max_length', 'session'],
  ])('%.60j is refused as OpenAI does', async (body, code, param) => {
    const answer = await post('client_secrets', body)
    expect(answer.statusCode).toBe(400)
    expect(answer.json().error).toMatchObject({ type: 'invalid_request_error', code, param })
  })

  test('a secret cannot mint, nor can a stranger', async () => {
    const value = await secret({})
    for (const url of ['client_secrets', 'sessions', 'transcription_sessions']) {
      expect((await post(url, {}, { authorization: `Bearer ${value}` })).statusCode).toBe(403)
      expect((await post(url, {}, { authorization: 'Bearer wrong' })).statusCode).toBe(401)
    }
  })

  test('a key that mints without end is told to wait', async () => {
    for (let n = 0; n < 100; n++) await secret({})
    const full = await post('client_secrets', {})
    expect(full.statusCode).toBe(429)
    expect(full.json().error).toMatchObject({ type: 'rate_limit_error', code: 'client_secrets_full' })
  })

  test('the endpoints it replaced answer with a flat session and its secret', async () => {
    const answer = await post('sessions', {
      model: 'gpt-4o-realtime-preview',
      modalities: ['text', 'audio'],
      voice: 'verse',
      input_audio_format: 'g711_ulaw',
      input_audio_transcription: { model: 'whisper-1' },
      client_secret: { expires_after: { anchor: 'created_at', seconds: 30 } },
    })
    const session = answer.json()
    expect(session).toMatchObject({
      object: 'realtime.session',
      model: 'gpt-4o-realtime-preview',
      modalities: ['text', 'audio'],
      voice: 'verse',
      input_audio_format: 'g711_ulaw',
      output_audio_format: 'pcm16',
      input_audio_transcription: { model: 'whisper-1' },
      temperature: 0.8,
      client_secret: { value: expect.stringMatching(/^ek_/) },
    })
    expect(session.audio).toBeUndefined()
    expect(session.client_secret.expires_at - realClock.wallMs() / 1000).toBeLessThan(31)
    const client = browser(session.client_secret.value)
    const created = await client.event('session.created')
    expect(created['session'].audio).toMatchObject({
      input: { format: { type: 'audio/pcmu' }, transcription: { model: 'whisper-1' } },
      output: { voice: 'verse' },
    })
    client.socket.close()
  })

  test('a secret for a transcription session, by either endpoint', async () => {
    const old = await post('transcription_sessions', {
      input_audio_format: 'pcm16',
      input_audio_transcription: { model: 'gpt-4o-transcribe', language: 'de' },
      client_secret: { expires_at: { anchor: 'created_at', seconds: 30 } },
    })
    expect(old.json()).toMatchObject({
      object: 'realtime.transcription_session',
      input_audio_format: 'pcm16',
      input_audio_transcription: { model: 'gpt-4o-transcribe', language: 'de' },
      client_secret: { value: expect.stringMatching(/^ek_/) },
    })
    const value = await secret({ type: 'transcription', audio: { input: { turn_detection: null } } })
    for (const one of [old.json().client_secret.value, value]) {
      const client = browser(one, '?intent=transcription')
      const { session } = (await client.event('session.created')) as unknown as { session: object }
      expect(session).toMatchObject({ type: 'transcription', object: 'realtime.transcription_session' })
      expect(host.last.settings).toMatchObject({ kind: 'transcription', showTranscription: true })
      client.socket.close()
    }
    expect(host.opened[0]?.settings.language).toBe('de')
    const wrong = await browser(await secret({ type: 'realtime' }), '?intent=transcription').refused()
    expect(wrong.status).toBe(400)
  })
})

describe('a browser with a secret', () => {
  test('begins as minted, with the key’s attributes, and has the key’s other sessions beside it', async () => {
    const value = await secret({
      model: 'gpt-realtime',
      instructions: 'Be kind.',
      tools: [{ type: 'function', name: 'weather', parameters: { type: 'object' } }],
      audio: { input: { transcription: { model: 'whisper-1' } }, output: { voice: 'marin' } },
    })
    const client = browser(value, '?model=support')
    const { session } = (await client.event('session.created')) as unknown as { session: object }
    expect(client.socket.protocol).toBe('realtime')
    expect(session).toMatchObject({
      model: 'gpt-realtime',
      instructions: 'Be kind.',
      tools: [{ name: 'weather' }],
      audio: { input: { transcription: { model: 'whisper-1' } }, output: { voice: 'marin' } },
    })
    expect(host.last.settings).toMatchObject({
      instructions: 'Be kind.',
      voice: 'marin',
      showTranscription: true,
    })
    expect(host.last.origin).toMatchObject({
      pipeline: null,
      key: { id: 'web', attributes: { tier: 'gold' } },
    })
    client.send({ type: 'session.update', session: { instructions: 'Be stern.' } })
    await client.event('session.updated')
    expect(host.last.settings.instructions).toBe('Be stern.')
    client.socket.close()
  })

  test('what was minted wins over what the client says, and is not told to it', async () => {
    const value = await secret(
      { providerData: { parley: { pipeline: 'support', user: 'ann', metadata: { tier: 'gold' } } } },
      { 'x-parley-metadata': '{"region":"eu","tier":"none"}' },
    )
    const client = browser(value, '?model=sales&user=eve&metadata.tier=platinum&metadata.theme=dark')
    const created = await client.event('session.created')
    expect(host.last.origin).toMatchObject({
      pipeline: 'support',
      user: 'ann',
      minted: { tier: 'gold', region: 'eu' },
      metadata: { tier: 'platinum', theme: 'dark' },
    })
    expect(JSON.stringify(created)).not.toMatch(/gold|ann"|region/)

    for (const [parley, param] of [
      [{ pipeline: 'sales' }, 'pipeline'],
      [{ user: 'eve' }, 'user'],
    ] as const) {
      client.send({ type: 'session.update', session: { providerData: { parley } } })
      const { error } = (await client.event('error', param === 'user' ? 1 : 0)) as unknown as {
        error: object
      }
      expect(error).toMatchObject({
        code: 'override_not_allowed',
        param: `session.providerData.parley.${param}`,
      })
    }
    client.send({
      type: 'session.update',
      session: { providerData: { parley: { pipeline: 'support', metadata: { tier: 'diamond' } } } },
    })
    await client.event('session.updated')
    expect(host.last.origin).toMatchObject({
      pipeline: 'support',
      user: 'ann',
      minted: { tier: 'gold', region: 'eu' },
      metadata: { tier: 'diamond' },
    })
    client.socket.close()
  })

  test('may come again until the secret ends', async () => {
    const value = await secret({})
    for (let n = 0; n < 3; n++) {
      const client = browser(value)
      await client.event('session.created')
      client.socket.close()
    }
    expect(host.opened).toHaveLength(3)
    expect((await browser(`${value.slice(0, -1)}~`).refused()).status).toBe(401)
  })
})
