import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { plivoPhone } from '../../../src/testing/telephony/plivo.ts'
import {
  readExtraHeaders,
  writeExtraHeaders,
} from '../../../src/wire/telephony/bridges/plivo/extra-headers.ts'
import { plivo } from '../../../src/wire/telephony/bridges/plivo/index.ts'
import { mistakeOf, readsAnything, toldBy } from './codec-story.ts'
import { bridgeConformance } from './conformance.ts'
import { settingOf } from './setting.ts'
import { TARGET, webhookRequest } from './webhook-request.ts'

const contentType = 'audio/x-l16;rate=16000'
const setting = settingOf('plivo', { options: { contentType, byteOrder: 'network' } })
bridgeConformance({
  bridge: plivo(setting),
  setting,
  dialect: plivoPhone({ contentType, byteOrder: 'network' }),
  keys: 'sent',
})

const start = (encoding = 'audio/x-mulaw', sampleRate = 8000, extra: unknown = '') => ({
  event: 'start',
  sequenceNumber: 1,
  start: {
    callId: 'C1',
    streamId: 'S1',
    accountId: 'MA',
    tracks: ['inbound'],
    mediaFormat: { encoding, sampleRate },
  },
  extra_headers: extra,
})
const media = (payload: string, track = 'inbound') => ({
  event: 'media',
  sequenceNumber: 42,
  streamId: 'S1',
  media: { track, timestamp: '1705312200000', chunk: 41, payload },
  extra_headers: '',
})

describe('a stream of Plivo', () => {
  const codec = (options = {}) => plivo(settingOf('plivo', { options })).open()

  test('tells of the call', () => {
    const mulaw = { encoding: 'mulaw', sampleRateHz: 8_000 }
    const told = toldBy(
      codec(),
      start('audio/x-mulaw', 8000, 'userId=12345;from=15005550001'),
      media('/38='),
      media('AA==', 'outbound'),
      {
        event: 'dtmf',
        sequenceNumber: 3,
        streamId: 'S1',
        dtmf: { track: 'inbound', digit: '5', timestamp: '1' },
      },
      { event: 'playedStream', sequenceNumber: 4, streamId: 'S1', name: 'p1' },
      { event: 'played', sequenceNumber: 5, streamId: 'S1', name: 'p2' },
      { event: 'clearedAudio', sequenceNumber: 6, streamId: 'S1' },
      { event: 'stop' },
    )
    expect(told).toEqual([
      [
        'start',
        {
          callId: 'C1',
          streamId: 'S1',
          inputFormat: mulaw,
          outputFormat: mulaw,
          from: '15005550001',
          to: null,
          parameters: { userId: '12345', from: '15005550001' },
        },
      ],
      ['audio', 'ff7f'],
      ['digit', '5'],
      ['marked', 'p1'],
      ['marked', 'p2'],
      ['cleared'],
      ['stop'],
    ])
  })

  test('is told in the content type it has, in its order of bytes', () => {
    const one = codec()
    toldBy(one, start())
    expect(one.audio(Uint8Array.of(1, 2))).toBe(
      '{"event":"playAudio","media":{"contentType":"audio/x-mulaw","sampleRate":8000,"payload":"AQI="}}',
    )
    expect(one.mark('p1')).toBe('{"event":"checkpoint","streamId":"S1","name":"p1"}')
    expect(one.clear()).toBe('{"event":"clearAudio","streamId":"S1"}')
    const linear = codec()
    toldBy(linear, start('audio/x-l16', 16000))
    expect(linear.audio(Uint8Array.of(1, 2))).toBe(
      '{"event":"playAudio","media":{"contentType":"audio/x-l16","sampleRate":16000,"payload":"AQI="}}',
    )
    const network = codec({ byteOrder: 'network' })
    expect(toldBy(network, start('audio/x-l16', 8000), media('AQI='))[1]).toEqual(['audio', '0201'])
    expect(network.audio(Uint8Array.of(1, 2))).toContain('"AgE="')
  })

  test.each([
    ['an encoding that is neither µ-law nor linear', start('audio/opus')],
    ['a sample rate that is not 8, 16 or 24 kHz', start('audio/x-l16', 11025)],
    ['sound before the start', media('AA==')],
  ])('%s is a mistake', (mistake, message) => {
    expect(mistakeOf(codec(), message)).toBe(mistake)
  })

  test('of any kind breaks nothing', () => {
    readsAnything(plivo(setting), [
      start('audio/x-l16', 16000, 'a=1;b=2'),
      start('audio/x-mulaw', 8000, '{"a":"1"}'),
      media('AAAA'),
      { event: 'dtmf', dtmf: { digit: '1' } },
      { event: 'playedStream', streamId: 'S1', name: 'p1' },
      { event: 'clearedAudio', streamId: 'S1' },
      { event: 'stop' },
    ])
  })
})

