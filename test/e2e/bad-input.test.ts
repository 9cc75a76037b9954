/** What no client should send, over real sockets: each is answered as documented, and nobody else notices. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { bytesOf, noise } from '../provider/local/speech.ts'
import { heldBytes } from '../support/memory.ts'
import { type RunningApp, startApp } from './app.ts'
import { Caller } from './caller.ts'
import { closeEmbedded, human, quiet } from './embedded.ts'
import { blurt } from './microphone.ts'

const MIB = 1024 * 1024

let server: RunningApp
let bystander: Caller
/** Asks for the longest answer and reads nothing of it, from the first test to the last. */
let neverReads: Caller
beforeAll(async () => {
  server = await startApp()
  bystander = await Caller.ready(server)
  neverReads = await Caller.ready(server)
  neverReads.socket.pause()
  neverReads.write(`Say: ${'This is one more of the many sentences that I want to hear. '.repeat(1_500)}`)
})
afterAll(async () => {
  await bystander.completesATurn()
  expect(bystander.events.of('error')).toEqual([])
  bystander.hangUp()
  await server.close()
  await closeEmbedded()
})

let caller: Caller
beforeEach(async () => {
  caller = await Caller.ready(server)
})
afterEach(async () => {
  caller.hangUp()
  await caller.closed
})

test('every kind of nonsense gets its own error, and the conversation goes on', async () => {
  const nonsense: readonly (readonly [frame: string | Buffer, code: string])[] = [
    ['{"type": "input_audio_buffer.append", ', 'invalid_json'],
    ['[]', 'invalid_event'],
    ['null', 'invalid_event'],
    ['{}', 'missing_required_parameter'],
    ['{"type":"nope","event_id":"e1"}', 'invalid_value'],
    [Buffer.from('{"type":"response.create"}'), 'invalid_event'],
    ['{"type":"input_audio_buffer.append","audio":"@@@@"}', 'invalid_value'],
    ['{"type":"input_audio_buffer.append","audio":7}', 'invalid_type'],
    [
      '{"type":"session.update","session":{"audio":{"input":{"turn_detection":{"threshold":"loud"}}}}}',
      'invalid_type',
    ],
    [
      '{"type":"conversation.item.truncate","item_id":"item_0","content_index":0,"audio_end_ms":1}',
      'item_truncate_invalid_item_id',
    ],
    ['{"type":"response.cancel"}', 'response_cancel_not_active'],
    ['{"type":"input_audio_buffer.commit"}', 'input_audio_buffer_commit_empty'],
    [`{"type":"conversation.item.create","item":${'['.repeat(20_000)}`, 'invalid_json'],
  ]
  for (const [frame] of nonsense) caller.socket.send(frame)
  await caller.completesATurn()
  // Those of a frame overtake those of the session; `event_id` tells them apart.
  const codes = caller.events.of('error').map((event) => event['error'].code)
  expect(codes.sort()).toEqual(nonsense.map(([, code]) => code).sort())
  await bystander.completesATurn()
})

test('audio cut in the middle of its samples is heard as one', async () => {
  const words = Buffer.concat([await human('ten-of-clubs'), quiet(1_000)])
  for (let at = 0; at < words.length; at += 1_001)
    caller.append(words.subarray(at, at + 1_001).toString('base64'))
  const heard = await caller.events.next('conversation.item.input_audio_transcription.completed')
  expect(heard['transcript']).toMatch(/ten of clubs/i)
  expect(caller.events.of('error')).toEqual([])
})

test('noise is no turn that anyone answers', async () => {
  for (const peak of [300, 3_000, 30_000]) {
    const hiss = noise(1_500, peak)
    // 16 kHz samples at 24 kHz: a higher hiss, and a shorter one.
    blurt(Buffer.concat([bytesOf(hiss), quiet(1_000)]), caller.append)
  }
  // Events are in order: what the noise brought about came before this turn's answer.
  await caller.completesATurn()
  expect(caller.events.of('response.done')).toHaveLength(1)
})

test('15 MiB in one event are taken; more than a frame may hold closes that socket alone', async () => {
  const before = heldBytes()
  caller.append(Buffer.alloc(15 * MIB).toString('base64'))
  const [, answered] = await Promise.all([bystander.completesATurn(), caller.completesATurn()])
  expect(answered).toMatch(/ten of clubs/i)
  caller.append(Buffer.alloc(16 * MIB).toString('base64'))
  expect((await caller.closed).code).toBe(1009)
  await bystander.completesATurn()
  expect(heldBytes() - before).toBeLessThan(80 * MIB)
})

test('ten minutes of sound in a moment cost bounded memory, and the words at their end are heard', async () => {
  const before = heldBytes()
  const minute = Buffer.alloc(60 * 48_000)
  for (let i = 0; i < 10; i++) blurt(minute, caller.append)
  const speaking = caller.completesATurn()
  const other = bystander.completesATurn()
  await Promise.all([speaking, other])
  expect(heldBytes() - before).toBeLessThan(80 * MIB)
})

test('a flood of events is answered one by one', async () => {
  const from = caller.events.here
  for (let i = 0; i < 300; i++)
    caller.send({ type: 'session.update', session: { type: 'realtime' }, event_id: `u${i}` })
  for (let i = 0; i < 100; i++) caller.send({ type: 'nope', event_id: `n${i}` })
  await bystander.completesATurn()
  await caller.events.next('error', from, (event) => event['error'].event_id === 'n99')
  expect(caller.events.of('session.updated', from)).toHaveLength(300)
  await caller.completesATurn()
})

test('the reader that never reads was closed in the end, having cost little', async () => {
  await expect.poll(() => server.app.host.size, { timeout: 45_000 }).toBe(2)
  neverReads.socket.resume()
  await neverReads.closed
  expect(neverReads.events.of('response.done')).toEqual([])
  expect(neverReads.events.all.at(-1)).toMatchObject({ type: 'error', error: { code: 'slow_reader' } })
  // What had left for it: what the system's own buffers hold, far from the hour that was asked for.
  const sent = neverReads.events.of('response.output_audio.delta')
  expect(sent.reduce((sum, event) => sum + event['delta'].length, 0)).toBeLessThan(20 * MIB)
})
