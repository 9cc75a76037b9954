import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BridgeMistake, BridgeRefused, type CallStart } from '../../../../src/wire/telephony/bridge.ts'
import { AsteriskCodec } from '../../../../src/wire/telephony/bridges/asterisk/codec.ts'
import { asterisk } from '../../../../src/wire/telephony/bridges/asterisk/index.ts'
import { MAX_COMMAND_BYTES } from '../../../../src/wire/telephony/bridges/asterisk/message.ts'
import { heardBy } from '../heard.ts'
import { settingOf } from '../setting.ts'

/** As 22.10.1 sent them. */
const PLAIN =
  'MEDIA_START connection_id:s2s channel:WebSocket/s2s/0x7f23 channel_id:1795333587.2 format:ulaw optimal_frame_size:160 ptime:20'
const JSON_START = JSON.stringify({
  event: 'MEDIA_START',
  connection_id: 's2s',
  channel: 'WebSocket/s2s/0x7f23',
  channel_id: '1795333587.2',
  format: 'slin16',
  optimal_frame_size: 640,
  ptime: 20,
  channel_variables: {
    DIALEDPEERNUMBER: 's2s/c(slin16)f(json)v(caller=bob,parleyToken=once)',
    MEDIA_WEBSOCKET_CONNECTION_ID: 's2s',
    MEDIA_WEBSOCKET_OPTIMAL_FRAME_SIZE: '640',
    tenant: 'a',
    caller: 'of the channel',
  },
})

function started(start: string, query: Record<string, string> = {}) {
  const codec = new AsteriskCodec(query)
  const ear = heardBy(codec)
  ear.text(start)
  return { codec, ...ear }
}

describe('Asterisk in its plain spelling', () => {
  test('starts with its channel as the call, and what stood in its query as parameters', () => {
    const { heard } = started(PLAIN, { caller: 'bob', from: '200', token: 'a-secret-of-the-operator' })
    expect(heard).toEqual([
      [
        'start',
        {
          callId: '1795333587.2',
          streamId: null,
          inputFormat: { encoding: 'mulaw', sampleRateHz: 8000 },
          outputFormat: { encoding: 'mulaw', sampleRateHz: 8000 },
          from: '200',
          to: null,
          parameters: { caller: 'bob', from: '200' },
        },
      ],
    ])
  })

  test('sound, keys, marks and flow come as they are meant', () => {
    const { heard, text, binary } = started(PLAIN)
    binary(Buffer.from([1, 2, 3]))
    text('DTMF_END digit:# channel_id:1795333587.2')
    text('MEDIA_MARK_PROCESSED p1')
    text('MEDIA_MARK_PROCESSED channel_id:1795333587.2 correlation_id:p2')
    text('MEDIA_XOFF channel_id:1795333587.2')
    text('MEDIA_XON')
    text('ERROR channel_id:1795333587.2 error_text:Command not known')
    text('QUEUE_DRAINED')
    text('STATUS channel_id:1 queue_length:0 xon_level:800 xoff_level:900 queue_full:false')
    text('SOMETHING_NEW')
    expect(heard.slice(1)).toEqual([
      ['audio', '010203', undefined],
      ['digit', '#'],
      ['marked', 'p1'],
      ['marked', 'p2'],
      ['flow', 'hold'],
      ['flow', 'go'],
      ['complaint', 'error'],
    ])
  })

  test('is answered in it', () => {
    const { codec } = started(PLAIN)
    expect(codec.mark('p1')).toBe('MARK_MEDIA p1')
    expect(codec.clear()).toBe('FLUSH_MEDIA')
    expect(codec.goodbye()).toBe('HANGUP')
    expect(codec.audio(Uint8Array.of(1, 2))).toEqual(Uint8Array.of(1, 2))
  })
})

