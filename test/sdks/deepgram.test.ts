/** Deepgram's own SDK against our double: what it sends is accepted, what it hears it understands. */
import { afterEach, expect, test } from 'vitest'
import { PCM16_16K } from '../../src/audio/format.ts'
import { realClock } from '../../src/clock.ts'
import { type ServedDouble, serveDouble } from '../../src/testing/carrier/sockets.ts'
import { fakeDeepgram } from '../../src/testing/stt/deepgram.ts'
import { FAKE_KEY, type SttScript } from '../../src/testing/stt/double.ts'
import { sound } from '../support/stages.ts'
import { describeSdk, loadSdk } from './installed.ts'

interface Results {
  readonly type: string
  readonly is_final?: boolean
  readonly from_finalize?: boolean
  readonly start?: number
  readonly duration?: number
  readonly channel?: { readonly alternatives: readonly { readonly transcript: string }[] }
}

interface Live {
  on(event: 'message', listener: (message: Results) => void): void
  on(event: 'close', listener: (close: { code: number }) => void): void
  on(event: 'error', listener: (error: Error) => void): void
  connect(): Live
  waitForOpen(): Promise<unknown>
  sendMedia(audio: Uint8Array): void
  sendFinalize(message: { type: 'Finalize' }): void
  sendKeepAlive(message: { type: 'KeepAlive' }): void
  sendCloseStream(message: { type: 'CloseStream' }): void
  close(): void
}

interface Sdk {
  readonly DeepgramClient: new (
    options: object,
  ) => {
    readonly listen: { readonly v1: { connect(args: object): Promise<Live> } }
  }
}

describeSdk('@deepgram/sdk', () => {
  let served: ServedDouble | undefined
  afterEach(() => served?.close())

  async function connect(script: SttScript, key = FAKE_KEY) {
    const double = fakeDeepgram({ clock: realClock, script })
    served = await serveDouble(double.server)
    const { DeepgramClient } = await loadSdk<Sdk>('@deepgram/sdk')
    const environment = { base: served.url, production: served.url, agent: served.url }
    const client = new DeepgramClient({ apiKey: key, environment })
    const live = await client.listen.v1.connect({
      model: 'nova-3',
      encoding: 'linear16',
      sample_rate: 16_000,
      interim_results: 'true',
      punctuate: 'true',
      endpointing: 300,
      Authorization: `Token ${key}`,
      reconnectAttempts: 0,
    })
    return { double, live }
  }

  test('a spoken sentence, finalised, kept alive and closed', async () => {
    const words = [
      { text: 'Hello', startMs: 100, endMs: 400 },
      { text: 'there.', startMs: 450, endMs: 900 },
    ]
    const { double, live } = await connect({ words, answerMs: 5 })
    const messages: Results[] = []
    const finalised = new Promise<void>((resolve) => {
      live.on('message', (message) => {
        messages.push(message)
        if (message.from_finalize) resolve()
      })
    })
    const closed = new Promise<void>((resolve) => live.on('close', () => resolve()))
    live.connect()
    await live.waitForOpen()
    for (let i = 0; i < 10; i++) live.sendMedia(sound(PCM16_16K, 100, 'speech'))
    live.sendKeepAlive({ type: 'KeepAlive' })
    live.sendFinalize({ type: 'Finalize' })
    await finalised
    live.sendCloseStream({ type: 'CloseStream' })
    await closed
    live.close()

    const final = messages.find((message) => message.from_finalize)
    expect(final).toMatchObject({ type: 'Results', is_final: true, start: 0, duration: 1 })
    expect(final?.channel?.alternatives[0]?.transcript).toBe('Hello there.')
    expect(messages.some((message) => message.type === 'Results' && !message.is_final)).toBe(true)
    expect(messages.at(-1)?.type).toBe('Metadata')
    const [session] = double.sessions
    expect(session?.mistakes).toEqual([])
    expect(session?.messages).toEqual(['KeepAlive', 'Finalize', 'CloseStream'])
    expect(session?.audioMs).toBe(1_000)
  })

  test('a wrong key is refused', async () => {
    const { double, live } = await connect({ fault: 'refuse_auth' })
    const failed = new Promise<Error>((resolve) => live.on('error', resolve))
    live.connect()
    expect((await failed).message).toContain('401')
    live.close()
    expect(double.sessions).toEqual([])
  })
})
