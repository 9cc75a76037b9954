/** Events that do not fit one message of a real data channel, of the server's and of the caller's: told, and no end. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type RunningApp, startApp } from './app.ts'
import { closeEmbedded } from './embedded.ts'
import { dialRtc, type RtcCaller, type RtcOptions } from './rtc-caller.ts'

let server: RunningApp
let caller: RtcCaller | undefined

beforeAll(async () => {
  server = await startApp()
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
  caller = await dialRtc(server.url, options)
  return caller
}

const instructions = (bytes: number) => `Speak like a pirate. ${'Arr! '.repeat(bytes / 5)}`

/** A written turn over the same channel: its answer, whole. */
async function answersStill({ events, send }: RtcCaller): Promise<void> {
  const from = events.here
  const content = [{ type: 'input_text', text: 'What is the weather in London?' }]
  send({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content } })
  send({ type: 'response.create', response: { output_modalities: ['text'] } })
  const done = await events.next('response.done', from)
  expect(done['response'].status).toBe('completed')
  expect(events.of('error', from)).toEqual([])
}

test("the server's event above what the caller takes is left out, named, and the session goes on", async () => {
  const call = await dial({ maxMessageBytes: 16_384 })
  const session = { type: 'realtime', instructions: instructions(12_000) }
  call.send({ type: 'session.update', session })
  await call.events.next('session.updated')
  for (const times of [1, 2]) {
    call.send({ type: 'session.update', session: { ...session, instructions: instructions(20_000 * times) } })
    await call.events.next('error', 0, () => call.events.of('error').length === times)
  }
  const errors = call.events.of('error')
  expect(errors.map(({ error }) => error)).toEqual(
    Array(2).fill({
      type: 'invalid_request_error',
      code: 'event_too_large',
      message: 'A session.updated above 16384 bytes does not fit the data channel and was left out.',
      param: null,
      event_id: null,
    }),
  )
  expect(new Set(errors.map(({ event_id }) => event_id)).size).toBe(2)
  expect(call.events.of('session.updated')).toHaveLength(1)
  await answersStill(call)
  // What could not be told had happened all the same.
  expect(JSON.stringify(server.prompts.at(-1))).toContain(instructions(40_000))
})

test('however much a caller takes, no message is above 256 kB', async () => {
  const session = { type: 'realtime', instructions: instructions(300_000) }
  const call = await dial({ maxMessageBytes: 1024 ** 3, session })
  const { error } = await call.events.next('error')
  expect(error.message).toBe(
    'A session.updated above 262144 bytes does not fit the data channel and was left out.',
  )
  await answersStill(call)
})

test("the caller's event above what the server takes is refused, and the session goes on", async () => {
  const call = await dial()
  const session = { type: 'realtime', instructions: instructions(270_000) }
  expect(() => call.send({ type: 'session.update', session })).toThrow('262144')
  call.force({ type: 'session.update', event_id: 'large', session })
  const { error } = await call.events.next('error')
  expect(error).toEqual({
    type: 'invalid_request_error',
    code: 'event_too_large',
    message: 'An event above 262144 bytes does not fit the data channel and was not read.',
    param: null,
    event_id: null,
  })
  expect(call.events.of('session.updated')).toEqual([])
  await answersStill(call)
  expect(JSON.stringify(server.prompts.at(-1))).not.toContain('pirate')
})

test('an event that would never come to its end ends the call, and is named', async () => {
  const { force, events } = await dial()
  force({ type: 'session.update', session: { type: 'realtime', instructions: instructions(3_000_000) } })
  expect((await events.next('error'))['error'].code).toBe('event_too_large')
  await expect(events.next('never')).rejects.toThrow('the channel closed')
  expect(server.app.host.size).toBe(0)
})

test('the largest event that fits is read', async () => {
  const call = await dial()
  const event = { type: 'session.update', session: { type: 'realtime', instructions: '' } }
  event.session.instructions = 'x'.repeat(256 * 1024 - JSON.stringify(event).length)
  call.send(event)
  // Its echo is larger, since it has the rest of the session in it.
  const { error } = await call.events.next('error')
  expect(error.message).toMatch('A session.updated above 262144 bytes')
  await answersStill(call)
})

test('an offer that takes less than an error needs is refused: it ended the server', async () => {
  for (const maxMessageBytes of [1, 1023]) await expect(dial({ maxMessageBytes })).rejects.toThrow('400 ')
  expect(server.app.host.size).toBe(0)
  await answersStill(await dial({ maxMessageBytes: 0 }))
})
