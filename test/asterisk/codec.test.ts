/** A real Asterisk against the codecs alone: a server that says back what it hears, and writes down all that it is told. */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { createConverter, loadAudio } from '../../src/audio/convert.ts'
import { PCM16_16K } from '../../src/audio/format.ts'
import { realClock } from '../../src/clock.ts'
import type { BridgeCodec, BridgeEvents, CallStart, Frame } from '../../src/wire/telephony/bridge.ts'
import { AsteriskCodec } from '../../src/wire/telephony/bridges/asterisk/codec.ts'
import { asterisk as asteriskBridge } from '../../src/wire/telephony/bridges/asterisk/index.ts'
import { AudioSocketCodec } from '../../src/wire/telephony/bridges/audiosocket/codec.ts'
import { type Listening, listenAudioSocket } from '../../src/wire/telephony/bridges/audiosocket/listener.ts'
import { bytesOf, speech } from '../provider/local/speech.ts'
import { settingOf } from '../wire/telephony/setting.ts'
import { type Asterisk, describeAsterisk, startAsterisk } from './asterisk.ts'
import { likeness, PCM16_8K } from './likeness.ts'

const UUID = '40325ec2-5efd-4bd3-805f-53576e581d13'

/** What a test does with a call: its codec, and a way to send. */
type Act = (event: string, facts: unknown, codec: BridgeCodec, send: (frame: Frame) => void) => void

interface Heard {
  readonly events: string[]
  readonly start: CallStart[]
  readonly frames: number[]
  readonly requests: IncomingMessage[]
  /** Resolves with the code of its end. */
  readonly closed: Promise<number>
  readonly close: (code: number) => void
}

