/** Azure's SDK between our adapter and our doubles, over its own WebSocket protocol on loopback: it checks both. */
import { afterEach, describe, expect, test } from 'vitest'
import { type AudioFormat, MULAW_8K, PCM16_16K, PCM16_24K } from '../../src/audio/format.ts'
import { openScope } from '../../src/cancel.ts'
import { realClock } from '../../src/clock.ts'
import type { Provider } from '../../src/stage/provider.ts'
import type { SttEvent } from '../../src/stage/stt.ts'
import type { TtsEvent } from '../../src/stage/tts.ts'
import type { Double } from '../../src/testing/double.ts'
import {
  fakeAzureRecogniser,
  fakeAzureVoices,
  type SoundOptions,
  type Started,
  type SttDoubleOptions,
  startDouble,
} from '../../src/testing/index.ts'
import { FAKE_KEY } from '../../src/testing/stt/double.ts'
import { AZURE_VOICES_KEY } from '../../src/testing/tts/azure.ts'
import { lengthOf, markOf } from '../../src/testing/tts/double.ts'
import { sound } from '../support/stages.ts'
import { describeSdk, loadSdk } from './installed.ts'
import { providerAt } from './provider-at.ts'

/** What the tests use of it. */
interface Sdk {
  readonly SpeechConfig: {
    fromHost(host: URL, key: string): { speechSynthesisOutputFormat: number }
  }
  readonly SpeechSynthesisOutputFormat: { readonly Raw16Khz16BitMonoPcm: number }
  readonly SpeechSynthesizer: new (
    config: object,
    audio: null,
  ) => {
    speakTextAsync(text: string, done: (result: { readonly audioData: ArrayBuffer }) => void): void
    close(): void
  }
  readonly AudioInputStream: { createPushStream(): { write(audio: ArrayBuffer): void; close(): void } }
  readonly AudioConfig: { fromStreamInput(stream: object): object }
  readonly SpeechRecognizer: new (
    config: object,
    audio: object,
  ) => { recognizeOnceAsync(done: (result: { readonly text: string }) => void): void; close(): void }
}

const words = [
  { text: 'Hello', startMs: 100, endMs: 400 },
  { text: 'there.', startMs: 450, endMs: 900 },
]

