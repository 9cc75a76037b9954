import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { telnyxPhone } from '../../../src/testing/telephony/telnyx.ts'
import { telnyx } from '../../../src/wire/telephony/bridges/telnyx/index.ts'
import { mistakeOf, readsAnything, toldBy } from './codec-story.ts'
import { bridgeConformance } from './conformance.ts'
import { settingOf } from './setting.ts'
import { TARGET, webhookRequest } from './webhook-request.ts'

// The call in A-law and out of order, the answer linear.
const options = { codec: 'L16', sampleRate: 16_000 }
const setting = settingOf('telnyx', { token: 'stream-token', options })
bridgeConformance({
  bridge: telnyx(setting),
  setting,
  dialect: telnyxPhone({ input: 'PCMA', output: 'L16@16000', authToken: 'stream-token', tracks: 'both' }),
  keys: 'sent',
})

const start = (more: object = {}) => ({
  event: 'start',
  sequence_number: '1',
  stream_id: 'S1',
  start: {
    user_id: 'u',
    call_control_id: 'v2:C1',
    call_session_id: 's',
    from: '+1500',
    to: '+1501',
    media_format: { encoding: 'PCMU', sample_rate: 8000, channels: 1 },
    ...more,
  },
})
const media = (payload: string, more: object = {}) => ({
  event: 'media',
  sequence_number: '4',
  stream_id: 'S1',
  media: { track: 'inbound', chunk: '2', timestamp: '40', payload, ...more },
})

describe('a stream of Telnyx', () => {
  const codec = (given: object = {}) => telnyx(settingOf('telnyx', { options: { ...given } })).open()

  test('tells of the call', () => {
    const told = toldBy(
      codec(),
      { event: 'connected', version: '1.0.0' },
      start({ custom_parameters: { tenant: 'a' } }),
      media('/38='),
      { event: 'dtmf', stream_id: 'S1', occurred_at: 'x', sequence_number: '5', dtmf: { digit: '#' } },
      { event: 'mark', sequence_number: '6', stream_id: 'S1', mark: { name: 'p1' } },
      { event: 'error', stream_id: 'S1', payload: { code: 100003, title: 'malformed_frame', detail: 'x' } },
      { event: 'stop', sequence_number: '9', stream_id: 'S1', stop: { call_control_id: 'v2:C1' } },
    )
    const mulaw = { encoding: 'mulaw', sampleRateHz: 8_000 }
    expect(told).toEqual([
      [
        'start',
        {
          callId: 'v2:C1',
          streamId: 'S1',
          inputFormat: mulaw,
          outputFormat: mulaw,
          from: '+1500',
          to: '+1501',
          parameters: { tenant: 'a' },
        },
      ],
      ['audio', 'ff7f', 40],
      ['digit', '#'],
      ['marked', 'p1'],
      ['complaint', '100003'],
      ['stop'],
    ])
  })

  test('is told in the format that was asked for, whatever the call has', () => {
    const alaw = start({ media_format: { encoding: 'PCMA', sample_rate: 8000 } })
    const one = codec({ codec: 'L16', sampleRate: 24_000 })
    expect(toldBy(one, alaw)[0]![1]).toMatchObject({
      inputFormat: { encoding: 'alaw', sampleRateHz: 8_000 },
      outputFormat: { encoding: 'pcm16', sampleRateHz: 24_000 },
    })
    expect(one.audio(Uint8Array.of(1, 2, 3, 4))).toBe('{"event":"media","media":{"payload":"AgEEAw=="}}')
    expect(codec({ codec: 'L16', byteOrder: 'little' }).audio(Uint8Array.of(1, 2))).toContain('"AQI="')
    expect(codec().audio(Uint8Array.of(1, 2))).toBe('{"event":"media","media":{"payload":"AQI="}}')
    expect(one.mark('p"1')).toBe('{"event":"mark","mark":{"name":"p\\"1"}}')
    expect([one.clear(), one.goodbye('completed')]).toEqual(['{"event":"clear"}', null])
  })

  test('turns linear sound of the call to our order', () => {
    const linear = start({ media_format: { encoding: 'L16', sample_rate: 16000 } })
    expect(toldBy(codec(), linear, media('AQIDBA=='))[1]).toEqual(['audio', '02010403', 40])
    expect(toldBy(codec({ byteOrder: 'little' }), linear, media('AQIDBA=='))[1]).toEqual([
      'audio',
      '01020304',
      40,
    ])
    expect(mistakeOf(codec(), linear)).toBeUndefined()
  })

  test('does not take our own voice for the caller’s', () => {
    expect(toldBy(codec(), start(), media('AA==', { track: 'outbound' }))).toHaveLength(1)
  })

  test('finds its parameters in a list, and in the state of a call we placed', () => {
    const state = Buffer.from('{"parleyToken":"t","tenant":"a"}').toString('base64')
    const list = [{ name: 'tenant', value: 'b' }, { name: 'n', value: 7 }, 'x', { value: 'y' }]
    const [told] = toldBy(codec(), start({ client_state: state, custom_parameters: list }))
    expect(told![1]).toMatchObject({ parameters: { parleyToken: 't', tenant: 'b', n: '7' } })
    expect(toldBy(codec(), start({ client_state: 'aGVsbG8=' }))[0]![1]).toMatchObject({ parameters: {} })
  })

  test.each([
    [
      'an encoding that is not PCMU, PCMA or L16',
      start({ media_format: { encoding: 'OPUS', sample_rate: 48000 } }),
    ],
    ['a sample rate that is not 8, 16 or 24 kHz', start({ media_format: { encoding: 'L16' } })],
    ['no call_control_id in a message', start({ call_control_id: undefined })],
    ['sound before the start', media('AA==')],
  ])('%s is a mistake', (mistake, message) => {
    expect(mistakeOf(codec(), message)).toBe(mistake)
  })

  test('of any kind breaks nothing', () => {
    readsAnything(telnyx(setting), [
      start({ client_state: 'e30=', custom_parameters: { a: 'b' } }),
      start({ media_format: { encoding: 'L16', sample_rate: 16000 } }),
      media('AAAA'),
      { event: 'dtmf', dtmf: { digit: '1' } },
      { event: 'mark', mark: { name: 'p1' } },
      { event: 'error', payload: { code: 1 } },
      { event: 'stop' },
    ])
  })
})

