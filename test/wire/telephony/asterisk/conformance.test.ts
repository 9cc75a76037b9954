import { expect, test } from 'vitest'
import { asteriskPhone } from '../../../../src/testing/telephony/asterisk.ts'
import { asterisk } from '../../../../src/wire/telephony/bridges/asterisk/index.ts'
import { bridgeConformance } from '../conformance.ts'
import { Exchange } from '../exchange.ts'
import { settingOf } from '../setting.ts'

const setting = settingOf('asterisk')
const bridge = asterisk(setting)
bridgeConformance({ bridge, setting, dialect: asteriskPhone(), keys: 'sent' })
bridgeConformance({
  bridge,
  setting,
  dialect: asteriskPhone({ spelling: 'json', format: 'ulaw' }),
  keys: 'sent',
})

test('a call’s facts are in the address, and metadata: no message of the plain spelling has them', async () => {
  const call = await Exchange.open({
    bridge,
    setting,
    dialect: asteriskPhone({ format: 'alaw' }),
    phone: { call: { from: '+4930111', to: '200', parameters: { tenant: 'acme' } } },
  })
  call.phone.call()
  await call.wait(100)
  expect(call.origins[0]?.metadata).toMatchObject({ from: '+4930111', to: '200', tenant: 'acme' })
  expect(call.phone.record.protocols).toEqual(['media'])
  await call.end()
})

test('what cannot be served is closed at once, and the log says why', async () => {
  const call = await Exchange.open({ bridge, setting, dialect: asteriskPhone() })
  call.phone.call()
  call.phone.send('MEDIA_START channel_id:1.2 format:opus optimal_frame_size:0 ptime:20')
  await call.wait(100)
  expect(call.phone.record.closes[0]).toMatchObject({ code: 1003 })
  expect(call.notes).toContain('a telephone stream was closed')
})