describeAsterisk('codecs against Asterisk', () => {
  let heard: Heard
  let act: Act = () => {}
  let server: ReturnType<typeof createServer>
  let audiosocket: Listening
  let pbx: Asterisk
  let words: Buffer

  /** Events into the book, and to the test. */
  function events(codec: BridgeCodec, send: (frame: Frame) => void): BridgeEvents {
    const book = (name: string) => (fact?: unknown) => {
      heard.events.push(fact === undefined ? name : `${name} ${fact}`)
      act(name, fact, codec, send)
    }
    return {
      start: (start) => {
        heard.start.push(start)
        act('start', start, codec, send)
      },
      audio: (bytes) => {
        heard.frames.push(bytes.length)
        act('audio', bytes, codec, send)
      },
      digit: book('digit'),
      marked: book('marked'),
      cleared: book('cleared'),
      flow: book('flow'),
      reply: send,
      stop: book('stop'),
      complaint: book('complaint'),
    }
  }

  beforeAll(async () => {
    await loadAudio()
    const bridge = asteriskBridge(settingOf('asterisk'))
    server = createServer()
    const sockets = new WebSocketServer({
      noServer: true,
      handleProtocols: (asked) => bridge.subprotocols.find((one) => asked.has(one)) ?? false,
    })
    server.on('upgrade', (request, socket, head) =>
      sockets.handleUpgrade(request, socket, head, (ws: WebSocket) => {
        heard.requests.push(request)
        const { close } = heard
        const query = Object.fromEntries(new URL(request.url ?? '', 'ws://localhost').searchParams)
        const codec = new AsteriskCodec(query)
        const ears = events(codec, (frame) => ws.send(frame))
        ws.on('message', (data: Buffer, isBinary) => codec.read(data, isBinary ? 'binary' : 'text', ears))
        ws.on('close', (code) => close(code))
      }),
    )
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    audiosocket = await listenAudioSocket(
      { host: '127.0.0.1', port: 0, allow: ['127.0.0.1'], maxConnections: 4 },
      (socket) => {
        const codec = new AudioSocketCodec(rate)
        const { close } = heard
        const ears = events(codec, (frame) => socket.send(frame, () => {}))
        return {
          message: (frame) => codec.read(frame, 'binary', ears),
          signOfLife: () => {},
          closed: (code) => close(code),
        }
      },
      realClock,
      () => {},
    )
    pbx = await startAsterisk({
      websockets: {
        parley: {
          uri: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1/telephony/asterisk`,
          username: 'asterisk',
          password: 'a-password-of-asterisk',
        },
      },
    })
    words = convert8k(bytesOf(speech('seven-of-clubs')))
  })
  afterAll(async () => {
    await pbx?.stop()
    await audiosocket?.close()
    server?.close()
    server?.closeAllConnections()
  })

  let rate = 8_000
  async function call(
    far: string,
    caller: (words: string) => string[],
    does: Act,
    rateHz = 8_000,
  ): Promise<Buffer> {
    let close: (code: number) => void = () => {}
    const closed = new Promise<number>((resolve) => {
      close = resolve
    })
    heard = { events: [], start: [], frames: [], requests: [], closed, close }
    act = does
    rate = rateHz
    const recording = await pbx.call({ far: [far], caller: caller(pbx.playback('words', words)) })
    return recording.heard
  }

  const says = (step: string) => ['Wait(0.5)', step, 'Wait(0.5)', 'SendDTMF(4#)', 'Wait(0.5)']

  test.each([
    ['plain', 'ulaw', 160],
    ['plain', 'alaw', 160],
    ['json', 'slin', 320],
    ['json', 'slin16', 640],
    ['json', 'slin24', 960],
    ['json', 'slin48', 1920],
  ])(
    'chan_websocket, %s, %s: what was said comes back, marks too, and keys',
    async (spelling, format, frame) => {
      let frames = 0
      const far = `Dial(WebSocket/parley/c(${format})f(${spelling === 'plain' ? 'plain-text' : 'json'})v(caller=bob,from=200))`
      const back = await call(far, says, (event, fact, codec, send) => {
        if (event !== 'audio') return
        send(codec.audio(fact as Uint8Array))
        if (++frames % 50 === 0) send(codec.mark(`p${frames}`)!)
      })
      const { headers } = heard.requests[0]!
      expect(headers['sec-websocket-protocol']).toBe('media')
      const basic = Buffer.from('asterisk:a-password-of-asterisk').toString('base64')
      expect(headers.authorization).toBe(`Basic ${basic}`)
      expect(heard.start).toHaveLength(1)
      expect(heard.start[0]).toMatchObject({ from: '200', parameters: { caller: 'bob', from: '200' } })
      expect(Object.keys(heard.start[0]!.parameters)).toEqual(['caller', 'from'])
      // The caller said something for 1.5 of 3 s: in its silence nothing comes. The last frame is what was left of the file.
      expect(heard.frames.slice(0, -1).every((bytes) => bytes === frame)).toBe(true)
      expect(heard.frames.length).toBeLessThan(100)
      expect(heard.events).toEqual(['marked p50', 'digit 4', 'digit #'])
      expect(likeness(words, back)).toBeGreaterThan(0.9)
      expect(await heard.closed).toBe(1000)
    },
  )

  test.each(['plain-text', 'json'])('too much is said so, and can be taken back (%s)', async (spelling) => {
    const tone = Buffer.from(Int16Array.from({ length: 160 }, (_, i) => 8_000 * Math.sin(i / 2)).buffer)
    const back = await call(
      `Dial(WebSocket/parley/c(slin)f(${spelling}))`,
      () => ['Wait(6)'],
      (event, fact, codec, send) => {
        if (event === 'start') {
          for (let frame = 0; frame < 950; frame++) send(codec.audio(tone))
          send(codec.mark('behind')!)
        }
        if (event === 'flow' && fact === 'hold') {
          send(codec.clear()!)
          for (let at = 0; at + 320 <= words.length; at += 320)
            send(codec.audio(words.subarray(at, at + 320)))
          send(codec.mark('after')!)
        }
      },
    )
    expect(heard.events).toEqual(['flow hold', 'flow go', 'marked after'])
    // The tone is gone, and of the words nothing is missing.
    expect(back.length / 16).toBeLessThan(words.length / 16 + 300)
    expect(likeness(words, back)).toBeGreaterThan(0.9)
    expect(await heard.closed).toBe(1000)
  })

  test('when all was taken back, more is wanted, though nothing follows', async () => {
    await call(
      'Dial(WebSocket/parley/c(slin)f(json))',
      () => ['Wait(3)'],
      (event, fact, codec, send) => {
        if (event === 'start') for (let frame = 0; frame < 950; frame++) send(codec.audio(Buffer.alloc(320)))
        if (event === 'flow' && fact === 'hold') send(codec.clear()!)
      },
    )
    expect(heard.events).toEqual(['flow hold', 'flow go'])
  })

  test('a goodbye ends the call at Asterisk', async () => {
    let marked = 0
    await call(
      'Dial(WebSocket/parley/c(slin16)f(json))',
      () => ['Wait(30)'],
      (event, _, codec, send) => {
        if (event === 'start') send(codec.mark('begun')!)
        if (event === 'marked' && ++marked === 1) send(codec.goodbye('completed')!)
      },
    )
    expect(heard.events).toEqual(['marked begun'])
    expect(await heard.closed).toBe(1000)
  })

  test.each([
    ['the application', 8_000, (at: string) => `AudioSocket(${UUID},${at})`],
    ['a channel of 8 kHz', 8_000, (at: string) => `Dial(AudioSocket/${at}/${UUID}/c(slin))`],
    ['a channel of 16 kHz', 16_000, (at: string) => `Dial(AudioSocket/${at}/${UUID}/c(slin16))`],
    ['a channel of 48 kHz', 48_000, (at: string) => `Dial(AudioSocket/${at}/${UUID}/c(slin48))`],
  ])('AudioSocket, %s: what was said comes back, and keys', async (_, rateHz, far) => {
    const back = await call(
      far(`127.0.0.1:${audiosocket.port}`),
      says,
      (event, bytes, codec, send) => {
        if (event === 'audio') send(codec.audio(bytes as Uint8Array))
      },
      rateHz,
    )
    expect(heard.start[0]?.callId).toBe(UUID)
    expect(heard.events).toEqual(['digit 4', 'digit #'])
    expect(likeness(words, back)).toBeGreaterThan(0.9)
    expect(await heard.closed).toBe(1000)
  })

  test('AudioSocket hangs up when nothing comes for two seconds', async () => {
    await call(
      `AudioSocket(${UUID},127.0.0.1:${audiosocket.port})`,
      () => ['Wait(30)'],
      () => {},
    )
    expect(await heard.closed).toBe(1000)
    expect(pbx.warnings.at(-1)).toContain('2000 ms of no activity')
  })
})

function convert8k(pcm16k: Uint8Array): Buffer {
  const converter = createConverter(PCM16_16K, PCM16_8K)
  try {
    return Buffer.concat([converter.process(pcm16k), converter.flush()])
  } finally {
    converter.close()
  }
}
