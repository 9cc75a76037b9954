import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BridgeMistake, BridgeRefused } from '../../../../src/wire/telephony/bridge.ts'
import { AudioSocketCodec, SOUND_TYPES } from '../../../../src/wire/telephony/bridges/audiosocket/codec.ts'
import { Framer, MAX_FRAME_BYTES } from '../../../../src/wire/telephony/bridges/audiosocket/framer.ts'
import { audiosocket } from '../../../../src/wire/telephony/bridges/audiosocket/index.ts'
import { heardBy } from '../heard.ts'
import { settingOf } from '../setting.ts'

const UUID_FRAME = hex('010010 40325ec2 5efd 4bd3 805f 53576e581d13')

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex')
}

function frame(type: number, payload: Uint8Array): Buffer {
  const head = Buffer.from([type, 0, 0])
  head.writeUInt16BE(payload.length, 1)
  return Buffer.concat([head, payload])
}

function started(sampleRateHz = 8000) {
  const codec = new AudioSocketCodec(sampleRateHz)
  const ear = heardBy(codec)
  ear.binary(UUID_FRAME)
  return { codec, ...ear }
}

describe('AudioSocket', () => {
  test('starts with the UUID as the call, and nothing else is known of it', () => {
    const { heard } = started()
    expect(heard).toEqual([
      [
        'start',
        {
          callId: '40325ec2-5efd-4bd3-805f-53576e581d13',
          streamId: null,
          inputFormat: { encoding: 'pcm16', sampleRateHz: 8000 },
          outputFormat: { encoding: 'pcm16', sampleRateHz: 8000 },
          from: null,
          to: null,
          parameters: {},
        },
      ],
    ])
  })

  test('sound, keys, a complaint and the end come as they are meant', () => {
    const { heard, binary } = started()
    binary(hex('10 0004 01000200'))
    binary(hex('03 0001 35'))
    binary(hex('ff 0001 04'))
    binary(hex('ff 0000'))
    binary(hex('77 0001 00'))
    binary(hex('00 0000'))
    expect(heard.slice(1)).toEqual([
      ['audio', '01000200', undefined],
      ['digit', '5'],
      ['complaint', 'error 04'],
      ['complaint', 'error'],
      ['stop'],
    ])
  })

  test.each([...SOUND_TYPES])('at %i Hz sound has the type %i, in and out, 20 ms a frame', (rate, type) => {
    const { codec, heard, binary } = started(rate)
    binary(frame(type, Uint8Array.of(1, 2)))
    expect(heard[1]).toEqual(['audio', '0102', undefined])
    const bytes = rate / 25
    const sound = Uint8Array.from({ length: 2 * bytes }, (_, i) => i)
    expect(codec.audio(sound)).toEqual(
      Buffer.concat([frame(type, sound.subarray(0, bytes)), frame(type, sound.subarray(bytes))]),
    )
  })

  test('says goodbye with a hangup, and has neither marks nor a way to take sound back', () => {
    const { codec } = started()
    expect(codec.goodbye()).toEqual(Uint8Array.of(0, 0, 0))
    expect([codec.mark(), codec.clear()]).toEqual([null, null])
  })

  test('another rate than that of the settings is refused at once', () => {
    const { binary } = started()
    expect(() => binary(hex('12 0002 0000'))).toThrow(BridgeRefused)
  })

  test.each([
    ['half a sample', '10 0003 010203'],
    ['a short UUID', '01 0002 0102'],
    ['no frame', '01'],
  ])('%s is a mistake', (_, bytes) => {
    expect(() => started().binary(hex(bytes))).toThrow(BridgeMistake)
  })

  test('nothing but mistakes comes of any bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (messages) => {
        const { read } = heardBy(new AudioSocketCodec(16000))
        for (const bytes of messages) {
          try {
            read(Buffer.from(bytes), 'binary')
          } catch (error) {
            if (!(error instanceof BridgeMistake)) throw error
          }
        }
      }),
    )
  })
})

describe('frames out of chunks', () => {
  test('however TCP cuts them, the same frames come', () => {
    const frames = fc.array(
      fc.tuple(fc.nat(255), fc.uint8Array({ maxLength: 700 })).map(([type, payload]) => frame(type, payload)),
    )
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 500 })), (sent, cuts) => {
        const got: string[] = []
        const framer = new Framer((each) => got.push(each.toString('hex')))
        let rest = Buffer.concat(sent)
        for (const cut of cuts) {
          framer.push(rest.subarray(0, cut))
          rest = rest.subarray(cut)
        }
        framer.push(rest)
        expect(got).toEqual(sent.map((each) => each.toString('hex')))
        expect(framer.held).toBe(0)
      }),
    )
  })

  test('byte by byte, the largest frame there can be is held once and no more', () => {
    let got = 0
    const framer = new Framer((each) => {
      got = each.length
    })
    const largest = frame(0x10, new Uint8Array(0xffff))
    let most = 0
    for (let i = 0; i < largest.length; i++) {
      framer.push(largest.subarray(i, i + 1))
      most = Math.max(most, framer.held)
    }
    expect([got, most, framer.held]).toEqual([MAX_FRAME_BYTES, MAX_FRAME_BYTES - 1, 0])
  })
})

describe('the setting', () => {
  const given = (options: Record<string, unknown>) => audiosocket(settingOf('audiosocket', { options }))

  test('listens for this machine alone unless it is told otherwise', () => {
    expect(given({}).tcp).toEqual({
      host: '127.0.0.1',
      port: 9092,
      allow: ['127.0.0.0/8', '::1'],
      maxConnections: 500,
    })
    expect(() => given({ host: '0.0.0.0' })).toThrow('name the addresses')
    expect(given({ host: '0.0.0.0', allow: ['10.1.0.0/16'] }).tcp?.allow).toEqual(['10.1.0.0/16'])
  })

  test.each([
    [{ allow: ['pbx.example.com'] }],
    [{ allow: ['10.0.0.0/33'] }],
    [{ allow: [] }],
    [{ sampleRateHz: 11_025 }],
    [{ port: 0 }],
    [{ format: 'slin' }],
  ])('%j is an error', (options) => {
    expect(() => given(options)).toThrow()
  })

  test('a password is an error, since nobody could show it', () => {
    expect(() => audiosocket(settingOf('audiosocket', { username: 'asterisk' }))).toThrow('want allow')
  })
})
