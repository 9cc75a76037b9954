/** Opus inside the events of a WebSocket: the same words, there and back. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import WebSocket from 'ws'
import { loadOpus, OpusCodec } from '../../src/audio/opus.ts'
import { type RunningApp, startApp } from './app.ts'
import { closeEmbedded, human, readBack } from './embedded.ts'
import { HeardEvents } from './heard-events.ts'
import { say } from './microphone.ts'

let server: RunningApp
beforeAll(async () => {
  await loadOpus()
  server = await startApp()
})
afterAll(async () => {
  await server.close()
  await closeEmbedded()
})

test('a spoken turn in packets, one in twenty of them lost', async () => {
  const events = new HeardEvents()
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/v1/realtime`)
  socket.on('message', (data) => events.push(JSON.parse(String(data))))
  await events.next('session.created')
  const send = (event: object) => socket.send(JSON.stringify(event))
  const format = { type: 'audio/opus' }
  send({
    type: 'session.update',
    session: { type: 'realtime', audio: { input: { format }, output: { format } } },
  })
  const { session } = await events.next('session.updated')
  expect(session.audio).toMatchObject({ input: { format }, output: { format } })
  const codec = new OpusCodec()
  let sequence = 0
  send({ type: 'input_audio_buffer.append', audio: 'AwA=', event_id: 'broken' })
  const microphone = say(await human('amiable'), (base64) => {
    const frame = new Uint8Array(codec.frameBytes)
    frame.set(Buffer.from(base64, 'base64').subarray(0, frame.length))
    const audio = Buffer.from(codec.encode(frame)).toString('base64')
    if (sequence++ % 20 !== 19) send({ type: 'input_audio_buffer.append', audio, sequence: sequence - 1 })
  })
  const done = await events.next('response.done')
  microphone.stop()
  expect(done['response'].output[0].content[0].transcript).toMatch(/he might even have been made amiable/i)
  const packets = events
    .of('response.output_audio.delta')
    .map((event) => Buffer.from(event['delta'], 'base64'))
  const pcm = Buffer.concat(packets.map((packet) => codec.decode(packet)))
  expect(pcm.length).toBe(packets.length * codec.frameBytes)
  expect(await readBack(pcm)).toMatch(/he might even have been made amiable/i)
  expect(events.of('error').map(({ error }) => error.event_id)).toEqual(['broken'])
  socket.close()
})
