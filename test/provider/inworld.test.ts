import { describe, expect, test } from 'vitest'
import { MULAW_8K, PCM16_24K } from '../../src/audio/format.ts'
import { openScope } from '../../src/cancel.ts'
import { realClock, VirtualClock } from '../../src/clock.ts'
import { createInworld } from '../../src/provider/inworld/index.ts'
import type { TtsEvent, TtsOpenOptions } from '../../src/stage/tts.ts'
import { serveHttpDouble } from '../../src/testing/carrier/http.ts'
import { MemoryDispatcher } from '../../src/testing/carrier/http-memory.ts'
import { lengthOf, markOf } from '../../src/testing/tts/double.ts'
import { FakeInworld, type FakeInworldOptions, INWORLD_KEY } from '../../src/testing/tts/inworld.ts'
import { type TtsBench, ttsConformance } from './tts-conformance.ts'

const note = () => {}

function stage(options: Partial<FakeInworldOptions> = {}, model = 'inworld-tts-1.5-max') {
  const clock = new VirtualClock()
  const double = new FakeInworld({ clock, ...options })
  const memory = new MemoryDispatcher(double.http)
  const settings = { name: 'inworld', apiKey: INWORLD_KEY, dispatcher: memory }
  const provider = createInworld({ clock, note }, settings)
  const adapter = provider.tts!(model)!
  const open = (more: Partial<TtsOpenOptions> = {}) =>
    adapter.open({ voice: 'Ashley', format: PCM16_24K, signal: openScope().signal, clock, ...more })
  return { clock, double, memory, provider, adapter, open }
}

function bench(options: Partial<FakeInworldOptions> = {}): TtsBench {
  const { clock, double, memory, provider, adapter } = stage(options)
  return {
    adapter,
    clock,
    format: PCM16_24K,
    soundMs: (text) => lengthOf(text, 50),
    mark: markOf,
    fault: (fault, sentence) => double.faults.plan(fault, sentence),
    connects: 'with the first sentence',
    shares: 'nothing',
    blind: ['close_clean_early'],
    mistakes: () => double.mistakes,
    open: () => memory.open,
    close: () => provider.close(),
  }
}

ttsConformance('Inworld', () => bench())
ttsConformance('Inworld with a header on every chunk', () => bench({ headers: 'on every chunk' }))

async function all(events: AsyncIterable<TtsEvent>): Promise<TtsEvent[]> {
  const got: TtsEvent[] = []
  for await (const event of events) got.push(event)
  return got
}

describe('Inworld', () => {
  test('a voice that gave times before was cut off where it gives none; one that never did cannot be told from a quick one', async () => {
    const { clock, double, open } = stage()
    const said = async (text: string, more: Partial<TtsOpenOptions> = {}) => {
      const stream = await open(more)
      const reading = all(stream).then(
        (events) => events.at(-1)?.type,
        (error) => error,
      )
      stream.say({ index: 0, text })
      stream.end()
      await clock.advance(5_000)
      return reading
    }
    double.faults.plan('close_clean_early', 0)
    expect(await said('The first sentence of all.')).toBe('sentenceDone')
    expect(await said('One that is whole.')).toBe('sentenceDone')
    double.faults.plan('close_clean_early', 0)
    const error = await said('One that is cut off.')
    expect(error).toMatchObject({ stage: 'tts', kind: 'transient', retryable: true })
    // Of another language nothing is known.
    double.faults.plan('close_clean_early', 0)
    expect(await said('Uma outra.', { language: 'pt-BR' })).toBe('sentenceDone')
  })

  test('what is asked for', async () => {
    const { clock, double, open } = stage({}, 'inworld-tts-2')
    const stream = await open({ speed: 3, language: 'pt-BR', format: MULAW_8K })
    const reading = all(stream)
    stream.say({ index: 0, text: 'Bom dia.' })
    stream.end()
    await clock.advance(2_000)
    await reading
    expect(double.bodies).toEqual([
      {
        text: 'Bom dia.',
        voiceId: 'Ashley',
        modelId: 'inworld-tts-2',
        audioConfig: { audioEncoding: 'MULAW', sampleRateHertz: 8_000, speakingRate: 1.5 },
        timestampType: 'WORD',
        timestampTransportStrategy: 'ASYNC',
        language: 'pt-BR',
      },
    ])
  })

  test('a language is not told to models that have none', async () => {
    const { clock, double, open } = stage()
    const stream = await open({ language: 'en' })
    stream.say({ index: 0, text: 'Hello.' })
    await clock.advance(2_000)
    expect(double.bodies[0]).not.toHaveProperty('language')
  })

  test('times that fall back inside a sentence go on where they were', async () => {
    const { clock, open } = stage({ times: 'fall back' })
    const stream = await open()
    const reading = all(stream)
    const text = 'This sentence has some words in it.'
    stream.say({ index: 0, text })
    stream.end()
    await clock.advance(5_000)
    const words = (await reading).flatMap((event) => (event.type === 'words' ? event.words : []))
    expect(words.map((word) => word.text).join(' ')).toBe(text)
    const times = words.flatMap((word) => [word.startMs, word.endMs])
    expect(times).toEqual([...times].sort((a, b) => a - b))
  })

  test('over a real socket: two sentences, and a refusal', async () => {
    const double = new FakeInworld({ clock: realClock, everyMs: 1 })
    const served = await serveHttpDouble(double.http)
    const provider = createInworld(
      { clock: realClock, note },
      { name: 'inworld', apiKey: INWORLD_KEY, baseUrl: served.url },
    )
    const opening = { voice: 'Ashley', format: MULAW_8K, signal: openScope().signal, clock: realClock }
    const stream = await provider.tts!('inworld-tts-1.5-max')!.open(opening)
    const texts = ['Hello there.', 'How are you?']
    for (const [index, text] of texts.entries()) stream.say({ index, text })
    stream.end()
    const events = await all(stream)
    for (const [index, text] of texts.entries()) {
      const sound = events.flatMap((event) =>
        event.type === 'audio' && event.sentence === index ? [event.audio] : [],
      )
      expect(Buffer.concat(sound)).toEqual(Buffer.alloc(lengthOf(text, 50) * 8, markOf(text)))
    }
    double.faults.plan('refuse_auth')
    const refused = await provider.tts!('inworld-tts-1.5-max')!.open(opening)
    refused.say({ index: 0, text: 'Hello.' })
    await expect(all(refused)).rejects.toMatchObject({ kind: 'auth', stage: 'tts' })
    await provider.close()
    await served.close()
    expect(double.mistakes).toEqual([])
  })
})
