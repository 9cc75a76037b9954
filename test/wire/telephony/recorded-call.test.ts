/** A whole call that is recorded: what its file holds is what was said to it, and what its phone played. */
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createDecoder } from '../../../src/audio/convert.ts'
import { MULAW_8K } from '../../../src/audio/format.ts'
import { twilioPhone } from '../../../src/testing/telephony/twilio.ts'
import { twilio } from '../../../src/wire/telephony/bridges/twilio/index.ts'
import { type CallShelf, openCallShelf } from '../../../src/wire/telephony/recording/shelf.ts'
import { FakeLlm, FakeStt, FakeTts } from '../../support/stages.ts'
import { Exchange } from './exchange.ts'
import { settingOf } from './setting.ts'

const ANSWER = 'Well, that is a rather long story. It began many years ago in a small town by the sea.'

async function recordedCall() {
  const dir = mkdtempSync(join(tmpdir(), 'parley-calls-'))
  let shelf: CallShelf | undefined
  const setting = settingOf('twilio')
  const call = await Exchange.open({
    bridge: twilio(setting),
    setting,
    dialect: twilioPhone(),
    stt: new FakeStt({ words: ['Tell me a story', 'Stop it please'], finalMs: 30 }),
    llm: new FakeLlm({ answer: (r) => (r.messages.length <= 2 ? ANSWER : 'Fine.'), firstTokenMs: 50 }),
    tts: new FakeTts({ firstAudioMs: 40, msPerChar: 50, sounds: 'speech' }),
    settings: { maxRevisions: 0, interruption: { minSpeechMs: 200, minWords: 0, ignore: [] } },
    shelf: (clock) => {
      shelf = openCallShelf({
        setting: { dir, maxMb: 10, keepDays: null },
        clock,
        note: (message) => void call.notes.push(message),
      })
      return shelf
    },
  })
  call.phone.call()
  await call.wait(100)
  await call.speak(800, 700)
  const read = async () => {
    await call.end()
    await shelf!.close()
    const [name, ...more] = readdirSync(dir)
    expect([more, name]).toEqual([[], expect.stringMatching(/^\d{8}T\d{6}Z-sess_[0-9a-f]+\.wav$/)])
    const file = readFileSync(join(dir, name!))
    const samples = new Int16Array(new Uint8Array(file.subarray(44)).buffer)
    const side = (channel: number) => samples.filter((_, i) => i % 2 === channel)
    return { left: side(0), right: side(1) }
  }
  return { call, read }
}

/** Ms of sound in it, in stretches of 20 ms that hold any. */
function loudMs(samples: Int16Array): number {
  let ms = 0
  for (let at = 0; at < samples.length; at += 160) {
    if (samples.subarray(at, at + 160).some((sample) => Math.abs(sample) > 200)) ms += 20
  }
  return ms
}

/** What the phone played, laid on its own timeline, as the recorder should have it. */
function played(call: Exchange, length: number): Int16Array {
  const line = new Int16Array(length)
  for (const { startMs, bytes } of call.phone.playback.timeline) {
    const at = Math.round((startMs * 8_000) / 1_000)
    line.set(createDecoder(MULAW_8K)(bytes).subarray(0, Math.max(0, length - at)), at)
  }
  return line
}

test('an interrupted answer is in the file as far as the phone played it, sample for sample', async () => {
  const { call, read } = await recordedCall()
  await call.wait(1_200)
  await call.speak(600, 400)
  await call.wait(3_000)
  const { left, right } = await read()
  const heard = played(call, right.length)
  expect(loudMs(heard)).toBeGreaterThan(1_000)
  expect(loudMs(heard)).toBeLessThan(ANSWER.length * 50)
  const different = right.reduce((sum, sample, i) => sum + (sample === heard[i] ? 0 : 1), 0)
  expect(different).toBe(0)
  expect(loudMs(left)).toBeGreaterThanOrEqual(1_380)
  expect(loudMs(left)).toBeLessThanOrEqual(1_440)
  expect(call.clock.pendingTimers).toBe(0)
  expect(call.notes.filter((note) => /recording/.test(note))).toEqual([])
})
