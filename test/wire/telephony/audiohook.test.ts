import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { audiohookPhone, NO_CONVERSATION } from '../../../src/testing/telephony/audiohook.ts'
import { type BridgeCodec, BridgeMistake } from '../../../src/wire/telephony/bridge.ts'
import { audiohook } from '../../../src/wire/telephony/bridges/audiohook/index.ts'
import { Nonces } from '../../../src/wire/telephony/bridges/audiohook/nonces.ts'
import { FakeLlm } from '../../support/stages.ts'
import { read } from './binary-codec.ts'
import { readsAnything } from './codec-story.ts'
import { bridgeConformance } from './conformance.ts'
import { Exchange } from './exchange.ts'
import { settingOf } from './setting.ts'
import { webhookRequest } from './webhook-request.ts'

const setting = settingOf('audiohook')
const ID = '30b0e395-84d3-4570-ac13-9a62d8f514c0'
const PCMU = { type: 'audio', format: 'PCMU', channels: ['external'], rate: 8000 }
const L16 = { ...PCMU, format: 'L16' }
const OPEN = {
  organizationId: 'd7934305-0972-4844-938e-9060eef73d05',
  conversationId: 'conversation-1',
  participant: { id: 'p', ani: 'tel:+4930111', aniName: 'A', dnis: 'tel:+4930222' },
  media: [{ ...PCMU, channels: ['external', 'internal'] }, L16, PCMU],
  inputVariables: { tenant: 'acme' },
}

bridgeConformance({ bridge: audiohook(setting), setting, dialect: audiohookPhone(), keys: 'sent' })

const client = (seq: number, type: string, parameters: object = {}, serverseq = 0) => ({
  ...{ version: '2', id: ID, type, seq, serverseq, position: 'PT0S', parameters },
})
const opened = (codec: BridgeCodec) => read(codec, client(1, 'open', OPEN))

