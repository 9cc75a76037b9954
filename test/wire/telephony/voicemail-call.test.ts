/** A call that we placed and a machine answered. */
import { describe, expect, test } from 'vitest'
import { twilioPhone } from '../../../src/testing/telephony/twilio.ts'
import { twilio } from '../../../src/wire/telephony/bridges/twilio/index.ts'
import { FakeLlm, FakeStt, FakeTts } from '../../support/stages.ts'
import { Exchange, type ExchangeOptions } from './exchange.ts'
import { settingOf } from './setting.ts'

const MESSAGE = 'Please call us back.'
const GREETING = 'You have reached the voicemail of Miller, please leave a message after the tone'

async function placed(words: string, more: Partial<ExchangeOptions> = {}): Promise<Exchange> {
  const setting = settingOf('twilio')
  const call = await Exchange.open({
    bridge: twilio(setting),
    setting,
    dialect: twilioPhone(),
    greeting: 'Hello, this is the practice of Doctor Huber, may I speak to Mister Miller please?',
    stt: new FakeStt({ words: [words], finalMs: 30 }),
    llm: new FakeLlm({ answer: () => 'Fine.', firstTokenMs: 50 }),
    tts: new FakeTts({ firstAudioMs: 40, msPerChar: 50, sounds: 'speech' }),
    pipeline: { voicemail: { message: MESSAGE } },
    phone: { call: { parameters: { direction: 'outgoing' } } },
    ...more,
  })
  call.phone.call()
  await call.wait(600)
  return call
}

describe('a call that we placed', () => {
  test('is left a message where a machine answered, after its greeting, and hung up', async () => {
    const call = await placed(GREETING)
    await call.speak(3_000, 1_000)
    // What we had begun to say has stopped.
    const before = call.tts.said.length
    const heard = call.phone.playback.heardMs
    await call.wait(1_000)
    expect(call.phone.playback.heardMs).toBe(heard)
    await call.wait(6_000)
    // The model may have been asked before the words were judged: nothing of it is said.
    expect(call.tts.said.slice(before)).toEqual([MESSAGE])
    expect(call.phone.playback.heardMs - heard).toBeGreaterThanOrEqual(MESSAGE.length * 50)
    expect(call.calls.size).toBe(0)
    await call.wait(10_000)
    expect(call.clock.pendingTimers).toBe(0)
  })

  test('is hung up at once where the pipeline says so', async () => {
    const call = await placed(GREETING, { pipeline: { voicemail: { message: null } } })
    await call.speak(3_000, 1_000)
    expect(call.calls.size).toBe(0)
    expect(call.tts.said).not.toContain('Fine.')
  })

  test('is a conversation where a person answered', async () => {
    const call = await placed('Hello who is there')
    // The tone that stands for speech here is a beep where it is short.
    await call.speak(3_000, 2_000)
    expect(call.llm.requests).toHaveLength(1)
    await call.wait(30_000)
    expect(call.calls.size).toBe(1)
    await call.end()
    expect(call.clock.pendingTimers).toBe(0)
  })

  test('that came to us is never judged', async () => {
    const call = await placed(GREETING, { phone: {} })
    await call.speak(3_000, 2_000)
    expect(call.llm.requests).toHaveLength(1)
    await call.end()
  })
})
