/** OpenAI's own SDK, unchanged, over TLS against the whole server: real models, a real socket, human speech. */
import OpenAI from 'openai'
import { OpenAIRealtimeWS } from 'openai/realtime/ws'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { wordErrorRate } from '../provider/local/speech.ts'
import { type RunningApp, startApp } from './app.ts'
import { closeEmbedded, human, quiet, readBack, spoken } from './embedded.ts'
import { HeardEvents } from './heard-events.ts'
import { blurt, say } from './microphone.ts'

const KEY = 'pk-for-tests-only'

let server: RunningApp
beforeAll(async () => {
  server = await startApp({ tls: 'tls', key: KEY })
})
afterAll(async () => {
  await server.close()
  await closeEmbedded()
})

let realtime: OpenAIRealtimeWS
let events: HeardEvents
beforeEach(async () => {
  const client = new OpenAI({ apiKey: KEY, baseURL: `https://localhost:${server.port}/v1` })
  realtime = new OpenAIRealtimeWS({ model: 'gpt-realtime', options: { ca: server.ca } }, client)
  const heard = new HeardEvents()
  events = heard
  realtime.on('event', heard.push)
  // The server's errors are among the events; the socket's own end the wait.
  realtime.on('error', (error) => {
    if (!error.error) heard.end(error.message)
  })
  realtime.socket.on('close', () => heard.end('closed'))
  await events.next('session.created')
  realtime.send({
    type: 'session.update',
    session: { type: 'realtime', audio: { input: { transcription: { model: 'whisper-1' } } } },
  })
  await events.next('session.updated')
})
afterEach(() => {
  realtime.close()
  expect(events.of('error')).toEqual([])
})

const append = (audio: string) => realtime.send({ type: 'input_audio_buffer.append', audio })

test('a person speaks, is understood and answered in a voice that says so', async () => {
  const microphone = say(await human('ten-of-clubs'), append)
  const done = await events.next('response.done')
  microphone.stop()

  const transcript = await events.next('conversation.item.input_audio_transcription.completed')
  expect(wordErrorRate('ten of clubs', transcript['transcript'])).toBe(0)
  expect(done['response']).toMatchObject({ status: 'completed', parley: { pipeline: 'guide' } })
  const said = done['response'].output[0].content[0].transcript as string
  expect(said).toMatch(/^You said: ten of clubs/i)
  const deltas = events.of('response.output_audio_transcript.delta').map((e) => e['delta'])
  expect(deltas.join('')).toBe(said)
  expect(wordErrorRate(said, await readBack(events.audio(done['response'].id)))).toBeLessThan(0.2)

  expect(events.types(2)).toEqual([
    'input_audio_buffer.speech_started',
    'input_audio_buffer.speech_stopped',
    'input_audio_buffer.committed',
    'conversation.item.added',
    'conversation.item.done',
    'conversation.item.input_audio_transcription.delta',
    'conversation.item.input_audio_transcription.completed',
    'response.created',
    'response.output_item.added',
    'conversation.item.added',
    'response.content_part.added',
    'response.output_audio_transcript.delta',
    'response.output_audio.delta',
    'response.output_audio.done',
    'response.output_audio_transcript.done',
    'response.content_part.done',
    'conversation.item.done',
    'response.output_item.done',
    'response.done',
  ])
  const record = await server.turn(done['response'].parley.turnId)
  expect(record.attempts.map(({ stage, status }) => `${stage} ${status}`)).toEqual(
    expect.arrayContaining(['stt ok', 'llm ok', 'tts ok']),
  )
  expect(record.budget.actualMs).toBeGreaterThan(0)
})

