/** A bridge that says stop and go: nobody spins meanwhile, and nothing of the answer is lost. */
import { expect, test } from 'vitest'
import { asteriskPhone } from '../../../../src/testing/telephony/asterisk.ts'
import { asterisk } from '../../../../src/wire/telephony/bridges/asterisk/index.ts'
import { FakeLlm, FakeTts } from '../../../support/stages.ts'
import { Exchange } from '../exchange.ts'
import { settingOf } from '../setting.ts'

test('XOFF in the middle of an answer holds it, also for ever, and XON lets it go on', async () => {
  const setting = settingOf('asterisk')
  const call = await Exchange.open({
    bridge: asterisk(setting),
    setting,
    dialect: asteriskPhone(),
    llm: new FakeLlm({ answer: () => 'This is a long answer. '.repeat(8).trim(), firstTokenMs: 50 }),
    tts: new FakeTts({ firstAudioMs: 40, msPerChar: 50, sounds: 'speech' }),
  })
  call.phone.call()
  await call.wait(100)
  await call.speak(800, 1_500)
  call.phone.send('MEDIA_XOFF')
  await call.wait(10)
  const sent = call.phone.record.soundMs.length
  await call.wait(1_500)
  expect(call.phone.record.soundMs.length).toBe(sent)
  call.phone.send('MEDIA_XON')
  await call.wait(12_000)
  expect(call.phone.playback.heardMs).toBeGreaterThanOrEqual(8 * 22 * 50)
  // And a caller who hangs up while it is held leaves nothing behind.
  call.phone.send('MEDIA_XOFF')
  await call.speak(800, 1_000)
  await call.end()
  expect(call.calls.size).toBe(0)
  expect(call.clock.pendingTimers).toBe(0)
})