describe('who opens a stream as Telnyx', () => {
  const prove = (token: string | undefined, header: string | undefined) =>
    telnyx(settingOf('telnyx', token === undefined ? {} : { token })).prove({
      path: '/v1/telephony/telnyx',
      query: {},
      headers: header === undefined ? {} : { 'x-telnyx-streaming-auth-token': header },
      publicUrl: null,
      receivedAtMs: 0,
    })

  test('shows the token it was given', () => {
    expect(prove('right', 'right')).toBe('proved')
    expect(prove('right', 'wrong')).toBe('wrong')
    expect(prove('right', undefined)).toBe('none')
    expect(prove(undefined, 'any')).toBe('wrong')
  })
})

describe('an incoming call by Telnyx', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const { webhook } = telnyx(
    settingOf('telnyx', { options: { publicKey: rawKey(publicKey), codec: 'PCMA' } }),
  )
  const receivedAtMs = 1_795_000_000_000
  const signed = (body: string, seconds: number, key: KeyObject = privateKey) =>
    webhookRequest({
      rawBody: Buffer.from(body),
      receivedAtMs,
      headers: {
        'telnyx-timestamp': String(seconds),
        'telnyx-signature-ed25519': sign(null, Buffer.from(`${seconds}|${body}`), key).toString('base64'),
      },
    })

  test('is connected in RTP mode', () => {
    expect(webhook!.answer(TARGET).body).toContain(
      '<Response><Connect><Stream url="wss://voice.example.com/v1/telephony/x" bidirectionalMode="rtp" ' +
        'bidirectionalCodec="PCMA" bidirectionalSamplingRate="8000"><Parameter name="parleyToken" value="a-b_c"/>',
    )
    expect(webhook!.refuse('busy').body).toContain('<Reject reason="busy"/>')
  })

  test('is proved by the key of the account, for five minutes', () => {
    const now = receivedAtMs / 1_000
    expect(webhook!.prove(signed('CallSid=1', now))).toBe('proved')
    expect(webhook!.prove(signed('CallSid=1', now - 299))).toBe('proved')
    expect(webhook!.prove(signed('CallSid=1', now - 301))).toBe('wrong')
    expect(webhook!.prove(signed('CallSid=1', now + 301))).toBe('wrong')
    const other = generateKeyPairSync('ed25519').privateKey
    expect(webhook!.prove(signed('CallSid=1', now, other))).toBe('wrong')
    expect(webhook!.prove({ ...signed('CallSid=1', now), rawBody: Buffer.from('CallSid=2') })).toBe('wrong')
    expect(webhook!.prove(webhookRequest())).toBe('none')
    for (const broken of [{ 'telnyx-timestamp': '1e9' }, { 'telnyx-signature-ed25519': 'AA==' }]) {
      const request = signed('', now)
      expect(webhook!.prove({ ...request, headers: { ...request.headers, ...broken } })).toBe('wrong')
    }
  })

  test('a public key that is none is refused in the settings', () => {
    expect(() => telnyx(settingOf('telnyx', { options: { publicKey: 'AAAA' } }))).toThrow(/public key/)
  })
})

/** As the portal shows it. */
function rawKey(key: KeyObject): string {
  return key.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64')
}
