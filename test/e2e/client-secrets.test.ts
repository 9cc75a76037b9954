/** A backend mints with OpenAI's own SDK, a browser talks with what it was given: the whole server, over TLS. */
import OpenAI from 'openai'
import { OpenAIRealtimeWebSocket } from 'openai/realtime/websocket'
import { OpenAIRealtimeWS } from 'openai/realtime/ws'
import { Agent, fetch as undiciFetch } from 'undici'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { type RunningApp, startApp } from './app.ts'
import { Caller } from './caller.ts'
import { closeEmbedded } from './embedded.ts'
import { HeardEvents } from './heard-events.ts'

const KEY = 'pk-of-the-backend-0c1d'

let server: RunningApp
let trusting: Agent
beforeAll(async () => {
  server = await startApp({ tls: 'tls', key: KEY })
  trusting = new Agent({ connect: { ca: server.ca } })
})
afterAll(async () => {
  await trusting.close()
  await server.close()
  await closeEmbedded()
})

/** The SDK as it is; only its certificate authority is ours. */
function sdk(apiKey: string): OpenAI {
  return new OpenAI({
    apiKey,
    baseURL: `https://localhost:${server.port}/v1`,
    maxRetries: 0,
    fetch: undiciFetch as unknown as typeof fetch,
    fetchOptions: { dispatcher: trusting } as never,
  })
}

function connect(apiKey: string): { realtime: OpenAIRealtimeWS; events: HeardEvents } {
  const realtime = new OpenAIRealtimeWS({ model: 'gpt-realtime', options: { ca: server.ca } }, sdk(apiKey))
  const events = new HeardEvents()
  realtime.on('event', events.push)
  realtime.on('error', (error) => {
    if (!error.error) events.end(error.message)
  })
  return { realtime, events }
}

test('clientSecrets.create, then a conversation with the secret', async () => {
  const secret = await sdk(KEY).realtime.clientSecrets.create({
    expires_after: { anchor: 'created_at', seconds: 120 },
    session: {
      type: 'realtime',
      model: 'gpt-realtime',
      output_modalities: ['text'],
      instructions: 'Be a pirate.',
    },
  })
  expect(secret.value).toMatch(/^ek_/)
  expect(secret.session).toMatchObject({ type: 'realtime', output_modalities: ['text'] })

  const { realtime, events } = connect(secret.value)
  const created = await events.next('session.created')
  expect(created['session']).toMatchObject({ output_modalities: ['text'], instructions: 'Be a pirate.' })
  realtime.send({
    type: 'conversation.item.create',
    item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'My name is Ada.' }] },
  })
  realtime.send({ type: 'response.create' })
  const done = await events.next('response.done')
  expect(done['response']).toMatchObject({ status: 'completed', output_modalities: ['text'] })
  expect(server.prompts.at(-1)?.messages[0]).toEqual({ role: 'system', text: 'Be a pirate.' })
  // The turn is the key's, and the key's holder can read it.
  expect(await server.turn(done['response'].parley.turnId)).toMatchObject({ keyId: 'tester' })
  realtime.close()

  await expect(sdk(secret.value).realtime.clientSecrets.create({})).rejects.toMatchObject({
    status: 403,
    code: 'client_secret_not_allowed',
  })
  await expect(
    sdk(KEY).realtime.clientSecrets.create({ expires_after: { seconds: 5 } }),
  ).rejects.toMatchObject({
    status: 400,
    code: 'integer_below_min_value',
    param: 'expires_after.seconds',
  })
  expect(server.log.join('')).not.toContain(secret.value.slice(19))
})

test('the SDK’s class for browsers, which shows the secret as a subprotocol', async () => {
  // Node 20 has no WebSocket of its own; a browser's cannot be told of a certificate authority either.
  vi.stubGlobal(
    'WebSocket',
    class extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols, { ca: server.ca })
      }
    },
  )
  const { value } = await sdk(KEY).realtime.clientSecrets.create({
    session: { type: 'realtime', instructions: 'Be a parrot.' },
  })
  const realtime = new OpenAIRealtimeWebSocket(
    { model: 'gpt-realtime', dangerouslyAllowBrowser: true },
    sdk(value),
  )
  const events = new HeardEvents()
  realtime.on('event', events.push)
  realtime.on('error', (error) => events.end(error.message))
  expect((await events.next('session.created'))['session'].instructions).toBe('Be a parrot.')
  expect(realtime.socket.protocol).toBe('realtime')
  realtime.close()
  vi.unstubAllGlobals()
})

test('the SDK’s old `beta.realtime.sessions` and `transcriptionSessions` mint, too', async () => {
  const session = await sdk(KEY).beta.realtime.sessions.create({ voice: 'verse', instructions: 'Hum.' })
  expect(session).toMatchObject({ voice: 'verse', instructions: 'Hum.', output_audio_format: 'pcm16' })
  const { realtime, events } = connect(session.client_secret.value)
  expect((await events.next('session.created'))['session'].instructions).toBe('Hum.')
  realtime.close()

  const words = await sdk(KEY).beta.realtime.transcriptionSessions.create({
    input_audio_transcription: { model: 'whisper-1' },
  })
  expect(words).toMatchObject({ input_audio_transcription: { model: 'whisper-1' } })
  const listening = connect(words.client_secret.value)
  expect((await listening.events.next('session.created'))['session'].type).toBe('transcription')
  listening.realtime.close()
})

test('a secret that is none is answered with 401 before the upgrade', async () => {
  const { events, realtime } = connect(`ek_${'A'.repeat(59)}`)
  await expect(events.next('session.created')).rejects.toThrow(/401/)
  realtime.close()
})

test('a backend sets what `clientMay` keeps from its browser', async () => {
  const strict = await startApp({ key: KEY, pipeline: 'clientMay: []' })
  const answer = await strict.app.http.inject({
    method: 'POST',
    url: '/v1/realtime/client_secrets',
    headers: { authorization: `Bearer ${KEY}` },
    payload: { session: { instructions: 'Be a judge.' } },
  })
  const caller = new Caller(strict, { key: answer.json().value })
  expect((await caller.events.next('session.created'))['session'].instructions).toBe('Be a judge.')
  caller.send({ type: 'session.update', session: { instructions: 'Be a clown.' } })
  expect((await caller.events.next('error'))['error']).toMatchObject({
    code: 'override_not_allowed',
    param: 'session.instructions',
  })
  caller.send({ type: 'session.update', session: { instructions: 'Be a judge.', tool_choice: 'none' } })
  expect((await caller.events.next('session.updated'))['session']).toMatchObject({
    instructions: 'Be a judge.',
    tool_choice: 'none',
  })
  caller.hangUp()
  await strict.close()
})