describe('AudioHook’s session', () => {
  test('opens with µ-law of the caller alone, and the call begins', () => {
    const { starts, replies } = opened(audiohook(setting).open())
    expect(replies).toEqual([
      JSON.stringify({
        ...{ version: '2', id: ID, type: 'opened', seq: 1, clientseq: 1 },
        parameters: { startPaused: false, media: [PCMU] },
      }),
    ])
    expect(starts[0]).toMatchObject({
      callId: 'conversation-1',
      streamId: ID,
      inputFormat: { encoding: 'mulaw', sampleRateHz: 8_000 },
      from: 'tel:+4930111',
      to: 'tel:+4930222',
      parameters: { tenant: 'acme' },
    })
  })

  test('opens with linear sound where there is no other, and not with both sides of a call', () => {
    const start = (media: unknown) =>
      read(audiohook(setting).open(), client(1, 'open', { ...OPEN, media })).starts[0]
    expect(start([L16])?.outputFormat).toEqual({ encoding: 'pcm16', sampleRateHz: 8_000 })
    expect(() => start([{ ...PCMU, channels: ['external', 'internal'] }])).toThrow(BridgeMistake)
    expect(() => start('PCMU')).toThrow(BridgeMistake)
  })

  test('of nobody’s conversation is a probe: opened, closed, and no call', () => {
    const codec = audiohook(setting).open()
    const probe = client(1, 'open', { ...OPEN, conversationId: NO_CONVERSATION })
    const found = read(codec, probe, Buffer.alloc(160), client(2, 'close', { reason: 'end' }, 1))
    expect(found.starts).toEqual([])
    expect(found.soundBytes).toBe(0)
    expect(found.replies.map((reply) => JSON.parse(String(reply)).type)).toEqual(['opened', 'closed'])
    expect(found.events).toEqual(['stop'])
  })

  test('answers pings, tells keys and complaints, passes over what it need not know', () => {
    const codec = audiohook(setting).open()
    opened(codec)
    const found = read(
      codec,
      client(2, 'ping', { rtt: 'PT0.1S' }, 1),
      client(3, 'dtmf', { digit: '5' }, 2),
      client(4, 'playback_started', {}, 2),
      client(5, 'error', { code: 429, message: 'too fast', retryAfter: 'PT1S' }, 2),
      client(6, 'paused', {}, 2),
      Buffer.alloc(160),
    )
    expect(found.replies.map((reply) => JSON.parse(String(reply)))).toMatchObject([
      { type: 'pong', seq: 2, clientseq: 2, parameters: {} },
    ])
    expect(found.events).toEqual(['digit 5', 'complaint error_429'])
    expect(found.soundBytes).toBe(160)
  })

  test('is closed by closed, after which nothing more is said', () => {
    const codec = audiohook(setting).open()
    opened(codec)
    const found = read(codec, client(2, 'close', { reason: 'end' }, 1))
    expect(JSON.parse(String(found.replies[0]))).toMatchObject({ type: 'closed', seq: 2, clientseq: 2 })
    expect(found.events).toEqual(['stop'])
    expect(codec.goodbye('completed')).toBeNull()
    expect(() => read(codec, client(3, 'ping'))).toThrow(BridgeMistake)
  })

  test('is interrupted by an event and ended by a disconnect', () => {
    const codec = audiohook(setting).open()
    opened(codec)
    expect(JSON.parse(String(codec.clear()))).toEqual({
      ...{ version: '2', id: ID, type: 'event', seq: 2, clientseq: 1 },
      parameters: { entities: [{ type: 'barge_in', data: {} }] },
    })
    expect(JSON.parse(String(codec.goodbye('error')))).toMatchObject({
      type: 'disconnect',
      seq: 3,
      parameters: { reason: 'error' },
    })
    expect(codec.mark('p1')).toBeNull()
  })

  test.each([
    ['twice', client(1, 'ping')],
    ['of another session', { ...client(2, 'ping'), id: 'x' }],
    ['of another version', { ...client(2, 'ping'), version: '3' }],
    ['that answers what was never said', client(2, 'ping', {}, 7)],
    ['without a number', { ...client(2, 'ping'), seq: undefined }],
    ['that opens again', client(2, 'open', OPEN)],
  ])('a message %s is a mistake', (_, message) => {
    const codec = audiohook(setting).open()
    opened(codec)
    expect(() => read(codec, message)).toThrow(BridgeMistake)
  })

  test('begins with open', () => {
    const codec = audiohook(setting).open()
    expect(() => read(codec, client(1, 'ping'))).toThrow(BridgeMistake)
    expect(() => read(codec, Buffer.alloc(160))).toThrow(BridgeMistake)
    expect(codec.goodbye('error')).toBeNull()
  })

  test('whatever comes, nothing but mistakes are made of it', () => {
    const types = ['ping', 'dtmf', 'error', 'update', 'paused', 'close']
    readsAnything(audiohook(setting), [
      client(1, 'open', OPEN),
      ...types.map((type, at) => client(at + 2, type, { digit: '5', code: 429 })),
    ])
  })

  test('the path of all knows it by its first message', () => {
    const { recognises } = audiohook(setting)
    expect(recognises(client(1, 'open', OPEN))).toBe(true)
    expect(recognises({ event: 'start', start: {} })).toBe(false)
  })
})

