import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../../../src/clock.ts'
import {
  dialInMemory,
  type Line,
  type LineClose,
  type LineMessage,
  type LineRequest,
} from '../../../src/testing/telephony/line.ts'
import { Phone, type PhoneOptions } from '../../../src/testing/telephony/phone.ts'
import { twilioPhone } from '../../../src/testing/telephony/twilio.ts'

type Heard = { event: string } & Record<string, unknown>

/** A phone behind Twilio, and a server that only writes down. */
function connected(options: Partial<PhoneOptions> = {}) {
  const clock = new VirtualClock()
  const heard: Heard[] = []
  const requests: LineRequest[] = []
  const closes: LineClose[] = []
  let line: Line | undefined
  const phone = new Phone({
    clock,
    dialect: twilioPhone(),
    url: 'wss://voice.example.com/v1/telephony/twilio',
    dial: dialInMemory((caller, request) => {
      line = caller
      requests.push(request)
      return {
        message: (message: LineMessage) => void heard.push(JSON.parse(String(message))),
        closed: (close) => void closes.push(close),
      }
    }),
    ...options,
  })
  const send = (message: object) =>
    line?.send(JSON.stringify({ streamSid: `MZ-CA-double-1-${requests.length}`, ...message }))
  const sound = (ms: number) =>
    send({ event: 'media', media: { payload: Buffer.alloc(ms * 8, 1).toString('base64') } })
  return {
    clock,
    phone,
    heard,
    requests,
    closes,
    send,
    sound,
    line: () => line!,
    events: () => heard.map(({ event }) => event),
    media: () =>
      heard.flatMap(({ event, media }) => (event === 'media' ? [media as Record<string, string>] : [])),
  }
}