describeSdk('microsoft-cognitiveservices-speech-sdk', () => {
  let served: Started | undefined
  let provider: Provider | undefined
  afterEach(async () => {
    await provider?.close()
    await served?.close()
  })

  async function serve(double: Double): Promise<Provider> {
    served = await startDouble(double)
    provider = providerAt(served)
    return provider
  }

  async function recognise(options: SttDoubleOptions = {}, format: AudioFormat = PCM16_16K) {
    const double = fakeAzureRecogniser(options)
    const provider = await serve(double)
    const scope = openScope()
    const open = () => provider.stt!('speech')!.open({ format, signal: scope.signal, clock: realClock })
    // The first call loads the SDK, which a machine under load may take longer for than a turn has.
    const stream = await open().catch(open)
    /** Up to the next final, which is given. */
    const heard = async (): Promise<SttEvent | undefined> => {
      for (;;) {
        const { value, done } = await stream[Symbol.asyncIterator]().next()
        if (done || value.type === 'final') return value
      }
    }
    return { double, scope, stream, heard }
  }

  test.each([PCM16_16K, MULAW_8K])(
    'a sentence with times, and another in a call of its own: %o',
    async (format) => {
      const second = { text: 'Bye.', startMs: 1_300, endMs: 1_600 }
      const { double, stream, heard } = await recognise({ script: { words: [...words, second] } }, format)
      stream.write(sound(format, 1_200, 'speech'))
      stream.finalize()
      expect(await heard()).toMatchObject({ type: 'final', text: 'Hello there.', confidence: 0.9, words })
      stream.write(sound(format, 600, 'speech'))
      stream.finalize()
      expect(await heard()).toMatchObject({ text: 'Bye.', words: [second] })
      await stream.close()
      expect(double.sessions.length).toBe(2)
      expect(double.sessions[0]?.url.searchParams.get('language')).toBe('en-US')
      expect(double.mistakes).toEqual([])
    },
  )

  test.each([
    ['refuse_auth', 'auth'],
    ['refuse_quota', 'quota'],
    ['refuse_429', 'rate'],
    ['drop_mid_stream', 'transient'],
    ['error_without_context', 'transient'],
    ['close_clean_early', 'transient'],
    ['wrong_sample_rate', 'bad_request'],
  ] as const)('%s is %s', async (fault, kind) => {
    const { stream, heard } = await recognise({ script: { words, fault } })
    stream.write(sound(PCM16_16K, 400, 'speech'))
    const failure = await heard().catch((error) => error)
    expect(failure).toMatchObject({ kind, stage: 'stt' })
    expect(`${failure.message} ${JSON.stringify(failure)}`).not.toMatch(/SECRET|fake-key/)
  })

  test('a body that is no JSON makes the SDK deaf, and it says nothing of it', async () => {
    const steps = [{ atAudioMs: 100, send: '{"Text":' }]
    const { stream } = await recognise({
      script: { words, steps, fault: 'drop_mid_stream', faultAtMs: 1_000 },
    })
    for (let ms = 0; ms < 1_000; ms += 100) stream.write(sound(PCM16_16K, 100, 'speech'))
    const events: SttEvent[] = []
    const hear = async () => {
      for await (const event of stream) events.push(event)
    }
    await expect(hear()).rejects.toMatchObject({ kind: 'transient' })
    expect(events).toEqual([])
  })

  test('an abort ends the connection', async () => {
    const { double, scope, stream, heard } = await recognise({ script: { words } })
    stream.write(sound(PCM16_16K, 600, 'speech'))
    const left = heard().catch((error) => error)
    scope.cancel('hangup')
    expect(await left).toBe(scope.signal.reason)
    while (double.sessions.some(({ closed }) => !closed))
      await new Promise((resolve) => setImmediate(resolve))
  })

  test('the SDK by itself, in its other mode: one utterance', async () => {
    const double = fakeAzureRecogniser({ script: { words } })
    await serve(double)
    const sdk = await loadSdk<Sdk>('microsoft-cognitiveservices-speech-sdk')
    const config = sdk.SpeechConfig.fromHost(new URL(served!.url.replace('http', 'ws')), FAKE_KEY)
    const audio = sdk.AudioInputStream.createPushStream()
    const recogniser = new sdk.SpeechRecognizer(config, sdk.AudioConfig.fromStreamInput(audio))
    audio.write(new Uint8Array(sound(PCM16_16K, 1_200, 'speech')).buffer)
    audio.close()
    const { text } = await new Promise<{ readonly text: string }>((done) =>
      recogniser.recognizeOnceAsync(done),
    )
    recogniser.close()
    expect(text).toBe('Hello there.')
    expect(double.mistakes).toEqual([])
  })

  describe('and its voices', () => {
    test('the SDK by itself: a text, in SSML of its own', async () => {
      const double = fakeAzureVoices({ everyMs: 1 })
      await serve(double)
      const sdk = await loadSdk<Sdk>('microsoft-cognitiveservices-speech-sdk')
      const config = sdk.SpeechConfig.fromHost(new URL(served!.url.replace('http', 'ws')), AZURE_VOICES_KEY)
      config.speechSynthesisOutputFormat = sdk.SpeechSynthesisOutputFormat.Raw16Khz16BitMonoPcm
      const synthesiser = new sdk.SpeechSynthesizer(config, null)
      const { audioData } = await new Promise<{ readonly audioData: ArrayBuffer }>((done) =>
        synthesiser.speakTextAsync('Tom & <Jerry>.', done),
      )
      synthesiser.close()
      expect(audioData.byteLength).toBe(lengthOf('Tom & <Jerry>.', 50) * 32)
      expect(double.mistakes).toEqual([])
    })

    async function say(texts: readonly string[], format = PCM16_24K, options: SoundOptions = {}) {
      const double = fakeAzureVoices({ everyMs: 1, ...options })
      const provider = await serve(double)
      const { signal } = openScope()
      const opening = { voice: 'en-US-AvaNeural', format, signal, clock: realClock }
      provider.tts!('neural')!.warm?.(opening)
      const stream = await provider.tts!('neural')!.open(opening)
      for (const [index, text] of texts.entries()) stream.say({ index, text })
      stream.end()
      const events: TtsEvent[] = []
      for await (const event of stream) events.push(event)
      return { double, events }
    }

    test.each([PCM16_24K, MULAW_8K])('two sentences with times in %o', async (format) => {
      const texts = ['Tom & <Jerry>.', 'And once more.']
      const { double, events } = await say(texts, format)
      const bytesAMs = format === PCM16_24K ? 48 : 8
      for (const [index, text] of texts.entries()) {
        const own = events.filter((event) => event.sentence === index)
        const audio = own.flatMap((event) => (event.type === 'audio' ? [event.audio] : []))
        expect(Buffer.concat(audio)).toEqual(Buffer.alloc(lengthOf(text, 50) * bytesAMs, markOf(text)))
        const spoken = own.flatMap((event) => (event.type === 'words' ? event.words : []))
        expect(spoken.map((word) => word.text).join(' ')).toBe(text)
        expect(spoken.at(-1)?.endMs).toBe(lengthOf(text, 50))
      }
      expect(double.mistakes).toEqual([])
    })

    test.each([
      ['refuse_auth', 'auth'],
      ['refuse_429', 'rate'],
      ['error_in_context', 'bad_request'],
      ['error_without_context', 'transient'],
      ['drop_mid_stream', 'transient'],
      ['close_clean_early', 'transient'],
    ] as const)('%s is %s', async (fault, kind) => {
      await expect(say(['Hello.'], PCM16_24K, { fault })).rejects.toMatchObject({ kind, stage: 'tts' })
    })
  })
})