describe('AudioHook’s proof', () => {
  const KEY = 'SGVsbG8sIEkgYW0gdGhlIEFQSSBrZXkh'
  const SECRET = 'TXlTdXBlclNlY3JldEtleVRlbGxOby0xITJAMyM0JDU='
  /** One that has seen no upgrade yet. */
  const fresh = () => audiohook(settingOf('audiohook', { authToken: SECRET, options: { apiKey: KEY } }))
  /** The example of Genesys' own page, of 1 January 2022. */
  const EXAMPLE = {
    path: '/api/v1/voicebiometrics/ws',
    publicUrl: 'https://audiohook.example.com',
    receivedAtMs: 1_641_013_201_000,
    headers: {
      'audiohook-organization-id': 'd7934305-0972-4844-938e-9060eef73d05',
      'audiohook-correlation-id': 'e160e428-53e2-487c-977d-96989bf5c99d',
      'audiohook-session-id': '30b0e395-84d3-4570-ac13-9a62d8f514c0',
      'x-api-key': KEY,
      signature: 'sig1=:NZBwyBHRRyRoeLqy1IzOa9VYBuI8TgMFt2GRDkDuJh4=:',
      'signature-input':
        'sig1=("@request-target" "@authority" "audiohook-organization-id" "audiohook-session-id" ' +
        `"audiohook-correlation-id" "x-api-key");keyid="${KEY}";nonce="VGhpc0lzQVVuaXF1ZU5vbmNl";` +
        'alg="hmac-sha256";created=1641013200;expires=3282026430',
    },
  }
  const upgrade = (given: Partial<typeof EXAMPLE> = {}, headers: Record<string, string> = {}) =>
    webhookRequest({ ...EXAMPLE, ...given, headers: { ...EXAMPLE.headers, ...headers } })

  test('the example that Genesys gives is right', () => {
    expect(fresh().prove(upgrade())).toBe('proved')
  })

  test('and so is it behind a path of the public address', () => {
    const behind = { path: '/ws', publicUrl: 'https://audiohook.example.com/api/v1/voicebiometrics/' }
    expect(fresh().prove(upgrade(behind))).toBe('proved')
  })

  test.each([
    ['another path', { path: '/other' }, {}],
    ['another host', { publicUrl: 'https://evil.example.com' }, {}],
    ['another session', {}, { 'audiohook-session-id': 'x' }],
    ['another key', {}, { 'x-api-key': 'x' }],
    ['a time long gone', { receivedAtMs: 1_641_013_214_000 }, {}],
    ['a time to come', { receivedAtMs: 1_641_013_196_000 }, {}],
    ['a changed time', {}, { 'signature-input': EXAMPLE.headers['signature-input'].replace('3200', '3201') }],
    ['another label', {}, { signature: EXAMPLE.headers.signature.replace('sig1', 'sig2') }],
  ])('with %s it is wrong', (_, given, headers) => {
    expect(fresh().prove(upgrade(given, headers))).toBe('wrong')
  })

  /** Signed with the right secret, whatever it is that is signed. */
  function signedOver(names: readonly string[], parameters: string) {
    const { path, headers } = EXAMPLE
    const known: Record<string, string> = {
      ...headers,
      '@request-target': path,
      '@authority': 'audiohook.example.com',
    }
    const input = `(${names.map((name) => `"${name}"`).join(' ')})${parameters}`
    const lines = names.map((name) => `"${name}": ${known[name]}\n`).join('')
    const hmac = createHmac('sha256', Buffer.from(SECRET, 'base64'))
    const signature = hmac.update(`${lines}"@signature-params": ${input}`).digest('base64')
    return upgrade({}, { 'signature-input': `sig1=${input}`, signature: `sig1=:${signature}:` })
  }
  const NAMES = [
    ...['@request-target', '@authority', 'audiohook-organization-id', 'audiohook-session-id'],
    ...['audiohook-correlation-id', 'x-api-key'],
  ]
  const PARAMETERS =
    `;keyid="${KEY}";nonce="VGhpc0lzQVVuaXF1ZU5vbmNl";alg="hmac-sha256";` +
    'created=1641013200;expires=1641013210'

  test('with more signed, in another order, it is right', () => {
    expect(fresh().prove(signedOver([...NAMES].reverse(), PARAMETERS))).toBe('proved')
    expect(fresh().prove(signedOver([...NAMES, 'signature-input'], PARAMETERS))).toBe('wrong')
  })

  test.each(NAMES)('with %s unsigned it is wrong, though the signature is right', (name) => {
    const names = NAMES.filter((each) => each !== name)
    expect(fresh().prove(signedOver(names, PARAMETERS))).toBe('wrong')
  })

  test.each([
    ['of another key', PARAMETERS.replace(KEY, 'x')],
    ['with a short nonce', PARAMETERS.replace('VGhpc0lzQVVuaXF1ZU5vbmNl', 'short')],
    ['of another algorithm', PARAMETERS.replace('sha256', 'sha1')],
    ['that has expired', PARAMETERS.replace('expires=1641013210', 'expires=1641013200')],
    ['without a time', PARAMETERS.replace('created=1641013200;', '')],
    ['from the future', PARAMETERS.replace('created=1641013200', 'created=1641013300')],
  ])('one %s is wrong, though the signature is right', (_, parameters) => {
    expect(fresh().prove(signedOver(NAMES, parameters))).toBe('wrong')
  })

  test('without a signature it is none, without a secret the key is enough', () => {
    const { signature, 'signature-input': input, ...unsigned } = EXAMPLE.headers
    expect(fresh().prove(webhookRequest({ ...EXAMPLE, headers: unsigned }))).toBe('none')
    const keyed = audiohook(settingOf('audiohook', { options: { apiKey: KEY } }))
    expect(keyed.prove(webhookRequest({ headers: { 'x-api-key': KEY } }))).toBe('proved')
    expect(keyed.prove(webhookRequest({ headers: { 'x-api-key': 'x' } }))).toBe('wrong')
    expect(keyed.prove(webhookRequest())).toBe('none')
    expect(() => audiohook(settingOf('audiohook', { authToken: SECRET }))).toThrow(/client secret/)
  })

  test('that is sent again is wrong, also with more signed beside its nonce', () => {
    const bridge = fresh()
    expect(bridge.prove(upgrade())).toBe('proved')
    expect(bridge.prove(upgrade())).toBe('wrong')
    expect(bridge.prove(upgrade({ receivedAtMs: EXAMPLE.receivedAtMs + 9_000 }))).toBe('wrong')
    expect(bridge.prove(signedOver([...NAMES].reverse(), PARAMETERS))).toBe('wrong')
    const another = PARAMETERS.replace('VGhpc0lzQVVuaXF1ZU5vbmNl', 'YW5vdGhlciBub25jZSBvZiAyMg')
    expect(bridge.prove(signedOver(NAMES, another))).toBe('proved')
  })

  test('that is wrong uses up no nonce: a stranger cannot spoil one', () => {
    const bridge = fresh()
    expect(bridge.prove(upgrade({}, { signature: 'sig1=:AAAA:' }))).toBe('wrong')
    expect(bridge.prove(upgrade())).toBe('proved')
  })

  test('the double signs as the example does, each time anew', () => {
    const url = 'https://voice.example.com/v1/telephony/audiohook?a=b'
    const dialect = audiohookPhone({
      apiKey: KEY,
      clientSecret: SECRET,
      createdS: webhookRequest().receivedAtMs / 1_000,
    })
    const bridge = fresh()
    const again = () =>
      bridge.prove(webhookRequest({ path: '/v1/telephony/audiohook?a=b', headers: dialect.headers(url) }))
    expect([again(), again()]).toEqual(['proved', 'proved'])
  })
})

