import { describe, expect, test } from 'vitest'
import { MULAW_8K, PCM16_24K } from '../../src/audio/format.ts'
import { openScope } from '../../src/cancel.ts'
import { realClock, VirtualClock } from '../../src/clock.ts'
import { createDeepgram } from '../../src/provider/deepgram/index.ts'
import { speakModel } from '../../src/provider/deepgram/speak-wire.ts'
import type { TtsEvent, TtsOpenOptions } from '../../src/stage/tts.ts'
import { connectInMemory, serveDouble } from '../../src/testing/carrier/sockets.ts'
import { FakeSpeak, type FakeSpeakOptions, SPEAK_KEY } from '../../src/testing/tts/deepgram.ts'
import { lengthOf, markOf, type TtsFault } from '../../src/testing/tts/double.ts'
import { type TtsBench, ttsConformance } from './tts-conformance.ts'

const note = () => {}

function stage(model: string, options: Partial<FakeSpeakOptions> = {}) {
  const clock = new VirtualClock()
  const double = new FakeSpeak({ clock, ...options })
  const memory = connectInMemory(double.server)
  const settings = { name: 'deepgram', apiKey: SPEAK_KEY, connect: memory.connect }
  const provider = createDeepgram({ clock, note }, settings)
  const adapter = provider.tts!(model)!
  const open = async (more: Partial<TtsOpenOptions> = {}) => {
    const { signal } = openScope()
    const opening = adapter.open({ voice: 'thalia', format: PCM16_24K, signal, clock, ...more })
    opening.catch(() => {})
    await clock.advance(0)
    return opening
  }
  return { clock, double, memory, provider, adapter, open }
}

function bench(model: string, blind: TtsFault[], options: Partial<FakeSpeakOptions> = {}): TtsBench {
  const { clock, double, memory, provider, adapter } = stage(model, options)
  return {
    adapter,
    clock,
    format: PCM16_24K,
    soundMs: (text) => lengthOf(text, 50),
    mark: markOf,
    fault: (fault, sentence) => double.faults.plan(fault, sentence),
    shares: 'nothing',
    blind,
    mistakes: () => double.mistakes,
    open: () => memory.open,
    close: () => provider.close(),
  }
}

ttsConformance('Deepgram Aura', () => bench('aura-2', ['wrong_sample_rate']))
ttsConformance('Deepgram Aura, a cleared flush is answered late', () =>
  bench('aura-2', ['wrong_sample_rate'], { clearedFlush: 'answered late' }),
)
ttsConformance('Deepgram Flux TTS', () => bench('flux-tts', []))

async function all(events: AsyncIterable<TtsEvent>): Promise<TtsEvent[]> {
  const got: TtsEvent[] = []
  for await (const event of events) got.push(event)
  return got
}

