import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../../../src/clock.ts'
import { type AsteriskPhoneOptions, asteriskPhone } from '../../../src/testing/telephony/asterisk.ts'
import { audioSocketPhone } from '../../../src/testing/telephony/audiosocket.ts'
import type { PhoneDialect } from '../../../src/testing/telephony/dialect.ts'
import { dialInMemory, type Line, type LineMessage } from '../../../src/testing/telephony/line.ts'
import { Phone } from '../../../src/testing/telephony/phone.ts'

/** A phone, and a server that only writes down. */
async function connected(dialect: PhoneDialect) {
  const clock = new VirtualClock()
  const heard: LineMessage[] = []
  let url = ''
  let line: Line | undefined
  const phone = new Phone({
    clock,
    dialect,
    url: 'ws://127.0.0.1/v1/telephony/asterisk',
    call: { callId: '1.2', from: '100', to: '200' },
    dial: dialInMemory((caller, request) => {
      line = caller
      url = request.url
      return { message: (message) => void heard.push(message), closed: () => {} }
    }),
  })
  phone.call()
  await clock.advance(0)
  return {
    clock,
    phone,
    heard,
    url: () => url,
    send: async (...messages: LineMessage[]) => {
      for (const message of messages) line!.send(message)
      await clock.advance(0)
    },
    texts: () => heard.filter((message) => typeof message === 'string'),
    sounds: () => heard.filter((message) => typeof message !== 'string').map(({ length }) => length),
  }
}

/** As many frames of 20 ms. */
const frames = (count: number) => Buffer.alloc(count * 640, 1)

describe('a phone behind chan_websocket', () => {
  const call = (options?: AsteriskPhoneOptions) => connected(asteriskPhone(options))

  test('introduces the call, and shows its facts in the address', async () => {
    const { texts, url } = await call()
    expect(texts()).toEqual([
      'MEDIA_START connection_id:parley channel:WebSocket/parley/0x7f71c00057d0 channel_id:1.2 format:slin16 optimal_frame_size:640 ptime:20',
    ])
    expect(url()).toBe('ws://127.0.0.1/v1/telephony/asterisk?from=100&to=200')
  })

  test('speaks in messages of odd lengths, and sends nothing in silence', async () => {
    const { clock, phone, sounds } = await call()
    await clock.advance(1_000)
    expect(sounds()).toEqual([])
    phone.say(frames(7))
    await clock.advance(1_000)
    expect(sounds()).toEqual([640, 546, 704, 604, 706, 624, 656])
  })

  test('plays what it is sent and sends marks back, but never those that were flushed', async () => {
    const { clock, phone, send, texts } = await call()
    await send(frames(5), 'MARK_MEDIA a', frames(5), 'MARK_MEDIA b')
    await clock.advance(100)
    expect(texts().slice(1)).toEqual(['MEDIA_MARK_PROCESSED a'])
    await send('FLUSH_MEDIA')
    await clock.advance(1_000)
    expect(texts().slice(1)).toEqual(['MEDIA_MARK_PROCESSED a'])
    expect(phone.playback.heardMs).toBe(100)
    expect(phone.record.mistakes).toEqual([])
  })

  test('says XOFF when it holds 900 frames, loses what comes then, and says XON at 800', async () => {
    const { clock, phone, send, texts } = await call({ spelling: 'json' })
    for (let at = 0; at < 905; at += 5) await send(frames(5))
    expect(texts().slice(1)).toEqual([JSON.stringify({ event: 'MEDIA_XOFF', channel_id: '1.2' })])
    await send(frames(5))
    expect(phone.playback.overflowMs).toBe(100)
    await clock.advance(105 * 20)
    expect(texts().slice(2)).toEqual([JSON.stringify({ event: 'MEDIA_XON', channel_id: '1.2' })])
  })

  test('says once when its queue has run dry, if it is asked to', async () => {
    const { clock, send, texts } = await call()
    await send(frames(5), 'REPORT_QUEUE_DRAINED')
    await clock.advance(99)
    expect(texts()).toHaveLength(1)
    await clock.advance(500)
    expect(texts().slice(1)).toEqual(['QUEUE_DRAINED channel_id:1.2'])
  })

  test.each([
    ['a tail of a frame', Buffer.alloc(641)],
    ['a command nobody knows', 'mark_media a'],
    ['a command of 129 bytes', `MARK_MEDIA ${'x'.repeat(118)}`],
    ['JSON in the plain spelling', '{"command":"FLUSH_MEDIA"}'],
  ])('holds against the server: %s', async (_, message) => {
    const { phone, send } = await call()
    await send(message)
    expect(phone.record.mistakes).toHaveLength(1)
  })

  test('any length goes between START_MEDIA_BUFFERING and STOP_MEDIA_BUFFERING', async () => {
    const { clock, phone, send, texts } = await call()
    await send('START_MEDIA_BUFFERING', Buffer.alloc(642), 'STOP_MEDIA_BUFFERING x')
    await clock.advance(100)
    expect(phone.record.mistakes).toEqual([])
    expect(texts().slice(1)).toEqual(['MEDIA_BUFFERING_COMPLETED x'])
  })

  test('hangs up when it is told to', async () => {
    const { phone, send, clock } = await call()
    await send('HANGUP')
    await clock.advance(0)
    expect(phone.state).toBe('over')
  })
})

describe('a phone behind AudioSocket', () => {
  const frame = (bytes = 320) =>
    Buffer.concat([Buffer.from([0x10, bytes >> 8, bytes & 255]), Buffer.alloc(bytes, 1)])

  test('begins with the UUID, and hangs up when no byte came for two seconds', async () => {
    const { clock, phone, heard, send } = await connected(audioSocketPhone())
    expect(Buffer.from(heard[0] as Uint8Array).toString('hex')).toMatch(/^010010[0-9a-f]{32}$/)
    await clock.advance(1_900)
    await send(frame())
    await clock.advance(1_900)
    expect(phone.state).toBe('live')
    await clock.advance(100)
    expect(phone.state).toBe('over')
    expect(phone.record.mistakes).toEqual(['no byte for two seconds'])
    expect(clock.pendingTimers).toBe(0)
  })

  test('hears frames however they are cut, and loses what comes long before its time', async () => {
    const { phone, send } = await connected(audioSocketPhone())
    const two = Buffer.concat([frame(), frame()])
    await send(two.subarray(0, 2), two.subarray(2, 400), two.subarray(400))
    expect(phone.record.soundMs).toEqual([20, 20])
    for (let at = 0; at < 10; at++) await send(frame())
    expect(phone.playback.overflowMs).toBe(40)
  })

  test('holds against the server a frame of another length or rate', async () => {
    const { phone, send } = await connected(audioSocketPhone())
    await send(frame(322))
    await send(Buffer.from([0x12, 0, 2, 0, 0]))
    expect(phone.record.mistakes).toEqual(['a frame of 322 bytes', 'a frame of type 18'])
  })
})
