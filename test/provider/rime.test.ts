import { describe, expect, test } from 'vitest'
import { MULAW_8K, PCM16_24K } from '../../src/audio/format.ts'
import { openScope } from '../../src/cancel.ts'
import { realClock, VirtualClock } from '../../src/clock.ts'
import { createRime } from '../../src/provider/rime/index.ts'
import type { TtsEvent, TtsOpenOptions } from '../../src/stage/tts.ts'
import { connectInMemory, serveDouble } from '../../src/testing/carrier/sockets.ts'
import { lengthOf, markOf } from '../../src/testing/tts/double.ts'
import { FakeRime, type FakeRimeOptions, RIME_KEY } from '../../src/testing/tts/rime.ts'
import { type TtsBench, ttsConformance } from './tts-conformance.ts'

const note = () => {}

function stage(options: Partial<FakeRimeOptions> = {}, model = 'coda') {
  const clock = new VirtualClock()
  const double = new FakeRime({ clock, ...options })
  const memory = connectInMemory(double.server)
  const provider = createRime({ clock, note }, { name: 'rime', apiKey: RIME_KEY, connect: memory.connect })
  const adapter = provider.tts!(model)!
  const open = async (more: Partial<TtsOpenOptions> = {}) => {
    const { signal } = openScope()
    const opening = adapter.open({ voice: 'astra', format: PCM16_24K, signal, clock, ...more })
    opening.catch(() => {})
    await clock.advance(0)
    return opening
  }
  return { clock, double, memory, provider, adapter, open }
}

function bench(options: Partial<FakeRimeOptions> = {}): TtsBench {
  const { clock, double, memory, provider, adapter } = stage(options)
  return {
    adapter,
    clock,
    format: PCM16_24K,
    soundMs: (text) => lengthOf(text, 50),
    mark: markOf,
    fault: (fault, sentence) => double.faults.plan(fault, sentence),
    shares: 'nothing',
    blind: ['duplicate_final'],
    mistakes: () => double.mistakes,
    open: () => memory.open,
    close: () => provider.close(),
  }
}

ttsConformance('Rime', () => bench())
ttsConformance('Rime, all times of a sentence first', () => bench({ times: 'once, first' }))

async function all(events: AsyncIterable<TtsEvent>): Promise<TtsEvent[]> {
  const got: TtsEvent[] = []
  for await (const event of events) got.push(event)
  return got
}

describe('Rime', () => {
  test('a sentence is sent and flushed; the address has the rest', async () => {
    const { clock, double, open } = stage()
    const stream = await open({ language: 'es-MX', format: MULAW_8K, speed: 1.2 })
    const reading = all(stream)
    stream.say({ index: 0, text: 'Buenos días.' })
    stream.end()
    await clock.advance(2_000)
    await reading
    expect(double.frames).toEqual([{ text: 'Buenos días. ' }, { operation: 'flush' }])
    expect(String(double.addresses[0]?.searchParams)).toBe(
      'speaker=astra&modelId=coda&audioFormat=mulaw&samplingRate=8000&segment=never&lang=spa',
    )
  })

  test('a pace is told to the model that knows it', async () => {
    const { double, open } = stage({}, 'mistv3')
    await open({ speed: 5 })
    expect(double.addresses[0]?.searchParams.get('speedAlpha')).toBe('2')
  })

  test('never two utterances are held: they would become one', async () => {
    const { clock, double, open } = stage({ firstAudioMs: 300 })
    const stream = await open()
    const reading = all(stream)
    for (const index of [0, 1, 2, 3, 4]) stream.say({ index, text: `This is number ${index}.` })
    stream.end()
    await clock.advance(20_000)
    expect((await reading).filter((event) => event.type === 'sentenceDone').length).toBe(5)
    expect(double.mistakes).toEqual([])
  })

  test('an interruption clears the buffer and closes the socket', async () => {
    const { clock, double, memory, open } = stage()
    const scope = openScope()
    const stream = await open({ signal: scope.signal })
    stream.say({ index: 0, text: 'A rather long sentence, to be cut.' })
    stream.say({ index: 1, text: 'And another.' })
    await clock.advance(30)
    scope.cancel('barge-in')
    await clock.advance(0)
    expect(double.frames.at(-1)).toEqual({ operation: 'clear' })
    expect(memory.open).toBe(0)
  })

  test('a language without times: the answer has none, and is whole', async () => {
    const { clock, open } = stage({ times: 'none' })
    const stream = await open({ language: 'hi' })
    const reading = all(stream)
    stream.say({ index: 0, text: 'Namaste.' })
    stream.end()
    await clock.advance(2_000)
    const events = await reading
    expect(events.at(-1)).toEqual({ type: 'sentenceDone', sentence: 0 })
    expect(events.some((event) => event.type === 'words')).toBe(false)
  })

  test('over a real socket: an answer in µ-law, twice on one connection', async () => {
    const double = new FakeRime({ clock: realClock, everyMs: 1 })
    const served = await serveDouble(double.server)
    const settings = { name: 'rime', apiKey: RIME_KEY, baseUrl: served.url }
    const provider = createRime({ clock: realClock, note }, settings)
    for (const text of ['Hello there.', 'And once more.']) {
      const { signal } = openScope()
      const opening = { voice: 'astra', format: MULAW_8K, signal, clock: realClock }
      const stream = await provider.tts!('coda')!.open(opening)
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
