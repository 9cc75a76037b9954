/** Google's SDKs between our adapter and our doubles, over gRPC on loopback: they check both. */
import { afterEach, describe, expect, test } from 'vitest'
import { MULAW_8K, PCM16_16K, PCM16_24K } from '../../src/audio/format.ts'
import { openScope } from '../../src/cancel.ts'
import { realClock } from '../../src/clock.ts'
import type { Provider } from '../../src/stage/provider.ts'
import type { SttEvent } from '../../src/stage/stt.ts'
import type { TtsEvent } from '../../src/stage/tts.ts'
import type { Double } from '../../src/testing/double.ts'
import {
  type FakeGoogleRecogniserOptions,
  fakeGoogleRecogniser,
  fakeGoogleVoices,
  type SoundOptions,
  type Started,
  startDouble,
} from '../../src/testing/index.ts'
import { lengthOf, markOf } from '../../src/testing/tts/double.ts'
import { sound } from '../support/stages.ts'
import { describeSdk } from './installed.ts'
import { providerAt } from './provider-at.ts'

const words = [
  { text: 'Hello', startMs: 100, endMs: 400 },
  { text: 'there.', startMs: 450, endMs: 900 },
]

describeSdk('@google-cloud/speech', () => {
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

  async function recognise(options: FakeGoogleRecogniserOptions = {}) {
    const double = fakeGoogleRecogniser(options)
    const provider = await serve(double)
    const scope = openScope()
    // The first call loads the SDK, which a machine under load may take longer for than a turn has.
    const open = () =>
      provider.stt!('chirp_3')!.open({ format: PCM16_16K, signal: scope.signal, clock: realClock })
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

  test('a sentence with times, and another in a call of its own', async () => {
    const second = { text: 'Bye.', startMs: 1_300, endMs: 1_600 }
    const { double, stream, heard } = await recognise({ script: { words: [...words, second] } })
    stream.write(sound(PCM16_16K, 1_200, 'speech'))
    stream.finalize()
    expect(await heard()).toEqual({
      type: 'final',
      text: 'Hello there.',
      language: 'en-us',
      confidence: expect.closeTo(0.9, 5),
      words,
    })
    stream.write(sound(PCM16_16K, 600, 'speech'))
    stream.finalize()
    expect(await heard()).toMatchObject({ text: 'Bye.', words: [second] })
    await stream.close()
    expect(double.configs.length).toBe(2)
    expect(double.mistakes).toEqual([])
  })

  test.each([
    ['refuse_auth', 'auth'],
    ['refuse_429', 'rate'],
    ['refuse_quota', 'quota'],
    ['drop_mid_stream', 'transient'],
    ['malformed_json', 'transient'],
    ['error_without_context', 'transient'],
    ['close_clean_early', 'transient'],
    ['wrong_sample_rate', 'bad_request'],
  ] as const)('%s is %s, and no sentence of the server is told', async (fault, kind) => {
    const { stream, heard } = await recognise({ script: { words, fault } })
    stream.write(sound(PCM16_16K, 400, 'speech'))
    const failure = await heard().catch((error) => error)
    expect(failure).toMatchObject({
      kind,
      stage: 'stt',
      ...(fault === 'refuse_429' && { retryAfterMs: 7_000 }),
    })
    expect(`${failure.message} ${JSON.stringify(failure)}`).not.toContain('SECRET')
  })

  test('a server that takes the connection and says nothing: the abort is heard', async () => {
    const provider = await serve(fakeGoogleRecogniser({ fault: 'hang_on_connect' }))
    const scope = openScope()
    const opening = provider.stt!('chirp_3')!.open({
      format: PCM16_16K,
      signal: scope.signal,
      clock: realClock,
    })
    const left = opening.catch((error) => error)
    while (served!.connections === 0) await new Promise((resolve) => setImmediate(resolve))
    scope.cancel('hangup')
    expect(await left).toBe(scope.signal.reason)
  })

  test('an abort ends the call at the server', async () => {
    const { double, scope, stream, heard } = await recognise({ script: { words, answerMs: 1 } })
    stream.write(sound(PCM16_16K, 600, 'speech'))
    const left = heard().catch((error) => error)
    scope.cancel('hangup')
    expect(await left).toBe(scope.signal.reason)
    while (double.sessions.some(({ closed }) => !closed))
      await new Promise((resolve) => setImmediate(resolve))
  })

  describe('and its voices', () => {
    async function say(texts: readonly string[], format = PCM16_24K, options: SoundOptions = {}) {
      const double = fakeGoogleVoices({ everyMs: 1, ...options })
      const provider = await serve(double)
      const { signal } = openScope()
      provider.tts!('chirp-3-hd')!.warm?.({ voice: 'Charon', format })
      const stream = await provider.tts!('chirp-3-hd')!.open({
        voice: 'Charon',
        format,
        signal,
        clock: realClock,
      })
      for (const [index, text] of texts.entries()) stream.say({ index, text })
      stream.end()
      const events: TtsEvent[] = []
      for await (const event of stream) events.push(event)
      return { double, events }
    }

    test.each([PCM16_24K, MULAW_8K])('two sentences in %o', async (format) => {
      const texts = ['Hello there.', 'And once more.']
      const { double, events } = await say(texts, format)
      const bytesAMs = format === PCM16_24K ? 48 : 8
      for (const [index, text] of texts.entries()) {
        const own = events.flatMap((event) =>
          event.type === 'audio' && event.sentence === index ? [event.audio] : [],
        )
        expect(Buffer.concat(own)).toEqual(Buffer.alloc(lengthOf(text, 50) * bytesAMs, markOf(text)))
      }
      // Two calls at once, in whichever order.
      expect([...double.texts].sort()).toEqual([...texts].sort())
      expect(double.mistakes).toEqual([])
    })

    test.each([
      ['error_in_context', 'bad_request'],
      ['error_without_context', 'transient'],
      ['drop_mid_stream', 'transient'],
      ['malformed_json', 'transient'],
      ['refuse_auth', 'auth'],
      ['refuse_429', 'rate'],
    ] as const)('%s is %s', async (fault, kind) => {
      await expect(say(['Hello.'], PCM16_24K, { fault })).rejects.toMatchObject({ kind, stage: 'tts' })
    })
  })
})
