import { connect as connectTcp } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { FakeSession } from '../../support/fake-session.ts'
import { SPOKEN_TURN, sound } from './outputs.ts'
import { Client, type Server, startServer } from './server.ts'

let server: Server
beforeEach(async () => {
  server = await startServer()
})
afterEach(async () => {
  await server.app.close()
  expect(server.notes).toEqual([])
})

describe('the upgrade', () => {
  test('session.created comes at once, an update sent before it is answered after it', async () => {
    const client = new Client(server.port, '?model=gpt-realtime')
    client.socket.on('open', () => client.send({ type: 'session.update', session: { tracing: 'auto' } }))
    await client.event('session.updated')
    expect(client.events.map((event) => event.type)).toEqual(['session.created', 'session.updated'])
    expect(client.events[0]?.['session'].model).toBe('gpt-realtime')
    client.socket.close()
  })

  test('a browser’s key is never answered, `realtime` is', async () => {
    const offered = ['realtime', 'openai-insecure-api-key.secret', 'openai-agents-sdk.0.20']
    const client = new Client(server.port, '', offered)
    await client.event('session.created')
    expect(client.socket.protocol).toBe('realtime')
    expect(client.socket.extensions).toBe('')
    expect(client.events[0]?.['session'].model).toBe('talk')
    client.socket.close()
  })

  test.each([
    ['?model=support', 'support'],
    ['?model=router/support', 'support'],
    ['?model=inworld/support', 'support'],
    ['?model=gpt-realtime-2.1', null],
    ['', null],
  ])('%s means the pipeline %s', async (query, pipeline) => {
    const client = new Client(server.port, query)
    await client.event('session.created')
    expect(server.host.last.origin.pipeline).toBe(pipeline)
    client.socket.close()
  })

  test('?intent=transcription is for words only, in the pipeline that `model` names', async () => {
    const client = new Client(server.port, '?intent=transcription&model=support')
    const created = await client.event('session.created')
    expect(created['session']).toMatchObject({ type: 'transcription', audio: { input: {} } })
    expect(server.host.last.origin.pipeline).toBe('support')
    expect(server.host.last.settings.turnDetection?.createResponse).toBe(false)
    client.socket.close()
  })

  test('metadata and user come from the URL and the header', async () => {
    const headers = { 'x-parley-metadata': '{"tier":"free","n":1}' }
    const client = new Client(server.port, '?metadata.tier=gold&metadata.__proto__=x&user=ann', [], {
      headers,
    })
    await client.event('session.created')
    expect(server.host.last.origin.user).toBe('ann')
    expect(server.host.last.origin.metadata['tier']).toBe('gold')
    expect(server.host.last.origin.metadata['n']).toBe(1)
    expect(server.host.last.origin.key).toBeNull()
    client.socket.close()
  })

  test.each([
    ['?intent=translation', {}, 400, 'invalid_value'],
    ['?call_id=rtc_1', {}, 400, 'invalid_value'],
    ['', { 'x-parley-metadata': '{"a":' }, 400, 'invalid_value'],
    ['', { 'x-parley-metadata': '[1]' }, 400, 'invalid_type'],
    [`?metadata.a=${'x'.repeat(9_000)}&metadata.b=${'x'.repeat(9_000)}`, {}, 431, ''],
  ])('%.30s %j is answered before the upgrade with %i', async (query, headers, status, code) => {
    const refused = await new Client(server.port, query, [], { headers }).refused()
    expect(refused.status).toBe(status)
    expect(refused.body).toContain(code)
    expect(server.host.opened).toEqual([])
  })

  test('a full server answers 503 in OpenAI’s shape', async () => {
    server.host.refuse = 'server_full'
    const { status, body } = await new Client(server.port).refused()
    expect(status).toBe(503)
    expect(JSON.parse(body)).toEqual({
      error: { message: 'refused: server_full', type: 'server_error', param: null, code: 'server_full' },
    })
  })

  test('plain HTTP is told to upgrade', async () => {
    const answer = await server.app.inject('/v1/realtime')
    expect(answer.statusCode).toBe(426)
    expect(answer.json().error.code).toBe('upgrade_required')
  })

  test.each([
    ['the header', [], { 'openai-beta': 'assistants=v2, realtime=v1' }],
    ['a subprotocol', ['realtime', 'openai-beta.realtime-v1'], {}],
  ])('a client that asks for the beta shape by %s gets it', async (_, protocols, headers) => {
    const client = new Client(server.port, '?model=gpt-4o-realtime-preview', protocols, { headers })
    await client.event('conversation.created')
    expect(client.socket.protocol).toBe(protocols[0] ?? '')
    expect(client.events[0]).toMatchObject({
      type: 'session.created',
      session: {
        model: 'gpt-4o-realtime-preview',
        input_audio_format: 'pcm16',
        modalities: ['text', 'audio'],
      },
    })
    client.socket.close()
  })

  test('a handshake that fails after its session was opened leaves no session', async () => {
    const socket = connectTcp(server.port, '127.0.0.1')
    socket.write(
      'GET /v1/realtime HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: nonsense\r\n\r\n',
    )
    const answer = await new Promise<string>((resolve) =>
      socket.once('data', (data) => resolve(String(data))),
    )
    expect(answer).toMatch(/^HTTP\/1.1 400/)
    expect(await server.host.last.ended).toBe('client')
    socket.destroy()
  })
})

