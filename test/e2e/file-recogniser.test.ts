/** A recogniser that takes files, by `parley.yaml`: the real one of the embedded models behind `/v1/audio/transcriptions`, human speech. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import OpenAI from 'openai'
import { OpenAIRealtimeWS } from 'openai/realtime/ws'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PCM16_16K } from '../../src/audio/format.ts'
import { readWav } from '../../src/audio/wav.ts'
import { openScope } from '../../src/cancel.ts'
import { realClock } from '../../src/clock.ts'
import { formIn } from '../../src/testing/carrier/multipart.ts'
import { wordErrorRate } from '../provider/local/speech.ts'
import { type RunningApp, startApp } from './app.ts'
import { closeEmbedded, embedded, human } from './embedded.ts'
import { HeardEvents } from './heard-events.ts'
import { say } from './microphone.ts'

let files: Server
let server: RunningApp
/** Of each request: its fields, and how long its audio is. */
const asked: { readonly fields: Readonly<Record<string, readonly string[]>>; readonly audioMs: number }[] = []

beforeAll(async () => {
  files = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', async () => {
      const form = formIn(request.headers['content-type'] ?? '', Buffer.concat(chunks))
      if (typeof form === 'string' || !form.file) return response.writeHead(400).end('{}')
      const { samples } = readWav(form.file.bytes)
      asked.push({ fields: form.fields, audioMs: samples.length / 16 })
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ text: await textOf(samples), language: 'english' }))
    })
  })
  await new Promise<void>((resolve) => files.listen(0, '127.0.0.1', resolve))
  const { port } = files.address() as AddressInfo
  server = await startApp({
    tls: 'tls',
    stt: 'files/whisper-1',
    settings: `providers: { files: { type: openai, baseUrl: 'http://127.0.0.1:${port}/v1' } }`,
  })
})
afterAll(async () => {
  await server.close()
  files.closeAllConnections()
  files.close()
  await closeEmbedded()
})

async function textOf(samples: Int16Array): Promise<string> {
  const { stt } = await embedded()
  const { signal } = openScope()
  const stream = await stt!('moonshine-tiny')!.open({ format: PCM16_16K, signal, clock: realClock })
  stream.write(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength))
  stream.finalize()
  for await (const event of stream) {
    if (event.type !== 'final') continue
    await stream.close()
    return event.text
  }
  return ''
}

test('a person speaks, and the file of it is written down', async () => {
  const client = new OpenAI({ apiKey: 'none', baseURL: `https://localhost:${server.port}/v1` })
  const realtime = new OpenAIRealtimeWS({ intent: 'transcription', options: { ca: server.ca } }, client)
  const events = new HeardEvents()
  realtime.on('event', events.push)
  realtime.on('error', (error) => {
    if (!error.error) events.end(error.message)
  })
  await events.next('session.created')
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
  expect(asked[0]?.fields).toMatchObject({
    model: ['whisper-1'],
    response_format: ['verbose_json'],
    language: ['en'],
  })
  // At the pause, and no second time where nothing was said in it.
  expect(asked).toHaveLength(1)
  await expect.poll(async () => (await server.turns()).map(({ outcome }) => outcome)).toEqual(['transcribed'])
  realtime.close()
})
