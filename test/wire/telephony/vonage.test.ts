import { createHash, createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { vonagePhone } from '../../../src/testing/telephony/vonage.ts'
import { BridgeMistake } from '../../../src/wire/telephony/bridge.ts'
import { vonage } from '../../../src/wire/telephony/bridges/vonage/index.ts'
import { read } from './binary-codec.ts'
import { readsAnything } from './codec-story.ts'
import { bridgeConformance } from './conformance.ts'
import { settingOf } from './setting.ts'
import { TARGET, webhookRequest } from './webhook-request.ts'

const setting = settingOf('vonage')
const CONNECTED = {
  event: 'websocket:connected',
  'content-type': 'audio/l16;rate=16000',
  callId: 'uuid-1',
  from: '447700900000',
  tenant: 'acme',
}

bridgeConformance({ bridge: vonage(setting), setting, dialect: vonagePhone(), keys: 'sent' })
describe('Vonage’s messages', () => {
  test('the first one names the rate and holds the headers of the document', () => {
    expect(read(vonage(setting).open(), CONNECTED).starts).toEqual([
      {
        callId: 'uuid-1',
        idFrom: 'parameters',
        streamId: null,
        inputFormat: { encoding: 'pcm16', sampleRateHz: 16_000 },
        outputFormat: { encoding: 'pcm16', sampleRateHz: 16_000 },
        from: '447700900000',
        to: null,
        parameters: { callId: 'uuid-1', from: '447700900000', tenant: 'acme' },
      },
    ])
  })

  test('a call that nobody named gets a name of its own', () => {
    const start = () =>
      read(vonage(setting).open(), { event: CONNECTED.event, 'content-type': 'audio/l16;rate=8000' })
        .starts[0]!
    expect(start()).toMatchObject({ callId: expect.stringMatching(/^[0-9a-f-]{36}$/), parameters: {} })
    expect(start().callId).not.toBe(start().callId)
  })

  test.each([
    [{ event: 'websocket:dtmf', digit: '5', duration: 260 }, 'digit 5'],
    [{ event: 'websocket:notify', payload: { name: 'm7' } }, 'marked m7'],
    [{ event: 'websocket:cleared' }, 'cleared'],
    [{ event: 'websocket:disconnected' }, 'stop'],
  ])('%j is %s', (message, event) => {
    expect(read(vonage(setting).open(), message).events).toEqual([event])
  })

  test('sound is binary, and half a sample is a mistake', () => {
    const codec = vonage(setting).open()
    expect(read(codec, Buffer.alloc(640)).soundBytes).toBe(640)
    expect(() => read(codec, Buffer.alloc(639))).toThrow(BridgeMistake)
  })

  test.each(['audio/l16;rate=44100', 'audio/x-mulaw;rate=8000', 5, undefined])(
    'a content type of %s is a mistake',
    (type) => {
      const message = { ...CONNECTED, 'content-type': type }
      expect(() => read(vonage(setting).open(), message)).toThrow(BridgeMistake)
    },
  )

  test('ours are commands as it knows them, and sound as it is', () => {
    const codec = vonage(setting).open()
    expect(codec.mark('p1')).toBe('{"action":"notify","payload":{"name":"p1"}}')
    expect(codec.clear()).toBe('{"action":"clear"}')
    expect(codec.goodbye('completed')).toBeNull()
    const sound = new Uint8Array(640)
    expect(codec.audio(sound)).toBe(sound)
  })

  test('whatever comes, nothing but mistakes are made of it', () => {
    const others = ['dtmf', 'notify', 'cleared', 'disconnected'].map((name) => ({
      event: `websocket:${name}`,
      digit: '5',
      payload: { name: 'm' },
    }))
    readsAnything(vonage(setting), [CONNECTED, ...others])
  })
})

describe('Vonage’s webhook', () => {
  const signed = vonage(settingOf('vonage', { authToken: 'signature-secret' }))
  const body = Buffer.from('{"uuid":"u1","from":"447700900000","to":"447700900001"}')
  const now = webhookRequest().receivedAtMs / 1_000
  const claims = { iat: now, iss: 'Vonage', payload_hash: createHash('sha256').update(body).digest('hex') }

  function proof(given: { claims?: object; secret?: string; alg?: string; body?: Buffer } = {}) {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const head = `${part({ alg: given.alg ?? 'HS256', typ: 'JWT' })}.${part(given.claims ?? claims)}`
    const hmac = createHmac('sha256', given.secret ?? 'signature-secret')
      .update(head)
      .digest('base64url')
    const headers = { authorization: `Bearer ${head}.${hmac}` }
    return signed.webhook!.prove(webhookRequest({ headers, rawBody: given.body ?? body }))
  }

  test('is proved by its token, which is good for minutes and for this body', () => {
    expect(proof()).toBe('proved')
    expect(proof({ secret: 'another' })).toBe('wrong')
    expect(proof({ alg: 'none' })).toBe('wrong')
    expect(proof({ body: Buffer.from('{"uuid":"u2"}') })).toBe('wrong')
    expect(proof({ claims: { iat: now } })).toBe('wrong')
    expect(proof({ claims: { ...claims, iat: now - 301 } })).toBe('wrong')
    expect(proof({ claims: { ...claims, iat: now + 301 } })).toBe('wrong')
    expect(proof({ claims: { ...claims, exp: now - 1 } })).toBe('wrong')
    expect(proof({ claims: { iat: now }, body: Buffer.alloc(0) })).toBe('proved')
    expect(signed.webhook!.prove(webhookRequest())).toBe('none')
    expect(vonage(setting).webhook!.prove(webhookRequest())).toBe('none')
  })

  test('says who calls, by POST or by GET', () => {
    const facts = { callId: 'u1', from: '1', to: '2' }
    const given = { uuid: 'u1', conversation_uuid: 'c1', from: '1', to: '2' }
    expect(signed.webhook!.facts(webhookRequest({ fields: given }))).toEqual(facts)
    expect(signed.webhook!.facts(webhookRequest({ query: given }))).toEqual(facts)
  })

  test('is answered with a document that connects the call', () => {
    const narrow = vonage(settingOf('vonage', { options: { sampleRate: 8000 } }))
    const { body: answer, contentType } = narrow.webhook!.answer(TARGET)
    expect(contentType).toContain('application/json')
    expect(JSON.parse(answer)).toEqual([
      {
        action: 'connect',
        endpoint: [
          {
            type: 'websocket',
            uri: TARGET.url,
            'content-type': 'audio/l16;rate=8000',
            headers: TARGET.parameters,
          },
        ],
      },
    ])
    expect(narrow.webhook!.refuse('busy').body).toBe('[]')
  })

  test('settings that it cannot work with are refused', () => {
    expect(() => vonage(settingOf('vonage', { options: { sampleRate: 11_025 } }))).toThrow()
    expect(() => vonage(settingOf('vonage', { username: 'u', password: 'p' }))).toThrow(/user name/)
  })
})