test('the key a request came in with is the session’s', async () => {
  const keyed = await startServer({ caller: { keyId: 'web-team', attributes: { tier: 'premium' } } })
  const client = new Client(keyed.port)
  await client.event('session.created')
  expect(keyed.host.last.origin.key).toEqual({ id: 'web-team', attributes: { tier: 'premium' } })
  client.socket.close()
  await keyed.app.close()
})

test('a client that floods is warned and closed; another of the same key completes its turn meanwhile', async () => {
  const limits = { inputBytesPerSecond: 20_000, inputBytesPerSecondPerKey: 30_000 }
  const caller = { keyId: 'web-team', attributes: {} }
  const limited = await startServer({ caller, limits })
  const [loud, calm] = [new Client(limited.port), new Client(limited.port)]
  await Promise.all([loud.event('session.created'), calm.event('session.created')])
  const [flooded, quiet] = limited.host.opened
  const audio = Buffer.alloc(15_000).toString('base64')
  for (let n = 0; n < 200; n++) loud.send({ type: 'input_audio_buffer.append', audio })
  expect(await loud.closed).toEqual({ code: 1008, reason: 'rate_limit_error.input_too_fast' })
  expect(loud.events.filter(({ type }) => type === 'error').map(({ error }) => error.code)).toEqual([
    'input_too_fast',
    'input_too_fast',
  ])
  const told = limited.host.opened.find(({ closed }) => closed === 'limit')
  expect([flooded, quiet]).toContain(told)
  const other = limited.host.opened.find((session) => session !== told) as FakeSession
  calm.send({ type: 'input_audio_buffer.append', audio })
  await other.heard(15_000)
  other.say(...SPOKEN_TURN)
  await calm.event('response.done')
  expect(calm.events.map(({ type }) => type)).not.toContain('error')
  calm.socket.close()
  await other.ended
  await limited.app.close()
})

