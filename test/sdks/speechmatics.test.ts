/** Speechmatics' own SDK against our double: what it sends is accepted, what it hears it understands. */
import { afterEach, expect, test } from 'vitest'
import { PCM16_16K } from '../../src/audio/format.ts'
import { realClock } from '../../src/clock.ts'
import { type ServedDouble, serveDouble } from '../../src/testing/carrier/sockets.ts'
import { FAKE_KEY, type SttScript } from '../../src/testing/stt/double.ts'
import { fakeSpeechmatics } from '../../src/testing/stt/speechmatics.ts'
import { sound } from '../support/stages.ts'
import { describeSdk, loadSdk } from './installed.ts'

interface Message {
  readonly message: string
  readonly seq_no?: number
  readonly metadata?: { readonly transcript: string; readonly end_time: number }
}

interface Client {
  addEventListener(type: 'receiveMessage', listener: (event: { data: Message }) => void): void
  start(jwt: string, config: object): Promise<Message>
  sendAudio(audio: Uint8Array): void
  forceEndOfUtterance(): void
  stopRecognition(): Promise<void>
}

interface Sdk {
  readonly RealtimeClient: new (config: { url: string; connectionTimeout: number }) => Client
}

describeSdk('@speechmatics/real-time-client', () => {
  let served: ServedDouble | undefined
  afterEach(() => served?.close())

  async function connect(script: SttScript) {
    const double = fakeSpeechmatics({ clock: realClock, script })
    served = await serveDouble(double.server)
    const { RealtimeClient } = await loadSdk<Sdk>('@speechmatics/real-time-client')
    return { double, client: new RealtimeClient({ url: `${served.url}/v2`, connectionTimeout: 5_000 }) }
  }

  const config = {
    audio_format: { type: 'raw', encoding: 'pcm_s16le', sample_rate: 16_000 },
    transcription_config: { language: 'en', model: 'enhanced', enable_partials: true, max_delay: 2 },
  }

  test('a spoken sentence, forced to its end, and goodbye', async () => {
    const words = [
      { text: 'Hello', startMs: 100, endMs: 400 },
      { text: 'there.', startMs: 450, endMs: 900 },
    ]
    const { double, client } = await connect({ words, answerMs: 5 })
    const messages: Message[] = []
    const until = (isIt: (message: Message) => boolean) =>
      new Promise<void>((resolve) => {
        client.addEventListener('receiveMessage', ({ data }) => {
          if (isIt(data)) resolve()
        })
      })
    client.addEventListener('receiveMessage', ({ data }) => messages.push(data))
    const taken = until(({ seq_no }) => seq_no === 10)
    const ended = until(({ message }) => message === 'EndOfUtterance')
    const started = await client.start(FAKE_KEY, config)
    expect(started.message).toBe('RecognitionStarted')
    for (let i = 0; i < 10; i++) client.sendAudio(sound(PCM16_16K, 100, 'speech'))
    await taken
    client.forceEndOfUtterance()
    await ended
    await client.stopRecognition()

    const final = messages.find(({ message }) => message === 'AddTranscript')
    expect(final?.metadata).toMatchObject({ transcript: 'Hello there. ', end_time: 0.9 })
    expect(messages.some(({ message }) => message === 'AddPartialTranscript')).toBe(true)
    expect(messages.at(-1)?.message).toBe('EndOfTranscript')
    expect(double.sessions[0]?.mistakes).toEqual([])
    expect(double.sessions[0]?.messages).toEqual(['StartRecognition', 'ForceEndOfUtterance', 'EndOfStream'])
  })

  test('an error is one for the SDK, too', async () => {
    const { client } = await connect({ fault: 'refuse_auth' })
    await expect(client.start(FAKE_KEY, config)).rejects.toThrow('not_authorised')
  })
})