describe('the parameters of a Plivo stream', () => {
  test.each([
    ['a=1;b=2', { a: '1', b: '2' }],
    ['a=1,b=2', { a: '1', b: '2' }],
    ['{a=1;b=2}', { a: '1', b: '2' }],
    ['{X-PH-a: 1, X-PH-b: 2}', { a: '1', b: '2' }],
    ['{"X-PH-a":"1","b":2}', { a: '1', b: '2' }],
    [{ a: '1' }, { a: '1' }],
    ['fromHex=2b31', { from: '+1' }],
    ['', {}],
    ['{}', {}],
    [undefined, {}],
  ])('%j', (given, parameters) => {
    expect({ ...readExtraHeaders(given) }).toEqual(parameters)
  })

  test('are letters and digits on the way, and come back as they were', () => {
    const name = fc.stringMatching(/^[A-Za-z]{1,8}$/).filter((one) => !one.endsWith('Hex'))
    fc.assert(
      fc.property(
        fc.dictionary(name, fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }), { maxKeys: 4 }),
        (given) => {
          const text = writeExtraHeaders(given)
          expect(text).toMatch(/^([A-Za-z0-9]+=[A-Za-z0-9]+(,|$))*$/)
          expect(Buffer.byteLength(text)).toBeLessThanOrEqual(512)
          expect({ ...readExtraHeaders(text.replaceAll(',', ';')) }).toEqual(given)
        },
      ),
    )
  })

  test('that do not fit are left out, and never the token', () => {
    const many = { long: 'x'.repeat(500), from: '+1', parleyToken: 'abc' }
    expect(writeExtraHeaders(many)).toBe('parleyToken=abc,fromHex=2b31')
  })
})

describe('an incoming call by Plivo', () => {
  const { webhook } = plivo(settingOf('plivo', { authToken: 'token' }))

  test('is connected, and kept alive by the stream alone', () => {
    expect(webhook!.answer(TARGET).body).toBe(
      '<?xml version="1.0" encoding="UTF-8"?><Response><Stream bidirectional="true" keepCallAlive="true" ' +
        'contentType="audio/x-mulaw;rate=8000" extraHeaders="parleyTokenHex=612d625f63,fromHex=2b3135303035353530303031,' +
        'noteHex=3c2226223e">wss://voice.example.com/v1/telephony/x</Stream></Response>',
    )
    expect(webhook!.refuse('busy').body).toContain('<Hangup reason="busy"/>')
    expect(webhook!.refuse('failed').body).toContain('<Hangup reason="rejected"/>')
  })

  test('is known by its form, or by its query', () => {
    const facts = { CallUUID: 'C1', From: '1500', To: '1501' }
    const known = { callId: 'C1', from: '1500', to: '1501' }
    expect(webhook!.facts(webhookRequest({ fields: facts }))).toEqual(known)
    expect(webhook!.facts(webhookRequest({ query: facts }))).toEqual(known)
  })

  test('is proved by its signature', () => {
    const fields = { To: '1501', CallUUID: 'C1' }
    const text = 'https://voice.example.com/v1/telephony/plivo/voice?a=1&b=2.CallUUIDC1To1501.nonce'
    const signature = createHmac('sha256', 'token').update(text).digest('base64')
    const request = webhookRequest({
      path: '/v1/telephony/plivo/voice?b=2&a=1',
      fields,
      headers: { 'x-plivo-signature-v3': `other,${signature}`, 'x-plivo-signature-v3-nonce': 'nonce' },
    })
    expect(webhook!.prove(request)).toBe('proved')
    expect(webhook!.prove({ ...request, fields: { ...fields, To: '1502' } })).toBe('wrong')
    expect(webhook!.prove({ ...request, publicUrl: null })).toBe('wrong')
    expect(webhook!.prove({ ...request, headers: { 'x-plivo-signature-v3': signature } })).toBe('wrong')
    expect(webhook!.prove(webhookRequest())).toBe('none')
  })
})
