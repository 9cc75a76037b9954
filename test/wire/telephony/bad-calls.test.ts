/** Bridges that misbehave: each is closed as documented or goes on, and nothing is left behind. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PhoneDialect } from '../../../src/testing/telephony/dialect.ts'
import { twilioPhone } from '../../../src/testing/telephony/twilio.ts'
import { twilio } from '../../../src/wire/telephony/bridges/twilio/index.ts'
import { FakeLlm } from '../../support/stages.ts'
import { Exchange, type ExchangeOptions } from './exchange.ts'
import { settingOf } from './setting.ts'

const setting = settingOf('twilio')
const open = (more: Partial<ExchangeOptions> = {}) =>
  Exchange.open({ bridge: twilio(setting), setting, dialect: twilioPhone(), ...more })
/** A phone that says nothing by itself. */
const mute = (): PhoneDialect => ({
  ...twilioPhone(),
  connect: (facts, stream) => {
    const wire = twilioPhone().connect(facts, stream)
    return {
      greeting: () => [],
      sound: () => '{"event":"nothing"}',
      digit: (digit, placeMs) => wire.digit(digit, placeMs),
      marked: (name) => wire.marked(name),
      cleared: () => wire.cleared(),
      goodbye: () => wire.goodbye(),
      hear: (message, ear) => wire.hear(message, ear),
    }
  },
})
const START = (callSid = 'CA1') =>
  JSON.stringify({
    event: 'start',
    start: {
      streamSid: 'MZ1',
      callSid,
      mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 },
      customParameters: {},
    },
  })
const MEDIA = JSON.stringify({
  event: 'media',
  media: { track: 'inbound', payload: Buffer.alloc(160, 0xff).toString('base64') },
})

test('a start that never comes closes the stream after ten seconds', async () => {
  const call = await open({ dialect: mute() })
  call.phone.call()
  await call.wait(9_900)
  expect(call.phone.record.closes).toEqual([])
  await call.wait(200)
  expect(call.phone.record.closes[0]).toMatchObject({ code: 1008, reason: 'no start came' })
  expect(call.sessions).toHaveLength(0)
})

test('sound and keys before the start are passed over, and the call begins', async () => {
  const call = await open({ dialect: mute() })
  call.phone.call()
  await call.wait(10)
  call.phone.send(MEDIA)
  call.phone.send('{"event":"dtmf","dtmf":{"digit":"1"}}')
  call.phone.send(START())
  await call.wait(10)
  expect(call.sessions).toHaveLength(1)
  expect([...call.links[0]!.mistakes.keys()]).toEqual(['sound before the start', 'a key before the start'])
  await call.end()
})

test('a second start on one stream is a mistake, and the call goes on', async () => {
  const call = await open()
  call.phone.call()
  await call.wait(100)
  call.phone.send(START('CA-other'))
  await call.wait(10)
  expect(call.sessions).toHaveLength(1)
  await call.speak(800, 1_500)
  expect(call.llm.requests).toHaveLength(1)
  await call.end()
})

test('twenty messages that cannot be read close the call, nineteen do not', async () => {
  const call = await open()
  call.phone.call()
  await call.wait(100)
  for (let i = 0; i < 19; i++) call.phone.send('{')
  await call.wait(10)
  expect(call.calls.size).toBe(1)
  call.phone.send('{')
  await call.wait(10)
  expect(call.phone.record.closes[0]).toMatchObject({ code: 1008, reason: 'too many broken messages' })
  expect(call.calls.size).toBe(0)
  expect(call.sessions[0]?.closedFor).toBe('client')
})

test('a message above 64 kB closes the call with 1009', async () => {
  const call = await open()
  call.phone.call()
  await call.wait(100)
  call.phone.send(JSON.stringify({ event: 'media', media: { payload: 'A'.repeat(65_536) } }))
  await call.wait(10)
  expect(call.phone.record.closes[0]).toMatchObject({ code: 1009 })
  expect(call.calls.size).toBe(0)
})

test('a bridge that never reads is closed, and its session ends: nothing piles up for it', async () => {
  const call = await open({
    reads: 'never',
    llm: new FakeLlm({ answer: () => 'This goes on and on. '.repeat(100), firstTokenMs: 50 }),
  })
  call.phone.call()
  await call.wait(100)
  await call.speak(800, 1_500)
  await call.wait(120_000)
  expect(call.phone.record.closes[0]).toMatchObject({ code: 1008, reason: 'the stream is not read' })
  expect(call.calls.size).toBe(0)
  await call.wait(10_000)
  expect(call.clock.pendingTimers).toBe(0)
})

test('50 calls at once, each dropped in another state, leave nothing behind', async () => {
  const call = await open()
  const phones = Array.from({ length: 50 }, (_, i) => call.another({ call: { callId: `CA${i}` } }))
  for (const phone of phones) phone.call()
  await call.wait(100)
  expect(call.calls.size).toBe(50)
  for (const [i, phone] of phones.entries()) {
    if (i % 3 === 0) phone.press('1#')
    await call.wait(i * 3)
    if (i % 2 === 0) phone.drop()
    else phone.hangUp()
  }
  await call.wait(15_000)
  expect(call.calls.size).toBe(0)
  expect(call.sessions).toHaveLength(50)
  for (const session of call.sessions) expect(session.closedFor).toBe('client')
  expect(call.clock.pendingTimers).toBe(0)
})

describe('random lines', () => {
  test('mutated, doubled, swapped and cut messages never break the server, and the next call is answered', async () => {
    const messages = [
      START(),
      MEDIA,
      '{"event":"mark","mark":{"name":"p1"}}',
      '{"event":"dtmf","dtmf":{"digit":"7"}}',
      '{"event":"connected"}',
    ]
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            at: fc.nat({ max: messages.length - 1 }),
            cut: fc.option(fc.nat({ max: 200 })),
            change: fc.option(
              fc.record({ at: fc.nat({ max: 200 }), to: fc.string({ minLength: 1, maxLength: 3 }) }),
            ),
            times: fc.integer({ min: 1, max: 3 }),
            pauseMs: fc.constantFrom(0, 5, 40, 2_500),
          }),
          { maxLength: 20 },
        ),
        fc.constantFrom('drop', 'hangUp', 'nothing'),
        async (steps, end) => {
          const call = await open({ dialect: mute() })
          call.phone.call()
          await call.wait(1)
          for (const { at, cut, change, times, pauseMs } of steps) {
            let text = messages[at]!
            if (change) text = text.slice(0, change.at) + change.to + text.slice(change.at + 1)
            if (cut !== null) text = text.slice(0, cut)
            for (let i = 0; i < times; i++) call.phone.send(text)
            await call.wait(pauseMs)
          }
          if (end === 'drop') call.phone.drop()
          if (end === 'hangUp') call.phone.hangUp()
          await call.wait(13_000)
          const good = call.another({ dialect: twilioPhone(), call: { callId: 'CA-good' } })
          good.call()
          await call.wait(100)
          expect(good.state).toBe('live')
          expect(call.sessions.length).toBeGreaterThanOrEqual(1)
          good.hangUp()
          good.smash()
          call.phone.smash()
          await call.wait(13_000)
          expect(call.calls.size).toBe(0)
          expect(call.clock.pendingTimers).toBe(0)
        },
      ),
      { numRuns: 60, seed: 11 },
    )
  })
})