test('the caller interrupts a story: the model hears of it what the caller heard, and no more', async () => {
  blurt(Buffer.concat([await spoken('Tell me a story.'), quiet(1_000)]), append)
  const told = await events.next('response.done')
  expect(told['response']).toMatchObject({ status: 'completed', status_details: null })
  const item = told['response'].output[0]
  const story = item.content[0].transcript as string
  expect(events.audio(told['response'].id).length / 48).toBeGreaterThan(20_000)

  // The whole story is at the client, playing, when the caller speaks over it.
  const interrupted = events.here
  const microphone = say(await human('seven-of-clubs'), append)
  await events.next('input_audio_buffer.speech_started', interrupted)
  const heardMs = 6_000
  realtime.send({
    type: 'conversation.item.truncate',
    item_id: item.id,
    content_index: 0,
    audio_end_ms: heardMs,
  })
  expect(await events.next('conversation.item.truncated', interrupted)).toMatchObject({
    item_id: item.id,
    audio_end_ms: heardMs,
  })
  const answer = await events.next('response.done', interrupted)
  microphone.stop()
  expect(answer['response'].status).toBe('completed')
  expect(answer['response'].output[0].content[0].transcript).toMatch(/seven of clubs/i)

  const { heard } = await server.turn(told['response'].parley.turnId)
  expect(heard).toMatchObject({ ms: heardMs, interrupted: true })
  expect(heard!.text.length).toBeGreaterThan(20)
  expect(story.startsWith(heard!.text.trim())).toBe(true)
  expect(heard!.text.length).toBeLessThan(story.length / 2)
  // What counts as heard is what really sounds in those six seconds.
  expect(heard!.text).toMatch(/lighthouse keeper who collected voices/)
  const played = await readBack(events.audio(told['response'].id).subarray(0, heardMs * 48))
  expect(played).toMatch(/lighthouse keeper,? who collected voices/)
  const messages = server.prompts.at(-1)!.messages
  const remembered = messages.find((message) => message.role === 'assistant')!.text
  expect(remembered).toContain(heard!.text.trim())
  expect(remembered).not.toContain('speaks with many voices')
})

test('a turn in writing, answered in writing', async () => {
  realtime.send({
    type: 'conversation.item.create',
    item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'My name is Ada.' }] },
  })
  realtime.send({ type: 'response.create', response: { output_modalities: ['text'] } })
  const done = await events.next('response.done')
  expect(done['response']).toMatchObject({
    status: 'completed',
    output: [{ content: [{ type: 'output_text', text: expect.stringContaining('Nice to meet you, Ada') }] }],
  })
  expect(events.types(2)).toEqual([
    'conversation.item.added',
    'conversation.item.done',
    'response.created',
    'response.output_item.added',
    'conversation.item.added',
    'response.content_part.added',
    'response.output_text.delta',
    'response.output_text.done',
    'response.content_part.done',
    'conversation.item.done',
    'response.output_item.done',
    'response.done',
  ])
})

test('a recording as an item of its own is understood, without a word through the buffer', async () => {
  const audio = (await human('ten-of-clubs')).toString('base64')
  realtime.send({
    type: 'conversation.item.create',
    item: { type: 'message', role: 'user', content: [{ type: 'input_audio', audio }] },
  })
  realtime.send({ type: 'response.create', response: { output_modalities: ['text'] } })
  const done = await events.next('response.done')
  const heard = await events.next('conversation.item.input_audio_transcription.completed')
  expect(wordErrorRate('ten of clubs', heard['transcript'])).toBe(0)
  expect(done['response'].output[0].content[0].text).toMatch(/^You said: ten of clubs/i)
})

test('the model calls a function of the client and speaks its result', async () => {
  realtime.send({
    type: 'session.update',
    session: {
      type: 'realtime',
      tools: [
        {
          type: 'function',
          name: 'get_weather',
          description: 'Weather of a city.',
          parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
        },
      ],
    },
  })
  await events.next('session.updated', events.here)
  blurt(Buffer.concat([await spoken('What is the weather in London?'), quiet(1_000)]), append)
  const called = await events.next('response.done')
  const call = called['response'].output.find((item: { type: string }) => item.type === 'function_call')
  expect(call).toMatchObject({ name: 'get_weather', status: 'completed' })
  expect(JSON.parse(call.arguments).city).toMatch(/london/i)
  const deltas = events.of('response.function_call_arguments.delta').map((e) => e['delta'])
  expect(deltas.join('')).toBe(call.arguments)

  const from = events.here
  const output = JSON.stringify({ sky: 'cloudy', temperature: 'twelve' })
  realtime.send({
    type: 'conversation.item.create',
    item: { type: 'function_call_output', call_id: call.call_id, output },
  })
  realtime.send({ type: 'response.create' })
  const told = await events.next('response.done', from)
  const said = told['response'].output[0].content[0].transcript as string
  expect(said).toMatch(/it is cloudy and twelve degrees/i)
  expect(wordErrorRate(said, await readBack(events.audio(told['response'].id)))).toBeLessThan(0.3)
  // Both rounds are one turn.
  expect(told['response'].parley.turnId).toBe(called['response'].parley.turnId)
})
