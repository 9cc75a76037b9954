/** OpenAI's SDK in transcription mode, unchanged, over TLS against the whole server: a real recogniser, human speech. */
import OpenAI from 'openai'
import { OpenAIRealtimeWS } from 'openai/realtime/ws'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { wordErrorRate } from '../provider/local/speech.ts'
import { type RunningApp, startApp } from './app.ts'
import { closeEmbedded, human } from './embedded.ts'
import { HeardEvents } from './heard-events.ts'
import { say } from './microphone.ts'

let server: RunningApp
beforeAll(async () => {
  server = await startApp({ tls: 'tls' })
})
afterAll(async () => {
  await server.close()
  await closeEmbedded()
})

test('a person speaks, is written down, and nobody answers', async () => {
  const client = new OpenAI({ apiKey: 'none', baseURL: `https://localhost:${server.port}/v1` })
  const realtime = new OpenAIRealtimeWS({ intent: 'transcription', options: { ca: server.ca } }, client)
  const events = new HeardEvents()
  realtime.on('event', events.push)
  realtime.on('error', (error) => {
    if (!error.error) events.end(error.message)
  })
  expect((await events.next('session.created'))['session']).toMatchObject({
    type: 'transcription',
    object: 'realtime.transcription_session',
  })
  realtime.send({
    type: 'session.update',
    session: {
      type: 'transcription',
      audio: { input: { transcription: { model: 'gpt-4o-transcribe', language: 'en' } } },
    },
  })
  await events.next('session.updated')
  const microphone = say(await human('ten-of-clubs'), (audio) =>
    realtime.send({ type: 'input_audio_buffer.append', audio }),
  )
  const done = await events.next('conversation.item.input_audio_transcription.completed')
  microphone.stop()
  expect(wordErrorRate('ten of clubs', done['transcript'])).toBe(0)
  expect(events.types(2).filter((type) => type.startsWith('response.') || type === 'error')).toEqual([])
  expect(server.prompts).toEqual([])
  await expect.poll(async () => (await server.turns()).map(({ outcome }) => outcome)).toEqual(['transcribed'])
  realtime.close()
})