describe('a conversation', () => {
  test('a spoken turn', async () => {
    const client = new Client(server.port)
    await client.event('session.created')
    const session = server.host.last
    client.send({ type: 'session.update', session: { audio: { input: { transcription: { model: 'x' } } } } })
    client.send({ type: 'input_audio_buffer.append', audio: Buffer.alloc(960).toString('base64') })
    client.send({ type: 'input_audio_buffer.commit' })
    await session.received(2)
    expect(session.audioBytes).toBe(960)
    session.say(...SPOKEN_TURN)
    const done = await client.event('response.done')
    expect(done['response'].parley.turnId).toBe('turn_1')
    expect(client.events).toHaveLength(29)
    client.socket.close()
    expect(await session.ended).toBe('client')
  })

  test('bad JSON, binary and unknown events are answered one by one, and the talk goes on', async () => {
    const client = new Client(server.port)
    await client.event('session.created')
    client.socket.send('{')
    client.socket.send(Buffer.from([1, 2]), { binary: true })
    client.send({ type: 'nope', event_id: 'e3' })
    client.send({ type: 'input_audio_buffer.append', audio: '%%%', event_id: 'e4' })
    client.send({ type: 'response.cancel' })
    await server.host.last.received(1)
    await client.event('error', 3)
    const errors = client.events.filter((event) => event.type === 'error').map((event) => event['error'])
    expect(errors.map(({ code, event_id }) => [code, event_id])).toEqual([
      ['invalid_json', null],
      ['invalid_event', null],
      ['invalid_value', 'e3'],
      ['invalid_value', 'e4'],
    ])
    client.socket.close()
  })

  test('15 MiB of audio in one event arrive; a frame above 21 MiB closes with 1009', async () => {
    const client = new Client(server.port)
    await client.event('session.created')
    const session = server.host.last
    client.send({
      type: 'input_audio_buffer.append',
      audio: Buffer.alloc(15 * 1024 * 1024).toString('base64'),
    })
    client.send({ type: 'input_audio_buffer.commit' })
    await session.received(1)
    expect(session.audioBytes).toBe(15 * 1024 * 1024)
    client.socket.send('x'.repeat(22 * 1024 * 1024))
    expect((await client.closed).code).toBe(1009)
    expect(await session.ended).toBe('client')
  })

  test('a flood far beyond real time arrives whole and in order', async () => {
    const client = new Client(server.port)
    await client.event('session.created')
    const session = server.host.last
    const audio = Buffer.alloc(960).toString('base64')
    for (let n = 0; n < 5_000; n++) client.send({ type: 'input_audio_buffer.append', audio })
    client.send({ type: 'input_audio_buffer.commit' })
    await session.received(1)
    expect(session.audioBytes).toBe(5_000 * 960)
    client.socket.close()
  })

  test('a client that does not read holds the session back, and gets all of it once it reads', async () => {
    const client = new Client(server.port)
    await client.event('session.created')
    const session = server.host.last
    client.socket.pause()
    const audio = new Uint8Array(4_800)
    const frames = 8_000
    for (let n = 0; n < frames; n++) session.say(sound(audio))
    session.say({ type: 'cleared' })
    await stalled(session)
    expect(session.outputs.size).toBeGreaterThan(100)
    client.socket.resume()
    await client.event('input_audio_buffer.cleared')
    expect(client.events).toHaveLength(frames + 2)
    client.socket.close()
    expect(await session.ended).toBe('client')
  })

  test('a client that vanishes in mid-answer ends its session', async () => {
    const client = new Client(server.port)
    await client.event('session.created')
    const session = server.host.last
    client.socket.pause()
    for (let n = 0; n < 2_000; n++) session.say(sound(new Uint8Array(4_800)))
    await stalled(session)
    client.socket.terminate()
    expect(await session.ended).toBe('client')
  })

  test('the server ends a session: an error, then 1001', async () => {
    const client = new Client(server.port)
    await client.event('session.created')
    void server.host.last.close('drain')
    expect((await client.closed).code).toBe(1001)
    expect(client.events.at(-1)?.['error'].code).toBe('session_closed')
  })
})

/** Resolves when the wire has stopped taking outputs: a thousand turns of the event loop without one. */
async function stalled(session: FakeSession): Promise<void> {
  let size = session.outputs.size
  for (let same = 0; same < 1_000; same++) {
    await new Promise((resolve) => setImmediate(resolve))
    if (session.outputs.size !== size) same = 0
    size = session.outputs.size
  }
}
