import { describe, expect, test } from 'vitest'
import { bandwidthPhone } from '../../../src/testing/telephony/bandwidth.ts'
import { bandwidth } from '../../../src/wire/telephony/bridges/bandwidth/index.ts'
import { mistakeOf, readsAnything, toldBy } from './codec-story.ts'
import { bridgeConformance } from './conformance.ts'
import { settingOf } from './setting.ts'
import { TARGET, webhookRequest } from './webhook-request.ts'

const setting = settingOf('bandwidth', { username: 'user', password: 'secret', options: { codec: 'pcm' } })
bridgeConformance({
  bridge: bandwidth(setting),
  setting,
  dialect: bandwidthPhone({ output: 'pcm', user: 'user', password: 'secret' }),
  keys: 'none',
})

const start = (
  more: object = {},
  tracks: unknown = [{ name: 'inbound', mediaFormat: { encoding: 'PCMU', sampleRate: 8000 } }],
) => ({
  eventType: 'start',
  metadata: { accountId: '1', callId: 'c-1', streamId: 's-1', streamName: 'parley', tracks, ...more },
  streamParams: { from: '+1', tenant: 'a' },
})
const media = (payload: string, track = 'inbound') => ({
  eventType: 'media',
  track,
  payload,
  sequenceNumber: '1',
})

describe('a stream of Bandwidth', () => {
  const codec = (options = {}) => bandwidth(settingOf('bandwidth', { options })).open()

  test('tells of the call', () => {
    const mulaw = { encoding: 'mulaw', sampleRateHz: 8_000 }
    const told = toldBy(codec(), start(), media('/38='), media('AA==', 'outbound'), {
      eventType: 'stop',
      metadata: {},
    })
    expect(told).toEqual([
      [
        'start',
        {
          callId: 'c-1',
          streamId: 's-1',
          inputFormat: mulaw,
          outputFormat: mulaw,
          from: '+1',
          to: null,
          parameters: { from: '+1', tenant: 'a' },
        },
      ],
      ['audio', 'ff7f'],
      ['stop'],
    ])
  })

  test('is told in either format, and has no marks', () => {
    expect(codec().audio(Uint8Array.of(1, 2))).toBe(
      '{"eventType":"playAudio","media":{"contentType":"audio/pcmu","payload":"AQI="}}',
    )
    const linear = codec({ codec: 'pcm' })
    expect(linear.audio(Uint8Array.of(1, 2))).toBe(
      '{"eventType":"playAudio","media":{"contentType":' +
        '"audio/pcm;rate=24000;channels=1;bit-depth=16;endian=little;encoding=signed","payload":"AQI="}}',
    )
    expect([linear.mark('p1'), linear.clear(), linear.goodbye('error')]).toEqual([
      null,
      '{"eventType":"clear"}',
      null,
    ])
  })

  test('in a format that is unknown is a mistake', () => {
    const opus = start({}, [{ name: 'inbound', mediaFormat: { encoding: 'OPUS' } }])
    expect(mistakeOf(codec(), opus)).toBe('an encoding that is not µ-law')
    expect(mistakeOf(codec(), start({}, undefined))).toBeUndefined()
    expect(mistakeOf(codec(), start({ callId: 7 }))).toBe('no callId in a message')
  })

  test('of any kind breaks nothing', () => {
    readsAnything(bandwidth(setting), [start(), media('AAAA'), { eventType: 'stop', metadata: {} }])
  })
})

describe('an incoming call by Bandwidth', () => {
  const { webhook } = bandwidth(setting)

  test('is connected, and waits for the end of the stream', () => {
    expect(webhook!.answer(TARGET)).toEqual({
      contentType: 'application/xml',
      body:
        '<?xml version="1.0" encoding="UTF-8"?><Response><StartStream name="parley" mode="bidirectional" ' +
        'tracks="inbound" destination="wss://voice.example.com/v1/telephony/x" destinationUsername="user" ' +
        'destinationPassword="secret"><StreamParam name="parleyToken" value="a-b_c"/>' +
        '<StreamParam name="from" value="+15005550001"/>' +
        '<StreamParam name="note" value="&lt;&quot;&amp;&quot;&gt;"/></StartStream>' +
        '<StopStream name="parley" wait="true"/></Response>',
    })
    expect(webhook!.refuse('failed').body).toContain('<Hangup/>')
  })

  test('takes twelve parameters, the token among them', () => {
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`p${at}`, 'x']))
    const { body } = webhook!.answer({ url: TARGET.url, parameters: { ...many, parleyToken: 't' } })
    expect(body.match(/<StreamParam /g)).toHaveLength(12)
    expect(body).toContain('name="parleyToken"')
  })

  test('is known by its body', () => {
    const fields = { eventType: 'initiate', callId: 'c-1', from: '+1', to: '+2' }
    expect(webhook!.facts(webhookRequest({ fields }))).toEqual({ callId: 'c-1', from: '+1', to: '+2' })
  })
})