test('nonces are forgotten when their signatures are too old, and are never more than 10,000', () => {
  const nonces = new Nonces(16_000)
  expect(nonces.take('a', 0)).toBe('new')
  expect(nonces.take('b', 1_000)).toBe('new')
  expect(nonces.take('a', 16_000)).toBe('used')
  expect(nonces.take('b', 16_001)).toBe('used')
  expect(nonces.size).toBe(1)
  for (let i = 0; i < 20_000; i++) nonces.take(`n${i}`, 17_000)
  expect(nonces.size).toBe(10_000)
  expect(nonces.take('n19999', 17_000)).toBe('used')
})

test('an answer of several sentences goes to AudioHook in messages of 200 ms', async () => {
  const llm = new FakeLlm({ answer: () => 'One two three. Four five six. Seven eight.', firstTokenMs: 50 })
  const call = await Exchange.open({ bridge: audiohook(setting), setting, dialect: audiohookPhone(), llm })
  call.phone.call()
  await call.wait(100)
  await call.speak(800, 6_000)
  const { soundMs } = call.phone.record
  expect(soundMs.length).toBeGreaterThan(8)
  expect(Math.min(...soundMs)).toBeGreaterThanOrEqual(200)
  await call.end()
})

test('a caller who hangs up is answered closed, over AudioHook', async () => {
  const call = await Exchange.open({ bridge: audiohook(setting), setting, dialect: audiohookPhone() })
  call.phone.call()
  await call.wait(100)
  expect(call.phone.record.messages).toEqual(['opened'])
  call.phone.send(JSON.stringify(client(2, 'close', { reason: 'end' }, 1)))
  await call.wait(100)
  expect(call.phone.record.messages.at(-1)).toBe('closed')
  expect(call.calls.size).toBe(0)
  await call.end()
})