describe('a phone behind Twilio', () => {
  test('introduces the call and sends 20 ms every 20 ms, silence included', async () => {
    const { clock, phone, heard, media } = connected({ call: { parameters: { tenant: 'a' } } })
    phone.call()
    await clock.advance(0)
    expect(phone.state).toBe('live')
    expect(heard).toMatchObject([
      { event: 'connected', protocol: 'Call', version: '1.0.0' },
      {
        event: 'start',
        sequenceNumber: '1',
        streamSid: 'MZ-CA-double-1-1',
        start: { callSid: 'CA-double-1', tracks: ['inbound'], customParameters: { tenant: 'a' } },
      },
    ])
    await clock.advance(19)
    expect(media()).toEqual([])
    phone.say(new Uint8Array(200).fill(7))
    await clock.advance(41)
    const frames = media().map(({ payload }) => Buffer.from(payload!, 'base64'))
    expect(media().map(({ chunk, timestamp }) => [chunk, timestamp])).toEqual([
      ['1', '0'],
      ['2', '20'],
      ['3', '40'],
    ])
    expect(frames.map((frame) => [frame.length, frame[0], frame[159]])).toEqual([
      [160, 7, 7],
      [160, 7, 0xff],
      [160, 0xff, 0xff],
    ])
  })

  test('echoes a mark when the sound before it was heard', async () => {
    const { clock, phone, events, sound, send } = connected()
    phone.call()
    await clock.advance(0)
    sound(100)
    send({ event: 'mark', mark: { name: 'm1' } })
    await clock.advance(99)
    expect(events()).not.toContain('mark')
    await clock.advance(1)
    expect(phone.record.marks).toEqual([{ name: 'm1', atMs: 100 }])
    expect(events()).toContain('mark')
    expect([phone.record.messages, phone.record.soundMs]).toEqual([['media', 'mark'], [100]])
  })

  test('empties its buffer on a clear and echoes every mark at once', async () => {
    const { clock, phone, sound, send } = connected()
    phone.call()
    await clock.advance(0)
    for (const name of ['m1', 'm2']) {
      sound(500)
      send({ event: 'mark', mark: { name } })
    }
    await clock.advance(300)
    send({ event: 'clear' })
    await clock.advance(0)
    expect(phone.record.marks).toEqual([
      { name: 'm1', atMs: 300 },
      { name: 'm2', atMs: 300 },
    ])
    await clock.advance(2_000)
    expect(phone.playback.heardMs).toBe(300)
    expect(phone.record.clears).toEqual([300])
  })

  test('can be late with its marks', async () => {
    const { clock, phone, sound, send } = connected({ markDelayMs: 50 })
    phone.call()
    await clock.advance(0)
    sound(100)
    send({ event: 'mark', mark: { name: 'm1' } })
    await clock.advance(500)
    expect(phone.record.marks).toEqual([{ name: 'm1', atMs: 150 }])
  })

  test('can let frames overtake each other', async () => {
    const { clock, phone, media } = connected({ order: 'swapped' })
    phone.call()
    await clock.advance(80)
    expect(media().map(({ chunk }) => chunk)).toEqual(['2', '1', '4', '3'])
  })

  test('does what its script says, and dials again for the same call', async () => {
    const { clock, phone, heard, requests, closes } = connected()
    phone.play([
      { atMs: 30, press: '1#' },
      { atMs: 100, drop: 'line' },
      { atMs: 400, dial: 'again' },
      { atMs: 500, hangUp: 'caller' },
    ])
    await clock.advance(600)
    expect(requests.length).toBe(2)
    const told = heard.filter(({ event }) => event !== 'media' && event !== 'connected')
    expect(told).toMatchObject([
      { event: 'start', streamSid: 'MZ-CA-double-1-1', start: { callSid: 'CA-double-1' } },
      { event: 'dtmf', dtmf: { digit: '1' } },
      { event: 'dtmf', dtmf: { digit: '#' } },
      { event: 'start', streamSid: 'MZ-CA-double-1-2', start: { callSid: 'CA-double-1' } },
      { event: 'stop', stop: { callSid: 'CA-double-1' } },
    ])
    expect(closes.map(({ code }) => code)).toEqual([1006, 1000])
    expect(phone.record.closes.map(({ atMs }) => atMs)).toEqual([100, 500])
    expect([phone.state, clock.pendingTimers]).toEqual(['over', 0])
  })

  test('a line that breaks takes what was held with it, and nobody echoes', async () => {
    const { clock, phone, sound, send } = connected()
    phone.call()
    await clock.advance(0)
    sound(1_000)
    send({ event: 'mark', mark: { name: 'm1' } })
    await clock.advance(200)
    phone.drop()
    await clock.advance(2_000)
    expect([phone.playback.heardMs, phone.record.marks]).toEqual([200, []])
  })

  test('sees how the server ended it', async () => {
    const { clock, phone, line } = connected()
    phone.call()
    await clock.advance(0)
    line().close(1000, 'completed')
    await clock.advance(0)
    expect(phone.record.closes).toEqual([{ code: 1000, reason: 'completed', atMs: 0 }])
    expect(clock.pendingTimers).toBe(0)
  })

  test('sees that it was refused', async () => {
    const { clock, phone } = connected({ dial: dialInMemory(() => ({ status: 401 })) })
    phone.call()
    await clock.advance(0)
    expect(phone.record.closes).toMatchObject([{ code: 1006, status: 401 }])
  })

  test('signs the address it was configured with', async () => {
    const { clock, phone, requests } = connected({ dialect: twilioPhone({ authToken: 'token' }) })
    phone.call()
    await clock.advance(0)
    expect(requests[0]!.headers).toEqual({ 'x-twilio-signature': expect.stringMatching(/^.{27}=$/) })
  })

  test.each([
    ['a binary message', Buffer.from([1, 2])],
    ['a message that is no JSON', '{'],
    ['a message that is no JSON object', '[]'],
    ['no event', '{}'],
    ['streamSid of another stream, or none', { event: 'clear', streamSid: 'MZ-other' }],
    ['an event that is not known: stop', { event: 'stop' }],
    ['track in a message', { event: 'media', media: { track: 'outbound', payload: 'AA==' } }],
    ['sound that is no base64', { event: 'media', media: { payload: 'A*==' } }],
    ['sound that is no base64', { event: 'media', media: { payload: 'AA' } }],
    ['1 bytes of sound, no multiple of 160', { event: 'media', media: { payload: 'AA==' } }],
    ['no payload', { event: 'media', media: { payload: '' } }],
    ['no name', { event: 'mark', mark: {} }],
    ['no mark', { event: 'mark' }],
    [
      'sound with the head of a file',
      { event: 'media', media: { payload: Buffer.alloc(160, 'RIFF').toString('base64') } },
    ],
  ])('holds against the server: %s', async (mistake, message) => {
    const { clock, phone, line } = connected()
    phone.call()
    await clock.advance(0)
    const plain = typeof message === 'string' || message instanceof Uint8Array
    line().send(plain ? message : JSON.stringify({ streamSid: 'MZ-CA-double-1-1', ...message }))
    await clock.advance(0)
    expect(phone.record.mistakes).toEqual([mistake])
  })
})
