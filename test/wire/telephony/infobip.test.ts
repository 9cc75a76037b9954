import { describe, expect, test } from 'vitest'
import { infobipPhone } from '../../../src/testing/telephony/infobip.ts'
import { BridgeMistake, BridgeRefused } from '../../../src/wire/telephony/bridge.ts'
import { infobip } from '../../../src/wire/telephony/bridges/infobip/index.ts'
import { read } from './binary-codec.ts'
import { readsAnything } from './codec-story.ts'
import { bridgeConformance } from './conformance.ts'
import { Exchange } from './exchange.ts'
import { settingOf } from './setting.ts'

const setting = settingOf('infobip')
bridgeConformance({
  bridge: infobip(setting),
  setting,
  dialect: infobipPhone({ sampleRateHz: 24_000 }),
  keys: 'sent',
})

const CONNECTED = {
  event: 'websocket:connected',
  'content-type': 'audio/l16;rate=24000',
  callId: 'call-1',
  from: '4930111',
  parleyToken: 'token',
}

describe('Infobip’s messages', () => {
  test('the first one names the rate and holds the leg’s customData, flat or not', () => {
    const flat = read(infobip(setting).open(), CONNECTED).starts[0]
    expect(flat).toMatchObject({
      callId: 'call-1',
      idFrom: 'parameters',
      from: '4930111',
      inputFormat: { encoding: 'pcm16', sampleRateHz: 24_000 },
      parameters: { callId: 'call-1', from: '4930111', parleyToken: 'token' },
    })
    const { event, 'content-type': type, ...customData } = CONNECTED
    const nested = read(infobip(setting).open(), { event, 'content-type': type, customData }).starts[0]
    expect(nested).toEqual(flat)
  })

  test('the leg’s own id is the call’s where none was given', () => {
    const { callId, ...unnamed } = CONNECTED
    const start = (more = {}) => read(infobip(setting).open(), { ...unnamed, ...more }).starts[0]
    expect(start({ 'call-id': 'leg-1' })?.callId).toBe('leg-1')
    expect(start()?.callId).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('keys are told; what it does not know of Vonage’s is nothing', () => {
    const { events } = read(
      infobip(setting).open(),
      { event: 'websocket:dtmf', digit: '3', duration: 250 },
      { event: 'websocket:notify', payload: { name: 'p1' } },
      { event: 'websocket:cleared' },
      { event: 'websocket:disconnected' },
    )
    expect(events).toEqual(['digit 3'])
  })

  test('ours are sound and nothing else', () => {
    const codec = infobip(setting).open()
    expect([codec.mark('p1'), codec.clear(), codec.goodbye('completed')]).toEqual([null, null, null])
    expect(() => read(codec, Buffer.alloc(639))).toThrow(BridgeMistake)
    expect(() => infobip(settingOf('infobip', { authToken: 'x' }))).toThrow(/signs nothing/)
  })

  test('whatever comes, nothing but mistakes are made of it', () => {
    readsAnything(infobip(setting), [CONNECTED, { event: 'websocket:dtmf', digit: '5' }])
  })
})

test('a media stream is refused at once: the caller would hear nothing of the answers', async () => {
  const first = { callId: 'call-1', sampleRate: 48_000, packetizationTime: 20 }
  expect(() => read(infobip(setting).open(), first)).toThrow(BridgeRefused)
  const call = await Exchange.open({
    bridge: infobip(setting),
    setting,
    dialect: infobipPhone({ stream: 'media-stream' }),
    greeting: 'Hello.',
  })
  call.phone.call()
  await call.wait(1_000)
  expect(call.phone.record.closes[0]).toMatchObject({ code: 1003 })
  expect(call.sessions).toEqual([])
  expect(call.phone.record.mistakes).toEqual([])
  await call.end()
})
