import { describe, expect, test } from 'vitest'
import { exotelPhone } from '../../../src/testing/telephony/exotel.ts'
import { exotel } from '../../../src/wire/telephony/bridges/exotel/index.ts'
import { mistakeOf, readsAnything, toldBy } from './codec-story.ts'
import { bridgeConformance } from './conformance.ts'
import { settingOf } from './setting.ts'
import { TARGET, webhookRequest } from './webhook-request.ts'

const setting = settingOf('exotel', { username: 'user', password: 'secret' })
bridgeConformance({
  bridge: exotel(setting),
  setting,
  dialect: exotelPhone({ user: 'user', password: 'secret' }),
  keys: 'sent',
})

const start = (more: object = {}) => ({
  event: 'start',
  sequence_number: '1',
  stream_sid: 'S1',
  start: {
    stream_sid: 'S1',
    call_sid: 'C1',
    account_sid: 'A1',
    from: '+919',
    to: '+918',
    custom_parameters: { tenant: 'a' },
    media_format: { encoding: 'audio/x-raw', sample_rate: '8000', bit_rate: '16' },
    ...more,
  },
})
const media = (payload: string) => ({
  event: 'media',
  sequence_number: '3',
  stream_sid: 'S1',
  media: { chunk: '2', timestamp: '200', payload },
})

describe('a stream of Exotel', () => {
  const codec = () => exotel(setting).open()

  test('tells of the call', () => {
    const linear = { encoding: 'pcm16', sampleRateHz: 8_000 }
    const told = toldBy(
      codec(),
      { event: 'connected' },
      start(),
      media('AQI='),
      { event: 'dtmf', sequence_number: '7', stream_sid: 'S1', dtmf: { digit: '5', duration: '100' } },
      { event: 'mark', sequence_number: '15', stream_sid: 'S1', mark: { name: 'p1' } },
      { event: 'stop', sequence_number: '16', stream_sid: 'S1', stop: { reason: 'callended' } },
    )
    expect(told).toEqual([
      [
        'start',
        {
          callId: 'C1',
          streamId: 'S1',
          inputFormat: linear,
          outputFormat: linear,
          from: '+919',
          to: '+918',
          parameters: { tenant: 'a' },
        },
      ],
      ['audio', '0102'],
      ['digit', '5'],
      ['marked', 'p1'],
      ['stop'],
    ])
  })

  test('is told by its stream', () => {
    const one = codec()
    toldBy(one, start({ media_format: { encoding: 'base64', sample_rate: '24000' } }))
    expect(one.audio(Uint8Array.of(1, 2))).toBe(
      '{"event":"media","stream_sid":"S1","media":{"payload":"AQI="}}',
    )
    expect(one.mark('p1')).toBe('{"event":"mark","stream_sid":"S1","mark":{"name":"p1"}}')
    expect([one.clear(), one.goodbye('error')]).toEqual(['{"event":"clear","stream_sid":"S1"}', null])
  })

  test('has the parameters of a call that was placed in its custom field', () => {
    const custom_parameters = { CustomField: '{"parleyToken":"t"}', tenant: 'b' }
    expect(toldBy(codec(), start({ custom_parameters }))[0]![1]).toMatchObject({
      parameters: { parleyToken: 't', tenant: 'b' },
    })
    expect(mistakeOf(codec(), start({ custom_parameters: { CustomField: '{' } }))).toBeUndefined()
  })

  test.each([
    [
      'an encoding that is not linear',
      start({ media_format: { encoding: 'audio/x-mulaw', sample_rate: '8000' } }),
    ],
    ['a sample rate that is not 8, 16 or 24 kHz', start({ media_format: { sample_rate: '44100' } })],
    ['half a sample', media('AA==')],
    ['sound that is no base64', media('A')],
  ])('%s is a mistake', (mistake, message) => {
    expect(mistakeOf(codec(), message)).toBe(mistake)
  })

  test('of any kind breaks nothing', () => {
    readsAnything(exotel(setting), [
      start(),
      start({ custom_parameters: { CustomField: '{}' } }),
      media('AAAA'),
      { event: 'dtmf', stream_sid: 'S1', dtmf: { digit: '1' } },
      { event: 'mark', stream_sid: 'S1', mark: { name: 'p1' } },
      { event: 'stop' },
    ])
  })
})

describe('an incoming call by Exotel', () => {
  const { webhook } = exotel(setting)

  test('is told the address of the socket, with three parameters, the token first', () => {
    const parameters = { CallSid: 'C1', Direction: 'x', from: '+1', to: '+2', parleyToken: 'a-b_c' }
    expect(webhook!.answer({ url: TARGET.url, parameters })).toEqual({
      contentType: 'application/json',
      body: '{"url":"wss://voice.example.com/v1/telephony/x?parleyToken=a-b_c&from=%2B1&to=%2B2"}',
    })
    expect(webhook!.refuse('busy').body).toBe('{}')
  })

  test('is known by its query', () => {
    const query = { CallSid: 'C1', CallFrom: '0919', CallTo: '0918' }
    expect(webhook!.facts(webhookRequest({ query }))).toEqual({ callId: 'C1', from: '0919', to: '0918' })
  })
})
