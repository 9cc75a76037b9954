import { describe, expect, test } from 'vitest'
import { signalWirePhone } from '../../../src/testing/telephony/signalwire.ts'
import { signalwire } from '../../../src/wire/telephony/bridges/signalwire/index.ts'
import { twilioSignature } from '../../../src/wire/telephony/bridges/twilio/signature.ts'
import { mistakeOf, readsAnything, toldBy } from './codec-story.ts'
import { bridgeConformance } from './conformance.ts'
import { settingOf } from './setting.ts'
import { TARGET, webhookRequest } from './webhook-request.ts'

const setting = settingOf('signalwire', { options: { codec: 'L16@24000h' } })
bridgeConformance({
  bridge: signalwire(setting),
  setting,
  dialect: signalWirePhone({ codec: 'L16@24000h' }),
  keys: 'sent',
})

const start = (mediaFormat: object) => ({
  event: 'start',
  sequenceNumber: '1',
  start: { accountSid: 'a', streamSid: 'S1', callSid: 'C1', mediaFormat, customParameters: { from: '+1' } },
  streamSid: 'S1',
})

describe('a stream of SignalWire', () => {
  const codec = (asked: string) => signalwire(settingOf('signalwire', { options: { codec: asked } })).open()

  test.each([
    [
      'PCMU@8000h',
      { encoding: 'audio/x-mulaw', sampleRate: 8000 },
      { encoding: 'mulaw', sampleRateHz: 8_000 },
    ],
    [
      'L16@16000h',
      { encoding: 'audio/x-L16', sampleRate: 16000 },
      { encoding: 'pcm16', sampleRateHz: 16_000 },
    ],
    ['L16@24000h', { encoding: 'L16' }, { encoding: 'pcm16', sampleRateHz: 24_000 }],
    // What the message says outranks what was asked for.
    ['L16@24000h', { encoding: 'audio/x-mulaw' }, { encoding: 'mulaw', sampleRateHz: 8_000 }],
  ])('asked for as %s and told as %j', (asked, mediaFormat, format) => {
    expect(toldBy(codec(asked), start(mediaFormat))).toEqual([
      [
        'start',
        {
          callId: 'C1',
          streamId: 'S1',
          inputFormat: format,
          outputFormat: format,
          from: '+1',
          to: null,
          parameters: { from: '+1' },
        },
      ],
    ])
  })

  test('in a format that is unknown is a mistake', () => {
    expect(mistakeOf(codec('PCMU@8000h'), start({ encoding: 'OPUS' }))).toMatch(/encoding/)
    expect(mistakeOf(codec('PCMU@8000h'), start({ encoding: 'L16', sampleRate: 44100 }))).toMatch(/rate/)
  })

  test('of any kind breaks nothing', () => {
    readsAnything(signalwire(setting), [
      start({ encoding: 'audio/x-L16', sampleRate: 24000 }),
      {
        event: 'media',
        streamSid: 'S1',
        media: { track: 'inbound', chunk: '1', timestamp: '5', payload: 'AAAA' },
      },
      { event: 'dtmf', streamSid: 'S1', dtmf: { digit: '1' } },
      { event: 'mark', streamSid: 'S1', mark: { name: 'p1' } },
      { event: 'stop', streamSid: 'S1', stop: {} },
    ])
  })
})

describe('an incoming call by SignalWire', () => {
  const { webhook } = signalwire(
    settingOf('signalwire', { authToken: 'key', token: 'secret-token', options: { codec: 'L16@16000h' } }),
  )

  test('is connected in the format that was chosen, with the token for the socket', () => {
    expect(webhook!.answer(TARGET)).toEqual({
      contentType: 'text/xml; charset=utf-8',
      body:
        '<?xml version="1.0" encoding="UTF-8"?><Response><Connect>' +
        '<Stream url="wss://voice.example.com/v1/telephony/x" codec="L16@16000h" authBearerToken="secret-token">' +
        '<Parameter name="parleyToken" value="a-b_c"/><Parameter name="from" value="+15005550001"/>' +
        '<Parameter name="note" value="&lt;&quot;&amp;&quot;&gt;"/></Stream></Connect></Response>',
    })
  })

  test.each(['x-signalwire-signature', 'x-twilio-signature'])('is proved by %s', (header) => {
    const fields = { CallSid: 'C1', From: '+1' }
    const signature = twilioSignature('key', 'https://voice.example.com/v1/telephony/x/voice', fields)
    const request = webhookRequest({ fields, headers: { [header]: signature } })
    expect(webhook!.prove(request)).toBe('proved')
    expect(webhook!.prove({ ...request, fields: { ...fields, From: '+2' } })).toBe('wrong')
    expect(webhook!.prove(webhookRequest({ fields }))).toBe('none')
  })
})

test('a setting that SignalWire does not know is refused', () => {
  expect(() => signalwire(settingOf('signalwire', { options: { codec: 'G722' } }))).toThrow()
  expect(() => signalwire(settingOf('signalwire', { username: 'u' }))).toThrow(/user name/)
})
