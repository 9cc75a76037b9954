/** What holds for every bridge holds too where marks come late, come back from a clear after all, and frames overtake each other. */
import { exotelPhone } from '../../../src/testing/telephony/exotel.ts'
import { telnyxPhone } from '../../../src/testing/telephony/telnyx.ts'
import { exotel } from '../../../src/wire/telephony/bridges/exotel/index.ts'
import { telnyx } from '../../../src/wire/telephony/bridges/telnyx/index.ts'
import { bridgeConformance } from './conformance.ts'
import { settingOf } from './setting.ts'

const telnyxSetting = settingOf('telnyx')
bridgeConformance({
  bridge: telnyx(telnyxSetting),
  setting: telnyxSetting,
  dialect: telnyxPhone(),
  keys: 'sent',
  phone: { order: 'swapped', markDelayMs: 80 },
})

const exotelSetting = settingOf('exotel')
bridgeConformance({
  bridge: exotel(exotelSetting),
  setting: exotelSetting,
  dialect: exotelPhone({ sampleRateHz: 24_000, marksOnClear: 'echoed' }),
  keys: 'sent',
  phone: { markDelayMs: 80 },
})
