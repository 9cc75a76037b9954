import { describe, expect, test } from 'vitest'
import { openScope } from '../../src/cancel.ts'
import { realClock, VirtualClock } from '../../src/clock.ts'
import { createHume } from '../../src/provider/hume/index.ts'
import type { TtsEvent, TtsOpenOptions } from '../../src/stage/tts.ts'
import { connectInMemory, serveDouble } from '../../src/testing/carrier/sockets.ts'
import { lengthOf, markOf } from '../../src/testing/tts/double.ts'
import { FakeHume, type FakeHumeOptions, HUME_KEY } from '../../src/testing/tts/hume.ts'
import { type TtsBench, ttsConformance } from './tts-conformance.ts'

const note = () => {}
const PCM16_48K = { encoding: 'pcm16', sampleRateHz: 48_000 } as const

function stage(options: Partial<FakeHumeOptions> = {}, model = 'octave-2') {
  const clock = new VirtualClock()
  const double = new FakeHume({ clock, ...options })
  const memory = connectInMemory(double.server)
  const provider = createHume({ clock, note }, { name: 'hume', apiKey: HUME_KEY, connect: memory.connect })
  const adapter = provider.tts!(model)!
  const open = async (more: Partial<TtsOpenOptions> = {}) => {
    const { signal } = openScope()
    const opening = adapter.open({ voice: 'Ava Song', format: PCM16_48K, signal, clock, ...more })
    opening.catch(() => {})
    await clock.advance(0)
    return opening
  }
  return { clock, double, memory, provider, adapter, open }
}

function bench(options: Partial<FakeHumeOptions> = {}, model?: string): TtsBench {
  const { clock, double, memory, provider, adapter } = stage(options, model)
  return {
    adapter,
    clock,
    format: PCM16_48K,
    soundMs: (text) => lengthOf(text, 50),
    mark: markOf,
    fault: (fault, sentence) => double.faults.plan(fault, sentence),
    shares: 'nothing',
    blind: adapter.caps.times === 'none' ? ['wrong_sample_rate'] : [],
    mistakes: () => double.mistakes,
    open: () => memory.open,
    close: () => provider.close(),
  }
}

ttsConformance('Hume', () => bench())
ttsConformance('Hume, times from the connection', () => bench({ times: 'from the connection' }))
ttsConformance('Hume, a sentence in two snippets', () => bench({ snippets: 'two a text' }))
ttsConformance('Hume, Octave 1, without times', () => bench({}, 'octave-1'))

async function all(events: AsyncIterable<TtsEvent>): Promise<TtsEvent[]> {
  const got: TtsEvent[] = []
  for await (const event of events) got.push(event)
  return got
}

describe('Hume', () => {
  test('a sentence is sent with its voice and flushed; the address has the rest', async () => {
    const { clock, double, open } = stage()
    const stream = await open({ speed: 3 })
    const reading = all(stream)
    stream.say({ index: 0, text: 'Hello there.' })
    stream.end()
    await clock.advance(2_000)
    await reading
    expect(double.frames).toEqual([
      { text: 'Hello there.', voice: { name: 'Ava Song', provider: 'HUME_AI' }, speed: 1.5, flush: true },
    ])
    expect(String(double.addresses[0]?.searchParams)).toBe(
      'format_type=pcm&instant_mode=true&no_binary=true&strip_headers=true&version=2&include_timestamp_types=word',
    )
  })

  test.each([
    [
      '5bb7de05-c8fe-426a-8fcc-ba4fc4ce9f9c',
      { id: '5bb7de05-c8fe-426a-8fcc-ba4fc4ce9f9c', provider: 'HUME_AI' },
    ],
    ['custom:Mine', { name: 'Mine', provider: 'CUSTOM_VOICE' }],
  ])('the voice %s', async (voice, sent) => {
    const { clock, double, open } = stage()
    const stream = await open({ voice })
    stream.say({ index: 0, text: 'Hello.' })
    await clock.advance(0)
    expect(double.frames[0]?.['voice']).toEqual(sent)
  })

  test('the same voice is answered on the same socket, another on another', async () => {
    const { clock, double, open } = stage()
    for (const voice of ['Ava Song', 'Ava Song', 'Kora']) {
      const stream = await open({ voice })
      const reading = all(stream)
      stream.say({ index: 0, text: 'Hello.' })
      stream.end()
      await clock.advance(2_000)
      await reading
    }
    expect(double.addresses.length).toBe(2)
  })

  test('an interruption closes the socket: nothing can be called back', async () => {
    const { clock, memory, open } = stage()
    const scope = openScope()
    const stream = await open({ signal: scope.signal })
    stream.say({ index: 0, text: 'A rather long sentence, to be cut.' })
    await clock.advance(30)
    scope.cancel('barge-in')
    await clock.advance(1_000)
    expect(memory.open).toBe(0)
  })

  test('times that begin anew with each snippet go on', async () => {
    const { clock, open, double } = stage({ times: 'from the snippet', snippets: 'two a text' })
    const stream = await open()
    const reading = all(stream)
    stream.say({ index: 0, text: 'Twelve men came in.' })
    stream.end()
    await clock.advance(3_000)
    const words = (await reading).flatMap((event) => (event.type === 'words' ? event.words : []))
    expect(words.map((word) => word.text).join(' ')).toBe('Twelve men came in.')
    const times = words.map((word) => word.startMs)
    expect(times).toEqual([...times].sort((a, b) => a - b))
    expect(double.mistakes).toEqual([])
  })

  test('over a real socket: an answer, twice on one connection', async () => {
    const double = new FakeHume({ clock: realClock, everyMs: 1 })
    const served = await serveDouble(double.server)
    const provider = createHume(
      { clock: realClock, note },
      { name: 'hume', apiKey: HUME_KEY, baseUrl: served.url },
    )
    for (const text of ['Hello there.', 'And once more.']) {
      const { signal } = openScope()
      const opening = { voice: 'Ava Song', format: PCM16_48K, signal, clock: realClock }
      const stream = await provider.tts!('octave-2')!.open(opening)
      stream.say({ index: 0, text })
      stream.end()
      const sound = (await all(stream)).flatMap((event) => (event.type === 'audio' ? [event.audio] : []))
      expect(Buffer.concat(sound)).toEqual(Buffer.alloc(lengthOf(text, 50) * 96, markOf(text)))
    }
    expect(double.addresses.length).toBe(1)
    expect(double.mistakes).toEqual([])
    await provider.close()
    expect(served.open).toBe(0)
    await served.close()
  })
})
