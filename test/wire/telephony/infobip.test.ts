import { expect, test } from 'vitest'
import { vonagePhone } from '../../../src/testing/telephony/vonage.ts'
import { infobip } from '../../../src/wire/telephony/bridges/infobip/index.ts'
import { bridgeConformance } from './conformance.ts'
import { settingOf } from './setting.ts'

const setting = settingOf('infobip')
bridgeConformance({
  bridge: infobip(setting),
  setting,
  dialect: vonagePhone({ bridge: 'infobip', sampleRateHz: 8_000 }),
  keys: 'sent',
})

test('Infobip is told nothing but sound', () => {
  const codec = infobip(setting).open()
  expect([codec.mark('p1'), codec.clear()]).toEqual([null, null])
  expect(() => infobip(settingOf('infobip', { authToken: 'x' }))).toThrow(/signs nothing/)
})
