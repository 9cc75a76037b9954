import { describe, expect, test } from 'vitest'
import { twilioPhone } from '../../../src/testing/telephony/twilio.ts'
import { twilio } from '../../../src/wire/telephony/bridges/twilio/index.ts'
import { twilioSignature } from '../../../src/wire/telephony/bridges/twilio/signature.ts'
import { mistakeOf, readsAnything, toldBy } from './codec-story.ts'
import { bridgeConformance } from './conformance.ts'
import { settingOf } from './setting.ts'
import { TARGET, webhookRequest } from './webhook-request.ts'

const setting = settingOf('twilio')
bridgeConformance({ bridge: twilio(setting), setting, dialect: twilioPhone(), keys: 'sent' })

const start = (more: object = {}) => ({
  event: 'start',
  sequenceNumber: '1',
  start: {
    accountSid: 'AC1',
    streamSid: 'MZ1',
    callSid: 'CA1',
    tracks: ['inbound'],
    mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 },
    customParameters: { from: '+1500', n: 7, nested: {} },
    ...more,
  },
  streamSid: 'MZ1',
})
const media = (payload: unknown, track = 'inbound') => ({
  event: 'media',
  sequenceNumber: '4',
  media: { track, chunk: '2', timestamp: '5', payload },
  streamSid: 'MZ1',
})

describe('a stream of Twilio', () => {
  const codec = () => twilio(setting).open()

  test('tells of the call', () => {
    const mulaw = { encoding: 'mulaw', sampleRateHz: 8_000 }
    const told = toldBy(
      codec(),
      { event: 'connected', protocol: 'Call', version: '1.0.0' },
      start(),
      media('/38='),
      media('AA==', 'outbound'),
      { event: 'dtmf', streamSid: 'MZ1', sequenceNumber: '5', dtmf: { track: 'inbound_track', digit: '1' } },
      { event: 'dtmf', streamSid: 'MZ1', sequenceNumber: '5', dtmf: { track: 'inbound_track', digit: 'x' } },
      { event: 'mark', sequenceNumber: '4', streamSid: 'MZ1', mark: { name: 'p1' } },
      { event: 'something new' },
      { event: 'stop', sequenceNumber: '5', streamSid: 'MZ1', stop: { callSid: 'CA1' } },
    )
    expect(told).toEqual([
      [
        'start',
        {
          callId: 'CA1',
          streamId: 'MZ1',
          inputFormat: mulaw,
          outputFormat: mulaw,
          from: '+1500',
          to: null,
          parameters: { from: '+1500', n: '7' },
        },
      ],
      ['audio', 'ff7f', 5],
      ['digit', '1'],
      ['marked', 'p1'],
      ['stop'],
    ])
  })

  test('is told by its stream', () => {
    const one = codec()
    toldBy(one, start({ streamSid: 'MZ"1' }))
    expect(one.audio(Uint8Array.of(1, 2))).toBe(
      '{"event":"media","streamSid":"MZ\\"1","media":{"payload":"AQI="}}',
    )
    expect(one.mark('p1')).toBe('{"event":"mark","streamSid":"MZ\\"1","mark":{"name":"p1"}}')
    expect([one.clear(), one.goodbye('error')]).toEqual(['{"event":"clear","streamSid":"MZ\\"1"}', null])
  })

  test.each([
    ['a binary message where text is spoken', Uint8Array.of(1)],
    ['a message that is no JSON', '{'],
    ['a message that is no JSON object', 'null'],
    ['no media in a message', { event: 'media' }],
    ['sound that is no text', media(7)],
    ['sound that is no base64', media('A*AA')],
    ['no streamSid in a message', start({ streamSid: '' })],
    ['no callSid in a message', start({ callSid: 'x'.repeat(257) })],
    ['an encoding that is not µ-law', start({ mediaFormat: { encoding: 'audio/x-l16' } })],
  ])('%s is a mistake', (mistake, message) => {
    expect(mistakeOf(codec(), message)).toBe(mistake)
  })

  test('of any kind breaks nothing', () => {
    readsAnything(twilio(setting), [
      start(),
      media('AAAA'),
      { event: 'dtmf', dtmf: { digit: '1' } },
      { event: 'mark', mark: { name: 'p1' } },
      { event: 'stop', stop: {} },
    ])
  })
})

describe('an incoming call by Twilio', () => {
  const { webhook } = twilio(settingOf('twilio', { authToken: 'token' }))

  test('is connected, its parameters as elements', () => {
    expect(webhook!.answer(TARGET).body).toBe(
      '<?xml version="1.0" encoding="UTF-8"?><Response><Connect>' +
        '<Stream url="wss://voice.example.com/v1/telephony/x"><Parameter name="parleyToken" value="a-b_c"/>' +
        '<Parameter name="from" value="+15005550001"/><Parameter name="note" value="&lt;&quot;&amp;&quot;&gt;"/>' +
        '</Stream></Connect></Response>',
    )
    expect(webhook!.refuse('busy').body).toContain('<Reject reason="busy"/>')
    expect(webhook!.refuse('failed').body).toContain('<Reject/>')
  })

  test('is proved over the public address, whatever a proxy made of it', () => {
    const fields = { CallSid: 'CA1', From: '+1500', To: '+1501' }
    const signature = twilioSignature('token', 'https://voice.example.com/v1/telephony/x/voice', fields)
    const headers = { 'x-twilio-signature': signature, host: 'inner:8080', 'x-forwarded-proto': 'http' }
    const request = webhookRequest({ fields, headers })
    expect(webhook!.prove(request)).toBe('proved')
    expect(webhook!.prove({ ...request, publicUrl: 'https://voice.example.com/' })).toBe('proved')
    expect(webhook!.prove({ ...request, publicUrl: null })).toBe('wrong')
    expect(webhook!.prove({ ...request, path: `${request.path}?x=1` })).toBe('wrong')
    expect(webhook!.facts(request)).toEqual({ callId: 'CA1', from: '+1500', to: '+1501' })
  })
})
