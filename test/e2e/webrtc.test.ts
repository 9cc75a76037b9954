/** The whole server over WebRTC on loopback: real sockets, DTLS and SRTP, a client in Node. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type RunningApp, startApp } from './app.ts'
import { closeEmbedded, human, quiet, readBack, spoken } from './embedded.ts'
import { dialRtc, type RtcCaller, type RtcOptions } from './rtc-caller.ts'

const KEY = 'pk-for-tests-only'
let server: RunningApp
let caller: RtcCaller | undefined

beforeAll(async () => {
  server = await startApp({ key: KEY })
})
afterEach(async () => {
  await caller?.close()
  caller = undefined
})
afterAll(async () => {
  await server.close()
  await closeEmbedded()
})

async function dial(options: RtcOptions = {}): Promise<RtcCaller> {
  caller = await dialRtc(server.url, { key: KEY, ...options })
  return caller
}

const AMIABLE = /you said: he might even have been made amiable himself/i

test('a spoken turn: words arrive, the answer is heard as sound and told as text', async () => {
  const { events, say, heard, call, packets } = await dial()
  expect(call.headers.get('content-type')).toMatch('application/sdp')
  expect(call.headers.get('location')).toMatch(/^\/v1\/realtime\/calls\/rtc_/)
  const microphone = say(await human('amiable'))
  const done = await events.next('response.done')
  const stopped = await events.next('output_audio_buffer.stopped')
  microphone.stop()
  expect(done['response'].output[0].content[0].transcript).toMatch(AMIABLE)
  expect(stopped['response_id']).toBe(done['response'].id)
  const order = events.types().filter((type) => /^output_audio_buffer|response\.(created|done)/.test(type))
  expect(order).toEqual([
    'response.created',
    'output_audio_buffer.started',
    'response.done',
    'output_audio_buffer.stopped',
  ])
  // OpenAI sends no sound in events over WebRTC.
  expect(events.of('response.output_audio.delta')).toEqual([])
  expect(events.of('error')).toEqual([])
  expect(await readBack(heard())).toMatch(/he might even have been made amiable/i)
  // In order, evenly.
  const steps = packets.slice(1).map((packet, i) => (packet.sequence - packets[i]!.sequence) & 0xffff)
  expect(steps.every((step) => step === 1)).toBe(true)
})

test('one packet in twenty lost: the same words', async () => {
  let seed = 7
  const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647
  const { events, say } = await dial({ loses: () => random() < 0.05 })
  const microphone = say(await human('amiable'))
  const done = await events.next('response.done')
  microphone.stop()
  expect(done['response'].output[0].content[0].transcript).toMatch(AMIABLE)
})

test('speech over an answer clears what waits, and the server truncates by what it played', async () => {
  const { events, say, heard } = await dial()
  let microphone = say(Buffer.concat([await spoken('Tell me a story.'), quiet(500)]))
  const started = await events.next('output_audio_buffer.started')
  microphone.stop()
  microphone = say(Buffer.concat([quiet(1_000), await human('seven-of-clubs')]))
  const cleared = await events.next('output_audio_buffer.cleared')
  const truncated = await events.next('conversation.item.truncated')
  expect(cleared['response_id']).toBe(started['response_id'])
  const heardMs = heard().length / 48
  expect(Math.abs(truncated['audio_end_ms'] - heardMs)).toBeLessThanOrEqual(100)
  const isSecond = (event: { readonly [member: string]: { readonly id: string } | unknown }) =>
    (event['response'] as { readonly id: string }).id !== started['response_id']
  const answer = await events.next('response.done', 0, isSecond)
  microphone.stop()
  expect(answer['response'].output[0].content[0].transcript).toMatch(/seven of clubs/i)
  const cut = (await server.turns()).find((turn) => turn.heard?.interrupted)
  expect(cut?.heard?.ms).toBe(truncated['audio_end_ms'])
  expect(events.of('error')).toEqual([])
})

test('output_audio_buffer.clear silences the answer at once', async () => {
  const { events, send, heard } = await dial()
  const content = [{ type: 'input_text', text: 'Tell me a story.' }]
  send({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content } })
  send({ type: 'response.create' })
  const { response_id } = await events.next('output_audio_buffer.started')
  send({ type: 'response.cancel' })
  send({ type: 'output_audio_buffer.clear' })
  expect((await events.next('output_audio_buffer.cleared'))['response_id']).toBe(response_id)
  expect((await events.next('conversation.item.truncated'))['audio_end_ms']).toBeLessThan(1_500)
  expect((await events.next('response.done'))['response'].status).toBe('cancelled')
  expect(heard().length / 48).toBeLessThan(1_500)
  expect(events.of('output_audio_buffer.stopped')).toEqual([])
})

test('a form with a session sets it before the first word', async () => {
  const session = { type: 'realtime', model: 'router/guide', instructions: 'Speak like a pirate.' }
  const { events } = await dial({ session })
  const updated = await events.next('session.updated')
  expect(updated['session']).toMatchObject({ model: 'router/guide', instructions: 'Speak like a pirate.' })
})

test('a hang-up over HTTP ends call and session', async () => {
  const { events, call } = await dial()
  const url = `${server.url}${call.headers.get('location')}/hangup`
  const headers = { authorization: `Bearer ${KEY}` }
  expect((await fetch(url, { method: 'POST', headers })).status).toBe(200)
  await expect(events.next('never')).rejects.toThrow('the channel closed')
  expect((await fetch(url, { method: 'POST', headers })).status).toBe(404)
  expect(server.app.host.size).toBe(0)
})

test('what is no offer, or comes without a key, is refused in HTTP', async () => {
  const post = (body: string, type: string, key?: string) =>
    fetch(`${server.url}/v1/realtime/calls`, {
      method: 'POST',
      headers: { 'content-type': type, ...(key ? { authorization: `Bearer ${key}` } : {}) },
      body,
    })
  expect((await post('v=0', 'application/sdp')).status).toBe(401)
  expect((await post('hello', 'application/sdp', KEY)).status).toBe(400)
  expect((await post('v=0\r\nm=video 9 x 1\r\n', 'application/sdp', KEY)).status).toBe(400)
  expect((await post(`v=0${'a'.repeat(70_000)}`, 'application/sdp', KEY)).status).toBe(400)
  expect((await post('x'.repeat(2_000_000), 'application/sdp', KEY)).status).toBe(413)
  expect((await post('--x', 'multipart/form-data; boundary=x', KEY)).status).toBe(400)
  expect((await post('{}', 'application/json', KEY)).status).toBe(400)
  const broken =
    'v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\nm=application 9 x\r\n'
  expect((await post(broken, 'application/sdp', KEY)).status).toBe(400)
  expect(server.app.host.size).toBe(0)
})
