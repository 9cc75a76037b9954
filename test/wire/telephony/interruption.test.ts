/** A caller who interrupts at any moment of an answer, whatever way the marks have to come. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { twilioPhone } from '../../../src/testing/telephony/twilio.ts'
import { twilio } from '../../../src/wire/telephony/bridges/twilio/index.ts'
import { FakeLlm, FakeStt, FakeTts } from '../../support/stages.ts'
import { Exchange } from './exchange.ts'
import { settingOf } from './setting.ts'

const ANSWER = 'Well, that is a rather long story. It began many years ago in a small town by the sea.'
const MS_PER_CHAR = 50
/** The longest word and its space, and what a mark is behind. */
const TOLERANCE_CHARS = 12

test('is not spoken over, and the model is told the words that were heard', async () => {
  const setting = settingOf('twilio')
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 3_900 }),
      fc.constantFrom(0, 5, 60, 180),
      async (afterMs, markDelayMs) => {
        const call = await Exchange.open({
          bridge: twilio(setting),
          setting,
          dialect: twilioPhone(),
          stt: new FakeStt({ words: ['Tell me a story', 'Stop it please'], finalMs: 30 }),
          llm: new FakeLlm({ answer: (r) => (r.messages.length <= 2 ? ANSWER : 'Fine.'), firstTokenMs: 50 }),
          tts: new FakeTts({ firstAudioMs: 40, msPerChar: MS_PER_CHAR, sounds: 'speech' }),
          settings: { maxRevisions: 0 },
          phone: { markDelayMs },
        })
        call.phone.call()
        await call.wait(100)
        await call.speak(800, 700 + afterMs)
        await call.speak(300)
        const heardMs = call.phone.playback.heardMs
        await call.speak(300, 100)
        expect(call.phone.playback.heardMs).toBe(heardMs)
        await call.wait(1_000)
        expect(call.prompt.at(-1)).toMatch(/Stop it please$/)
        const told = call.prompt.find((line) => line.startsWith('assistant: ')) ?? 'assistant: '
        const chars = told.slice('assistant: '.length).replace('[interrupted]', '').trim().length
        expect(Math.abs(chars * MS_PER_CHAR - heardMs)).toBeLessThanOrEqual(
          TOLERANCE_CHARS * MS_PER_CHAR + markDelayMs,
        )
        await call.end()
        expect(call.clock.pendingTimers).toBe(0)
      },
    ),
    { numRuns: 40, seed: 5 },
  )
})
