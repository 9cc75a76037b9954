/** OpenAI's own client libraries, unchanged, against the wire; the sessions behind it are played. */
import { RealtimeAgent, RealtimeSession, tool } from '@openai/agents-realtime'
import OpenAI from 'openai'
import { OpenAIRealtimeWS as BetaRealtimeWS } from 'openai/beta/realtime/ws'
import { OpenAIRealtimeWS } from 'openai/realtime/ws'
import { afterEach, expect, test } from 'vitest'
import { z } from 'zod'
import { selfSigned } from '../../support/certificate.ts'
import { assistant, CALLER, PLACE, response, SPOKEN_TURN, sound } from './outputs.ts'
import { type Server, startServer } from './server.ts'

let server: Server
afterEach(async () => {
  await server.app.close()
  expect(server.notes).toEqual([])
})

test('the `openai` SDK, which insists on TLS, completes a spoken turn', async () => {
  const tls = selfSigned()
  server = await startServer({ tls })
  const client = new OpenAI({ apiKey: 'none', baseURL: `https://localhost:${server.port}/v1` })
  const realtime = new OpenAIRealtimeWS({ model: 'support', options: { ca: tls.cert } }, client)
  const errors: unknown[] = []
  realtime.on('error', (error) => errors.push(error))
  await new Promise((resolve) => realtime.on('session.created', resolve))
  const session = server.host.last
  expect(session.origin.pipeline).toBe('support')

  const updated = new Promise((resolve) => realtime.on('session.updated', resolve))
  realtime.send({
    type: 'session.update',
    session: { type: 'realtime', audio: { input: { transcription: { model: 'whisper-1' } } } },
  })
  await updated
  realtime.send({ type: 'input_audio_buffer.append', audio: Buffer.alloc(4_800).toString('base64') })
  realtime.send({ type: 'input_audio_buffer.commit' })
  realtime.send({ type: 'response.create' })
  await session.told('respond')
  expect(session.audioBytes).toBe(4_800)

  const heard: string[] = []
  realtime.on('response.output_audio_transcript.delta', ({ delta }) => heard.push(delta))
  const done = new Promise<string | undefined>((resolve) =>
    realtime.on('response.done', (event) => resolve(event.response.status)),
  )
  session.say(...SPOKEN_TURN)
  expect(await done).toBe('completed')
  expect(heard.join('')).toBe('Good morning.')
  expect(errors).toEqual([])
  realtime.close()
  expect(await session.ended).toBe('client')
})

test('the `openai` SDK’s beta client, which asks for the old shape by its header, completes a spoken turn', async () => {
  const tls = selfSigned()
  server = await startServer({ tls })
  const client = new OpenAI({ apiKey: 'none', baseURL: `https://localhost:${server.port}/v1` })
  const realtime = new BetaRealtimeWS({ model: 'support', options: { ca: tls.cert } }, client)
  const errors: unknown[] = []
  const types: string[] = []
  realtime.on('error', (error) => errors.push(error))
  realtime.on('event', ({ type }) => types.push(type))
  await new Promise((resolve) => realtime.on('session.created', resolve))
  const session = server.host.last
  realtime.send({
    type: 'session.update',
    session: { input_audio_transcription: { model: 'whisper-1' }, turn_detection: { type: 'semantic_vad' } },
  })
  realtime.send({ type: 'input_audio_buffer.append', audio: Buffer.alloc(4_800).toString('base64') })
  realtime.send({ type: 'response.create', response: { modalities: ['text', 'audio'] } })
  await session.told('respond')
  expect(session.settings.turnDetection?.type).toBe('semantic_vad')

  const heard: string[] = []
  let bytes = 0
  realtime.on('response.audio_transcript.delta', ({ delta }) => heard.push(delta))
  realtime.on('response.audio.delta', ({ delta }) => {
    bytes += Buffer.from(delta, 'base64').length
  })
  const done = new Promise<string | undefined>((resolve) =>
    realtime.on('response.done', ({ response }) => resolve(response.output?.[0]?.content?.[0]?.transcript)),
  )
  session.say(...SPOKEN_TURN)
  expect(await done).toBe('Good morning.')
  expect(heard.join('')).toBe('Good morning.')
  expect(bytes).toBeGreaterThan(0)
  expect(types.filter((type) => type.includes('output_audio'))).toEqual([])
  expect(errors).toEqual([])
  realtime.close()
  expect(await session.ended).toBe('client')
})

test('the Agents SDK talks, calls a tool, is interrupted, and shows what was said', async () => {
  server = await startServer()
  const asked: string[] = []
  const weather = tool({
    name: 'weather',
    description: 'Tells the weather.',
    parameters: z.object({ in: z.string() }),
    execute: async ({ in: where }) => {
      asked.push(where)
      return 'rain'
    },
  })
  const agent = new RealtimeAgent({ name: 'Guide', instructions: 'Be kind.', tools: [weather] })
  const talk = new RealtimeSession(agent, { transport: 'websocket', model: 'support' })
  const errors: unknown[] = []
  talk.on('error', (error) => errors.push(error))
  await talk.connect({ apiKey: 'none', url: `ws://127.0.0.1:${server.port}/v1/realtime` })
  const session = server.host.last
  await session.told('settings', 1) // the configuration, then tracing once session.created arrived
  expect(session.settings.instructions).toBe('Be kind.')
  expect(session.settings.tools).toMatchObject([{ name: 'weather' }])
  expect(session.settings.turnDetection).toMatchObject({ type: 'semantic_vad', interruptResponse: true })

  talk.sendAudio(new ArrayBuffer(960))
  session.say(...SPOKEN_TURN)
  // It asks for the caller's item once its transcript is known, and answers the call by itself.
  expect(await session.told('retrieveItem')).toMatchObject({ itemId: 'item_1' })
  const item = { ...CALLER, parts: [{ type: 'audio', transcript: 'hello' }] } as const
  session.say({ type: 'itemRetrieved', item, audio: new Uint8Array(960) })
  const output = await session.told('createItem')
  expect(output).toMatchObject({ item: { type: 'toolResult', callId: 'call_1' } })
  expect(asked).toEqual(['Oslo'])
  await session.told('respond')
  expect(session.audioBytes).toBe(960)
  expect(JSON.stringify(talk.history)).toContain('"transcript":"hello"')
  expect(JSON.stringify(talk.history)).toContain('"transcript":"Good morning."')

  // The next answer is cut short by the caller: no cancel of its own, since it read `interrupt_response: true`.
  const next = { ...PLACE, responseId: 'resp_2', itemId: 'item_5' }
  const shared = { previousItemId: 'item_3', modality: 'audio', inConversation: true } as const
  const begun = { ...assistant('in_progress'), id: 'item_5' }
  const cut = new Promise((resolve) => talk.on('audio_interrupted', resolve))
  session.say(
    { type: 'responseCreated', response: response(null, { id: 'resp_2' }) },
    { type: 'answerStarted', item: begun, ...shared, ...next },
    { ...sound(new Uint8Array(48_000)), ...next } as ReturnType<typeof sound>,
    { type: 'speechStarted', itemId: 'item_6', audioStartMs: 5_000 },
  )
  await cut
  expect(await session.told('truncateItem')).toMatchObject({ itemId: 'item_5', contentIndex: 0 })
  expect(session.events.filter((event) => event.type === 'cancelResponse')).toEqual([])
  expect(errors).toEqual([])
  talk.close()
  expect(await session.ended).toBe('client')
})