describe('voices of Deepgram', () => {
  test.each([
    ['aura-2', 'thalia', undefined, 'aura-2-thalia-en'],
    ['aura-2', 'celeste', 'es-MX', 'aura-2-celeste-es'],
    ['aura-2', 'celeste-es', 'en', 'aura-2-celeste-es'],
    ['aura-2', 'aura-2-zeus-en', undefined, 'aura-2-zeus-en'],
    ['aura-2-thalia-en', '', undefined, 'aura-2-thalia-en'],
    ['aura-1', 'asteria', undefined, 'aura-asteria-en'],
    ['flux-tts', 'alexis', 'en-US', 'flux-alexis-en'],
    ['flux-alexis-en', '', undefined, 'flux-alexis-en'],
    ['aura-2', '', undefined, undefined],
    ['aura-2', 'thalia&speed=9', undefined, undefined],
  ])('model %s, voice %j, language %s is %s', (model, voice, language, wanted) => {
    expect(speakModel(model, voice, language)).toBe(wanted)
  })

  test('ears and voices are told apart by the model', () => {
    const { provider } = stage('aura-2')
    expect(provider.tts!('nova-3')).toBeUndefined()
    expect(provider.tts!('flux-general-en')).toBeUndefined()
    expect(provider.tts!('flux-alexis-en')).toBeDefined()
  })

  test('each sentence is spoken and flushed, two at once; the address has the rest', async () => {
    const { clock, double, open } = stage('aura-2')
    const stream = await open({ speed: 0.5, format: MULAW_8K })
    const reading = all(stream)
    for (const index of [0, 1, 2]) stream.say({ index, text: `Number ${index}.` })
    await clock.advance(0)
    expect(double.frames).toEqual([
      { type: 'Speak', text: 'Number 0.' },
      { type: 'Flush' },
      { type: 'Speak', text: 'Number 1.' },
      { type: 'Flush' },
    ])
    stream.end()
    await clock.advance(5_000)
    await reading
    expect(String(double.addresses[0]?.searchParams)).toBe(
      'model=aura-2-thalia-en&encoding=mulaw&sample_rate=8000&speed=0.7',
    )
  })

  test('a cut answer is cleared, and its socket is free again when that is confirmed', async () => {
    const { clock, double, open } = stage('aura-2')
    const scope = openScope()
    const cut = await open({ signal: scope.signal })
    cut.say({ index: 0, text: 'A rather long sentence, to be cut.' })
    cut.say({ index: 1, text: 'And another.' })
    await clock.advance(30)
    scope.cancel('barge-in')
    await clock.advance(0)
    expect(double.frames.filter((frame) => frame['type'] === 'Clear').length).toBe(1)
    // Not confirmed yet: this one has a socket of its own.
    await open()
    expect(double.addresses.length).toBe(2)
    await clock.advance(100)
    const next = await open()
    expect(double.addresses.length).toBe(2)
    const reading = all(next)
    next.say({ index: 0, text: 'Hello again.' })
    next.end()
    await clock.advance(5_000)
    const sound = (await reading).flatMap((event) => (event.type === 'audio' ? [...event.audio] : []))
    expect(new Set(sound)).toEqual(new Set([markOf('Hello again.')]))
  })

  test('a cleared flush that is answered late does not end the next sentence', async () => {
    const { clock, double, open } = stage('aura-2', { clearedFlush: 'answered late', firstAudioMs: 100 })
    const scope = openScope()
    const cut = await open({ signal: scope.signal })
    cut.say({ index: 0, text: 'A rather long sentence, to be cut.' })
    await clock.advance(200)
    scope.cancel('barge-in')
    await clock.advance(30)
    const next = await open()
    const reading = all(next)
    next.say({ index: 0, text: 'Hello again.' })
    next.end()
    await clock.advance(5_000)
    expect((await reading).at(-1)).toEqual({ type: 'sentenceDone', sentence: 0 })
    expect(double.addresses.length).toBe(1)
  })

  test('under v2 a cut socket is closed', async () => {
    const { clock, memory, open } = stage('flux-tts')
    const scope = openScope()
    const cut = await open({ signal: scope.signal })
    cut.say({ index: 0, text: 'A rather long sentence, to be cut.' })
    await clock.advance(30)
    scope.cancel('barge-in')
    await clock.advance(0)
    expect(memory.open).toBe(0)
  })

  test('more than twenty short sentences a minute: another socket goes on, no flush is refused', async () => {
    const { clock, double, open } = stage('aura-2')
    const stream = await open()
    const reading = all(stream)
    const texts = Array.from({ length: 45 }, (_, i) => `No ${i}.`)
    for (const [index, text] of texts.entries()) stream.say({ index, text })
    stream.end()
    await clock.advance(20_000)
    const events = await reading
    expect(events.filter((event) => event.type === 'sentenceDone').length).toBe(45)
    expect(double.addresses.length).toBe(3)
    expect(double.mistakes).toEqual([])
  })

  test('an idle socket is closed, with goodbye', async () => {
    const { clock, double, memory, open } = stage('aura-2')
    const stream = await open()
    stream.end()
    await all(stream)
    await clock.advance(59_000)
    expect(memory.open).toBe(1)
    await clock.advance(2_000)
    expect(memory.open).toBe(0)
    expect(double.frames.at(-1)).toEqual({ type: 'Close' })
  })

  test('what it cannot do is refused before anything is sent', async () => {
    const { double, open } = stage('aura-2')
    await expect(open({ voice: '' })).rejects.toMatchObject({ kind: 'bad_request' })
    await expect(open({ voice: 'flux-alexis-en' })).rejects.toMatchObject({ kind: 'bad_request' })
    expect(double.addresses).toEqual([])
  })
})

describe('voices of Deepgram over a real socket', () => {
  test.each(['aura-2', 'flux-tts'])('%s: an answer in µ-law, twice on one connection', async (model) => {
    const double = new FakeSpeak({ clock: realClock, everyMs: 1 })
    const served = await serveDouble(double.server)
    const settings = { name: 'deepgram', apiKey: SPEAK_KEY, baseUrl: served.url }
    const provider = createDeepgram({ clock: realClock, note }, settings)
    for (const text of ['Hello there.', 'And once more.']) {
      const { signal } = openScope()
      const opening = { voice: 'thalia', format: MULAW_8K, signal, clock: realClock }
      const stream = await provider.tts!(model)!.open(opening)
      stream.say({ index: 0, text })
      stream.end()
      const sound = (await all(stream)).flatMap((event) => (event.type === 'audio' ? [event.audio] : []))
      expect(Buffer.concat(sound)).toEqual(Buffer.alloc(lengthOf(text, 50) * 8, markOf(text)))
    }
    expect(double.addresses.length).toBe(1)
    expect(double.mistakes).toEqual([])
    await provider.close()
    expect(served.open).toBe(0)
    await served.close()
  })
})
