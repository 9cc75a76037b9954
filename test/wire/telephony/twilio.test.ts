import { twilioPhone } from '../../../src/testing/telephony/twilio.ts'
import { twilio } from '../../../src/wire/telephony/twilio/index.ts'
import { bridgeConformance } from './conformance.ts'
import { settingOf } from './setting.ts'

const setting = settingOf('twilio')
bridgeConformance({ bridge: twilio(setting), setting, dialect: twilioPhone(), keys: 'sent' })