describe('Asterisk in JSON', () => {
  test('variables of the channel are parameters; those of the query win', () => {
    const { heard } = started(JSON_START, { caller: 'bob' })
    const [, start] = heard[0]!
    expect(start).toMatchObject({ inputFormat: { encoding: 'pcm16', sampleRateHz: 16000 } })
    // Not those that Asterisk sets itself: one repeats the dial string.
    expect((start as CallStart).parameters).toEqual({ caller: 'bob', tenant: 'a' })
  })

  test('keys, marks and flow come as they are meant', () => {
    const { heard, text } = started(JSON_START)
    text('{"event":"DTMF_END","channel_id":"1795333587.2","digit":"5"}')
    text('{"event":"MEDIA_MARK_PROCESSED","channel_id":"1795333587.2","correlation_id":"p1"}')
    text('{"event":"MEDIA_XOFF","channel_id":"1795333587.2"}')
    text('{"event":"MEDIA_XON","channel_id":"1795333587.2"}')
    text('{"event":"ERROR","channel_id":"1795333587.2","error_text":"Command not known"}')
    expect(heard.slice(1)).toEqual([
      ['digit', '5'],
      ['marked', 'p1'],
      ['flow', 'hold'],
      ['flow', 'go'],
      ['complaint', 'error'],
    ])
  })

  test('is answered in it', () => {
    const { codec } = started(JSON_START)
    expect(codec.mark('p1')).toBe('{"command":"MARK_MEDIA","correlation_id":"p1"}')
    expect(codec.clear()).toBe('{"command":"FLUSH_MEDIA"}')
    expect(codec.goodbye()).toBe('{"command":"HANGUP"}')
  })
})

describe('what Asterisk cannot be served with', () => {
  test.each([
    ['opus', 640],
    ['g722', 160],
    ['slin16', 1280],
    ['slin16', 0],
  ])('%s in frames of %i bytes is refused at once', (format, size) => {
    const { text } = heardBy(new AsteriskCodec())
    expect(() =>
      text(`MEDIA_START channel_id:1.2 format:${format} optimal_frame_size:${size} ptime:20`),
    ).toThrow(BridgeRefused)
  })

  test('half a sample is a mistake; any number of whole ones is not', () => {
    const { heard, binary } = started(JSON_START)
    expect(() => binary(Buffer.alloc(641))).toThrow(BridgeMistake)
    binary(Buffer.alloc(452))
    expect(heard).toHaveLength(2)
  })

  test('before it has started there is no call to hang up', () => {
    expect(new AsteriskCodec().goodbye()).toBeNull()
  })
})

test('no command of ours is longer than Asterisk reads', () => {
  for (const start of [PLAIN, JSON_START]) {
    const { codec } = started(start)
    for (const command of [codec.mark(`p${Number.MAX_SAFE_INTEGER}`), codec.clear(), codec.goodbye()])
      expect(Buffer.byteLength(command as string)).toBeLessThanOrEqual(MAX_COMMAND_BYTES)
  }
})

test('nothing but mistakes comes of what no Asterisk sends', () => {
  const event = fc.constantFrom('MEDIA_START', 'DTMF_END', 'MEDIA_MARK_PROCESSED', 'ERROR', '__proto__')
  const member = fc.constantFrom(
    'channel_id',
    'format',
    'digit',
    'optimal_frame_size',
    '__proto__',
    'constructor',
  )
  const value = fc.oneof(fc.string(), fc.constantFrom('slin16', '1e999', '160'), fc.double(), fc.anything())
  const line = fc
    .tuple(event, fc.array(fc.tuple(member, fc.string())))
    .map(([name, words]) => [name, ...words.map((one) => one.join(':'))].join(' '))
  const object = fc
    .tuple(event, fc.dictionary(member, value))
    .map(([name, members]) =>
      JSON.stringify({ ...members, event: name }, (_, v) => (typeof v === 'bigint' ? null : v)),
    )
  const cut = fc.tuple(fc.constantFrom(PLAIN, JSON_START), fc.nat(300)).map(([text, at]) => text.slice(0, at))
  const message = fc.oneof(
    fc
      .oneof(line, object, cut, fc.string())
      .map((text) => ({ bytes: Buffer.from(text), kind: 'text' as const })),
    fc.uint8Array().map((bytes) => ({ bytes: Buffer.from(bytes), kind: 'binary' as const })),
  )
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 8 }),
      fc.dictionary(fc.string(), fc.string()),
      (messages, query) => {
        const { read } = heardBy(new AsteriskCodec(query))
        for (const { bytes, kind } of messages) {
          try {
            read(bytes, kind)
          } catch (error) {
            if (!(error instanceof BridgeMistake)) throw error
          }
        }
      },
    ),
    { numRuns: 1000 },
  )
})

describe('the setting', () => {
  test('echoes the subprotocol media, and knows its start on the path of all', () => {
    const bridge = asterisk(settingOf('asterisk'))
    expect(bridge.subprotocols).toEqual(['media'])
    expect(bridge.recognises(JSON.parse(JSON_START))).toBe(true)
    expect(bridge.recognises({ event: 'start' })).toBe(false)
  })

  test('has no members of its own', () => {
    expect(() => asterisk(settingOf('asterisk', { options: { port: 1 } }))).toThrow('no member')
  })
})
