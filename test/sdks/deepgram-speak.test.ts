/** Deepgram's own SDK against our double of its voices: what it sends is accepted, what it hears it understands. */
import { afterEach, expect, test } from 'vitest'
import { realClock } from '../../src/clock.ts'
import { type ServedDouble, serveDouble } from '../../src/testing/carrier/sockets.ts'
import { FakeSpeak, SPEAK_KEY } from '../../src/testing/tts/deepgram.ts'
import { markOf } from '../../src/testing/tts/double.ts'
import { describeSdk, loadSdk } from './installed.ts'

type Message = ArrayBuffer | Blob | string | { readonly type: string; readonly audio_duration_ms?: number }

interface Voice {
  on(event: 'message', listener: (message: Message) => void): void
  on(event: 'error', listener: (error: Error) => void): void
  connect(): Voice
  waitForOpen(): Promise<unknown>
  sendText(message: object): void
  sendSpeak(message: object): void
  sendFlush(message: object): void
  sendClear(message: object): void
  sendClose(message: object): void
  close(): void
}

interface Sdk {
  readonly DeepgramClient: new (
    options: object,
  ) => {
    readonly speak: Readonly<Record<'v1' | 'v2', { connect(args: object): Promise<Voice> }>>
  }
}

describeSdk('@deepgram/sdk', () => {
  let served: ServedDouble | undefined
  let voice: Voice | undefined
  afterEach(async () => {
    voice?.close()
    await served?.close()
  })

  async function connect(version: 'v1' | 'v2', model: string) {
    const double = new FakeSpeak({ clock: realClock, everyMs: 1 })
    served = await serveDouble(double.server)
    const { DeepgramClient } = await loadSdk<Sdk>('@deepgram/sdk')
    const environment = { base: served.url, production: served.url, agent: served.url }
    const client = new DeepgramClient({ apiKey: SPEAK_KEY, environment })
    const live = await client.speak[version].connect({
      model,
      encoding: 'linear16',
      sample_rate: '16000',
      Authorization: `Token ${SPEAK_KEY}`,
      reconnectAttempts: 0,
    })
    const heard: Message[] = []
    const wake: (() => void)[] = []
    live.on('message', (message) => {
      heard.push(message)
      for (const one of wake.splice(0)) one()
    })
    live.on('error', () => {})
    live.connect()
    await live.waitForOpen()
    voice = live
    const until = async (type: string) => {
      const told = () =>
        heard.find((message) => typeof message === 'object' && 'type' in message && message.type === type)
      while (!told()) await new Promise<void>((resolve) => wake.push(resolve))
      return told() as Exclude<Message, ArrayBuffer | Blob | string>
    }
    const sound = async () => {
      const parts = heard.map(async (message) =>
        message instanceof Blob
          ? Buffer.from(await message.arrayBuffer())
          : message instanceof ArrayBuffer || ArrayBuffer.isView(message)
            ? Buffer.from(message as ArrayBuffer)
            : Buffer.alloc(0),
      )
      return Buffer.concat(await Promise.all(parts))
    }
    return { double, live, until, sound }
  }

  const text = 'Hello there.'
  const wanted = Buffer.alloc(text.length * 50 * 32, markOf(text))

  test('Aura: a sentence, flushed, cleared, closed', async () => {
    const { double, live, until, sound } = await connect('v1', 'aura-2-thalia-en')
    live.sendText({ type: 'Speak', text })
    live.sendFlush({ type: 'Flush' })
    await until('Flushed')
    expect(await sound()).toEqual(wanted)
    live.sendClear({ type: 'Clear' })
    await until('Cleared')
    live.sendClose({ type: 'Close' })
    await double.heard('Close')
    expect(double.mistakes).toEqual([])
  })

  test('Flux TTS: a turn with its length', async () => {
    const { double, live, until, sound } = await connect('v2', 'flux-alexis-en')
    live.sendSpeak({ type: 'Speak', text })
    live.sendFlush({ type: 'Flush' })
    expect((await until('SpeechMetadata')).audio_duration_ms).toBe(600)
    expect(await sound()).toEqual(wanted)
    await until('SpeechStarted')
    await until('Connected')
    live.sendClose({ type: 'Close' })
    await double.heard('Close')
    expect(double.mistakes).toEqual([])
  })
})
