import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../../../src/clock.ts'
import { bandwidthPhone } from '../../../src/testing/telephony/bandwidth.ts'
import type { PhoneDialect } from '../../../src/testing/telephony/dialect.ts'
import { exotelPhone } from '../../../src/testing/telephony/exotel.ts'
import { dialInMemory, type Line } from '../../../src/testing/telephony/line.ts'
import { Phone } from '../../../src/testing/telephony/phone.ts'
import { plivoPhone } from '../../../src/testing/telephony/plivo.ts'
import { signalWirePhone } from '../../../src/testing/telephony/signalwire.ts'
import { telnyxPhone } from '../../../src/testing/telephony/telnyx.ts'

const sound = (bytes: number) => Buffer.alloc(bytes, 1).toString('base64')

/** What a phone holds against these messages, and what it answers. */
async function answers(dialect: PhoneDialect, ...messages: object[]) {
  const clock = new VirtualClock()
  const said: Record<string, unknown>[] = []
  let line: Line | undefined
  const dial = dialInMemory((caller) => {
    line = caller
    return { message: (message) => void said.push(JSON.parse(String(message))), closed: () => {} }
  })
  const phone = new Phone({ clock, dialect, dial, url: 'wss://voice.example.com/' })
  phone.call()
  await clock.advance(0)
  said.length = 0
  for (const message of messages) line?.send(JSON.stringify(message))
  await clock.advance(1_000)
  phone.smash()
  const answered = said.filter(({ event, eventType }) => event !== 'media' && eventType !== 'media')
  return { mistakes: phone.record.mistakes, answered, heardMs: phone.playback.heardMs }
}

const play = (contentType: string, sampleRate: number, payload: string) => ({
  event: 'playAudio',
  media: { contentType, sampleRate, payload },
})
const media = (stream_sid: string, payload: string) => ({ event: 'media', stream_sid, media: { payload } })

describe('a phone holds against the server', () => {
  test.each<[string, PhoneDialect, object, string]>([
    [
      'SignalWire',
      signalWirePhone({ codec: 'L16@24000h' }),
      {
        event: 'media',
        streamSid: 'MZ-CA-double-1-1',
        media: { payload: sound(320) },
      },
      '320 bytes of sound, no multiple of 960',
    ],
    [
      'Telnyx',
      telnyxPhone(),
      { event: 'media', media: { payload: sound(100) } },
      '100 bytes of sound, no multiple of 160',
    ],
    [
      'Telnyx',
      telnyxPhone(),
      { event: 'media', media: { payload: sound(160 * 1_501) } },
      'more than 30 s in a message',
    ],
    [
      'Plivo',
      plivoPhone(),
      play('audio/x-l16', 8000, sound(320)),
      'another content type than the stream has',
    ],
    [
      'Plivo',
      plivoPhone(),
      { event: 'checkpoint', streamId: 'other', name: 'a' },
      'streamId of another stream, or none',
    ],
    [
      'Exotel',
      exotelPhone(),
      media('MZ-CA-double-1-1', sound(1_600)),
      '1600 bytes of sound, not 3,200 to 100,000',
    ],
    [
      'Exotel',
      exotelPhone(),
      media('MZ-CA-double-1-1', sound(3_300)),
      '3300 bytes of sound, no multiple of 320',
    ],
    [
      'Exotel',
      exotelPhone(),
      media('MZ-CA-double-1-1', sound(320 * 400)),
      '128000 bytes of sound, not 3,200 to 100,000',
    ],
    [
      'Bandwidth',
      bandwidthPhone(),
      {
        eventType: 'playAudio',
        media: { contentType: 'audio/pcm', payload: sound(160) },
      },
      'a content type that is not expected',
    ],
    [
      'Bandwidth',
      bandwidthPhone(),
      { eventType: 'mark', mark: { name: 'a' } },
      'an event that is not known: mark',
    ],
  ])('%s', async (_name, dialect, message, mistake) => {
    expect((await answers(dialect, message)).mistakes).toEqual([mistake])
  })

  test('and Telnyx tells it, by a code', async () => {
    const { answered } = await answers(telnyxPhone(), { event: 'media', media: {} })
    expect(answered).toMatchObject([{ event: 'error', payload: { code: 100003, title: 'malformed_frame' } }])
  })
})

describe('a phone behind Plivo', () => {
  const stream = { streamId: 'stream-CA-double-1-1' }

  test('forgets the checkpoints that were cleared, and says that it cleared', async () => {
    const { answered, heardMs, mistakes } = await answers(
      plivoPhone({ contentType: 'audio/x-l16;rate=8000', byteOrder: 'network' }),
      play('audio/x-l16', 8000, sound(3_200)),
      { event: 'checkpoint', ...stream, name: 'a' },
      { event: 'clearAudio', ...stream },
      play('audio/x-l16', 8000, sound(320)),
      { event: 'checkpoint', ...stream, name: 'b' },
    )
    expect(answered).toMatchObject([{ event: 'clearedAudio' }, { event: 'playedStream', name: 'b' }])
    expect([heardMs, mistakes]).toEqual([20, []])
  })
})
