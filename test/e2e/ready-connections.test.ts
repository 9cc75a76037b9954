/** A person speaks to the whole server: its recogniser and its model are asked over HTTP, and both are connected to before they are asked. */
import OpenAI from 'openai'
import { OpenAIRealtimeWS } from 'openai/realtime/ws'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { realClock } from '../../src/clock.ts'
import { createOpenAi } from '../../src/provider/openai/index.ts'
import type { Provider } from '../../src/stage/provider.ts'
import { type CountedServer, serveCounted } from '../support/counted-server.ts'
import { type RunningApp, startApp } from './app.ts'
import { closeEmbedded, human } from './embedded.ts'
import { HeardEvents } from './heard-events.ts'
import { say } from './microphone.ts'

let ears: CountedServer
let mind: CountedServer
let thinker: Provider
let server: RunningApp
/** Connections to the recogniser and to the model when the first question came to the recogniser. */
let atFirst: readonly [number, number] | undefined
/** Connections to the model when it was asked first. */
let atThought: number | undefined

const CHUNK = { choices: [{ index: 0, delta: { content: 'Well done.' }, finish_reason: 'stop' }] }

beforeAll(async () => {
  ears = await serveCounted('plain', (request, response) => {
    atFirst ??= [ears.sockets.length, mind.sockets.length]
    request.resume().on('end', () => response.end('{"text":"Ten of clubs."}'))
  })
  mind = await serveCounted('plain', (request, response) => {
    atThought ??= mind.sockets.length
    request.resume().on('end', () => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end(`data: ${JSON.stringify(CHUNK)}\n\ndata: [DONE]\n\n`)
    })
  })
  const deps = { clock: realClock, note: () => {} }
  thinker = createOpenAi(deps, { name: 'test', baseUrl: `${mind.origin}/v1` })
  server = await startApp({
    tls: 'tls',
    stt: 'files/whisper-1',
    settings: `providers: { files: { type: openai, baseUrl: '${ears.origin}/v1' } }`,
    llm: thinker.llm!('small')!,
  })
})
afterAll(async () => {
  await server.close()
  await thinker.close()
  ears.close()
  mind.close()
  await closeEmbedded()
})

test('before the first word is sent anywhere both stand connected, and what is asked first needs no other connection', async () => {
  expect([ears.sockets.length, mind.sockets.length]).toEqual([0, 0])
  const client = new OpenAI({ apiKey: 'none', baseURL: `https://localhost:${server.port}/v1` })
  const realtime = new OpenAIRealtimeWS({ model: 'gpt-realtime', options: { ca: server.ca } }, client)
  const events = new HeardEvents()
  realtime.on('event', events.push)
  realtime.on('error', (error) => {
    if (!error.error) events.end(error.message)
  })
  await events.next('session.created')
  const microphone = say(await human('ten-of-clubs'), (audio) =>
    realtime.send({ type: 'input_audio_buffer.append', audio }),
  )
  await events.next('response.done')
  microphone.stop()
  expect(atFirst).toEqual([1, 1])
  expect(atThought).toBe(1)
  expect(ears.requests[0]?.from).toBe(ears.sockets[0]?.remotePort ?? 'gone')
  realtime.close()
})
