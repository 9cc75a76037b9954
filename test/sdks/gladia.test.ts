/** Gladia's own SDK against our double: what it sends is accepted, what it hears it understands. */
import { afterEach, expect, test } from 'vitest'
import { PCM16_16K } from '../../src/audio/format.ts'
import { realClock } from '../../src/clock.ts'
import { listenerOf } from '../../src/testing/carrier/http.ts'
import { type ServedDouble, serveDouble } from '../../src/testing/carrier/sockets.ts'
import { FAKE_KEY, type SttScript } from '../../src/testing/stt/double.ts'
import { fakeGladia } from '../../src/testing/stt/gladia.ts'
import { sound } from '../support/stages.ts'
import { describeSdk, loadSdk } from './installed.ts'

interface Message {
  readonly type: string
  readonly data?: {
    readonly is_final?: boolean
    readonly time?: number
    readonly utterance?: { readonly text: string; readonly words: readonly { readonly word: string }[] }
  }
}

interface Session {
  on(event: 'message', listener: (message: Message) => void): void
  on(event: 'error', listener: (error: Error) => void): void
  once(event: 'connected', listener: () => void): void
  once(event: 'ended', listener: (end: { code: number }) => void): void
  sendAudio(audio: Uint8Array): void
  stopRecording(): void
}

interface Sdk {
  readonly GladiaClient: new (
    options: object,
  ) => {
    liveV2(): { startSession(options: object): Session }
  }
}

describeSdk('@gladiaio/sdk', () => {
  let served: ServedDouble | undefined
  afterEach(() => served?.close())

  async function start(script: SttScript, apiKey = FAKE_KEY) {
    const double = fakeGladia({ clock: realClock, script })
    served = await serveDouble(double.server, undefined, listenerOf(double.http))
    const { GladiaClient } = await loadSdk<Sdk>('@gladiaio/sdk')
    const client = new GladiaClient({
      apiKey,
      apiUrl: served.url.replace('ws:', 'http:'),
      httpRetry: { maxAttempts: 1 },
    })
    const session = client.liveV2().startSession({
      model: 'solaria-1',
      encoding: 'wav/pcm',
      sample_rate: 16_000,
      bit_depth: 16,
      channels: 1,
      endpointing: 0.1,
      language_config: { languages: ['en'] },
      messages_config: {
        receive_partial_transcripts: true,
        receive_final_transcripts: true,
        receive_speech_events: true,
        receive_acknowledgments: true,
      },
    })
    return { double, session }
  }

  test('a session, a spoken sentence, and its end', async () => {
    const words = [
      { text: 'Hello', startMs: 100, endMs: 400 },
      { text: 'there.', startMs: 450, endMs: 900 },
    ]
    const { double, session } = await start({ words, answerMs: 5 })
    const messages: Message[] = []
    const settled = new Promise<void>((resolve) => {
      session.on('message', (message) => {
        messages.push(message)
        if (message.data?.is_final) resolve()
      })
    })
    const ended = new Promise<{ code: number }>((resolve) => session.once('ended', resolve))
    await new Promise<void>((resolve) => session.once('connected', resolve))
    for (let i = 0; i < 12; i++) session.sendAudio(sound(PCM16_16K, 100, 'speech'))
    await settled
    session.stopRecording()
    expect((await ended).code).toBe(1000)

    const final = messages.find(({ data }) => data?.is_final)
    expect(final?.data?.utterance?.text).toBe(' Hello there.')
    expect(final?.data?.utterance?.words.map(({ word }) => word)).toEqual([' Hello', ' there.'])
    const types = messages.map(({ type }) => type)
    for (const type of ['audio_chunk', 'speech_start', 'speech_end', 'stop_recording'])
      expect(types).toContain(type)
    expect(messages.some(({ data }) => data?.is_final === false)).toBe(true)
    expect(double.sessions[0]).toMatchObject({ mistakes: [], messages: ['stop_recording'] })
  })

  test('a wrong key makes no session', async () => {
    const { double, session } = await start({}, 'another')
    const error = await new Promise<Error>((resolve) => session.on('error', resolve))
    expect(error).toMatchObject({ name: 'HttpError', status: 401 })
    expect(double.sessions).toEqual([])
  })
})
