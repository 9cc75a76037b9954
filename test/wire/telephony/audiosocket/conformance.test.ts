import { audioSocketPhone } from '../../../../src/testing/telephony/audiosocket.ts'
import { audiosocket } from '../../../../src/wire/telephony/bridges/audiosocket/index.ts'
import { bridgeConformance } from '../conformance.ts'
import { settingOf } from '../setting.ts'

const setting = settingOf('audiosocket')
bridgeConformance({ bridge: audiosocket(setting), setting, dialect: audioSocketPhone(), keys: 'sent' })
