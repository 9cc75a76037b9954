import { describe, expect, test } from 'vitest'
import { MULAW_8K, PCM16_24K } from '../../src/audio/format.ts'
import { openScope } from '../../src/cancel.ts'
import { realClock, VirtualClock } from '../../src/clock.ts'
import { createCartesia } from '../../src/provider/cartesia/index.ts'
import type { TtsEvent, TtsOpenOptions } from '../../src/stage/tts.ts'
import { connectInMemory, type DoubleServer, serveDouble } from '../../src/testing/carrier/sockets.ts'
import { CARTESIA_KEY, FakeCartesia, type FakeCartesiaOptions } from '../../src/testing/tts/cartesia.ts'
import { lengthOf, markOf } from '../../src/testing/tts/double.ts'
import { type TtsBench, ttsConformance } from './tts-conformance.ts'

const note = () => {}

function stage(options: Partial<FakeCartesiaOptions> = {}) {
  const clock = new VirtualClock()
  const double = new FakeCartesia({ clock, ...options })
  const memory = connectInMemory(double.server)
  const provider = createCartesia(
    { clock, note },
    { name: 'cartesia', apiKey: CARTESIA_KEY, connect: memory.connect },
  )
  const adapter = provider.tts!('sonic-3')!
  const open = async (more: Partial<TtsOpenOptions> = {}) => {
    const { signal } = openScope()
    const opening = adapter.open({ voice: 'anna', format: PCM16_24K, signal, clock, ...more })
    opening.catch(() => {})
    await clock.advance(0)
    return opening
  }
  const frames = () => double.frames.splice(0)
  return { clock, double, memory, provider, adapter, open, frames }
}

function bench(options: Partial<FakeCartesiaOptions> = {}): TtsBench {
  const { clock, double, memory, provider, adapter } = stage(options)
  return {
    adapter,
    clock,
    format: PCM16_24K,
    soundMs: (text) => lengthOf(text, 50),
    mark: markOf,
    fault: (fault, sentence) => double.faults.plan(fault, sentence),
    mistakes: () => double.mistakes,
    open: () => memory.open,
    close: () => provider.close(),
  }
}

ttsConformance('Cartesia', () => bench())
ttsConformance('Cartesia, the open questions answered otherwise', () =>
  bench({ flushDone: 'the next number', wordTimes: 'from the flush', oldContext: 'says done' }),
)
ttsConformance('Cartesia without flush ids', () => bench({ flushIds: 'no' }))

async function all(events: AsyncIterable<TtsEvent>): Promise<TtsEvent[]> {
  const got: TtsEvent[] = []
  for await (const event of events) got.push(event)
  return got
}

describe('Cartesia', () => {
  test('an answer is a context, each sentence followed by a flush, all settings alike', async () => {
    const { clock, double, open, frames } = stage()
    const stream = await open({ language: 'pt-BR', speed: 3 })
    const reading = all(stream)
    stream.say({ index: 0, text: 'Bom dia.' })
    stream.say({ index: 1, text: 'Tudo bem?' })
    stream.end()
    await clock.advance(5_000)
    const sent = frames()
    const [first] = sent
    expect(first).toMatchObject({
      model_id: 'sonic-3',
      voice: { mode: 'id', id: 'anna' },
      output_format: { container: 'raw', encoding: 'pcm_s16le', sample_rate: 24_000 },
      language: 'pt',
      generation_config: { speed: 1.5 },
      add_timestamps: true,
      max_buffer_delay_ms: 0,
    })
    const own = sent.map(({ transcript, continue: goesOn, flush }) => [transcript, goesOn, flush])
    expect(own).toEqual([
      ['Bom dia. ', true, undefined],
      ['', true, true],
      ['Tudo bem? ', true, undefined],
      ['', true, true],
      ['', false, undefined],
    ])
    expect(double.contexts.size).toBe(1)
    expect(double.addresses[0]?.searchParams.get('cartesia_version')).toBe('2026-08-14')
    expect((await reading).at(-1)).toEqual({ type: 'sentenceDone', sentence: 1 })
    expect(double.active).toBe(0)
  })

  test('a sentence in time goes on in the same context, a late one begins another', async () => {
    const { clock, double, open, frames } = stage()
    const stream = await open()
    const reading = all(stream)
    stream.say({ index: 0, text: 'One.' })
    await clock.advance(400)
    stream.say({ index: 1, text: 'Two.' })
    await clock.advance(700)
    stream.say({ index: 2, text: 'Three.' })
    await clock.advance(2_000)
    stream.end()
    await clock.advance(100)
    await reading
    const ids = frames().map((frame) => frame['context_id'])
    expect(new Set(ids.slice(0, 4)).size).toBe(1)
    expect(new Set(ids).size).toBe(2)
    // Nothing went to the dead context, not even its end.
    expect(ids.length).toBe(6)
    expect(double.mistakes).toEqual([])
  })

  test('without `flush_done` the ids tell where a sentence ends', async () => {
    const { clock, open } = stage({ flushDone: 'none' })
    const stream = await open()
    const reading = all(stream)
    for (const index of [0, 1, 2]) stream.say({ index, text: `Number ${index}.` })
    stream.end()
    await clock.advance(5_000)
    const events = await reading
    expect(events.flatMap((event) => (event.type === 'sentenceDone' ? [event.sentence] : []))).toEqual([
      0, 1, 2,
    ])
    for (const index of [0, 1, 2]) {
      const sound = events.flatMap((event) =>
        event.type === 'audio' && event.sentence === index ? [...event.audio] : [],
      )
      expect([...new Set(sound)]).toEqual([markOf(`Number ${index}.`)])
    }
  })

  test('a cancel is told to the provider, and only while something is outstanding', async () => {
    const { clock, double, open, frames } = stage()
    const scope = openScope()
    const stream = await open({ signal: scope.signal })
    stream.say({ index: 0, text: 'A rather long sentence, to be cut.' })
    stream.say({ index: 1, text: 'And another.' })
    await clock.advance(30)
    frames()
    scope.cancel('barge-in')
    await clock.advance(0)
    expect(frames()).toEqual([{ context_id: [...double.contexts][0], cancel: true }])
    await clock.advance(5_000)
    expect(double.active).toBe(0)

    const quiet = openScope()
    const second = await open({ signal: quiet.signal })
    second.say({ index: 0, text: 'Short.' })
    await clock.advance(400)
    frames()
    quiet.cancel('barge-in')
    await clock.advance(0)
    expect(frames()).toEqual([])
  })

  test('a context that ends before its text was spoken is a rollover, not a fault', async () => {
    const { clock, double, open } = stage({ oldContext: 'says done', firstAudioMs: 10 })
    const stream = await open()
    const reading = all(stream)
    reading.catch(() => {})
    stream.say({ index: 0, text: 'One.' })
    await clock.advance(300)
    stream.say({ index: 1, text: 'Two.' })
    await clock.advance(0)
    const [id] = [...double.contexts]
    double.says(id!, { type: 'done', done: true })
    await clock.advance(0)
    await expect(reading).rejects.toMatchObject({ kind: 'expired' })
  })

  test('more contexts than the plan allows: that answer is refused, the others speak on', async () => {
    const { clock, open } = stage({ concurrency: 1 })
    const [a, b] = [await open(), await open()]
    const [first, second] = [all(a), all(b)]
    second.catch(() => {})
    for (const stream of [a, b]) {
      stream.say({ index: 0, text: 'Hello there.' })
      stream.end()
    }
    await clock.advance(5_000)
    await expect(second).rejects.toMatchObject({ kind: 'rate' })
    expect((await first).at(-1)).toEqual({ type: 'sentenceDone', sentence: 0 })
  })

  test('answers share a socket; an idle one is closed before the server does it', async () => {
    const { clock, double, memory, open } = stage()
    for (const text of ['One.', 'Two.', 'Three.']) {
      const stream = await open()
      stream.say({ index: 0, text })
      stream.end()
      await clock.advance(100_000)
    }
    expect(double.addresses.length).toBe(1)
    await clock.advance(139_000)
    expect(memory.open).toBe(1)
    await clock.advance(2_000)
    expect(memory.open).toBe(0)
    expect(clock.pendingTimers).toBe(0)
  })

  test('a seventeenth answer has a second socket', async () => {
    const { double, open } = stage()
    for (let i = 0; i < 17; i++) await open()
    expect(double.addresses.length).toBe(2)
  })

  test('a reader that does not read is not spoken to without end', async () => {
    const { clock, double, open } = stage()
    const stream = await open()
    for (let index = 0; index < 100; index++)
      stream.say({ index, text: 'This lasts just two seconds, at 50 ms a' })
    stream.end()
    await clock.advance(60_000)
    const asked = () =>
      double.frames.filter((frame) => typeof frame['transcript'] === 'string' && frame['transcript'] !== '')
        .length
    // Thirty seconds unread, and what was under way.
    expect(asked()).toBeGreaterThan(14)
    expect(asked()).toBeLessThan(20)
    const reading = all(stream)
    await clock.advance(60_000)
    expect((await reading).at(-1)).toEqual({ type: 'sentenceDone', sentence: 99 })
    expect(double.mistakes).toEqual([])
  })

  test('a server that takes connections and ends them is called twice, not for ever', async () => {
    const clock = new VirtualClock()
    let calls = 0
    const slam: DoubleServer = () => (peer) => {
      calls++
      peer.close(1011)
      return { text() {}, binary() {}, gone() {} }
    }
    const { connect } = connectInMemory(slam)
    const provider = createCartesia({ clock, note }, { name: 'p', apiKey: 'k', connect })
    const { signal } = openScope()
    const stream = await provider.tts!('m')!.open({ voice: 'anna', format: PCM16_24K, signal, clock })
    await clock.advance(10)
    const failed = expect(all(stream)).rejects.toMatchObject({ kind: 'transient' })
    stream.say({ index: 0, text: 'Hello.' })
    await clock.advance(10_000)
    await failed
    expect(calls).toBeLessThanOrEqual(2)
    await provider.close()
    const again = provider.tts!('m')!.open({ voice: 'anna', format: PCM16_24K, signal, clock })
    await expect(again).rejects.toMatchObject({ kind: 'cancelled' })
  })

  test('what it cannot do is refused before anything is sent', async () => {
    const { double, provider, open } = stage()
    await expect(open({ voice: '' })).rejects.toMatchObject({ kind: 'bad_request' })
    const format = { encoding: 'pcm16', sampleRateHz: 11_025 } as const
    await expect(open({ format })).rejects.toMatchObject({ kind: 'bad_request' })
    expect(double.addresses).toEqual([])
    expect(provider.tts!('ink-2')).toBeUndefined()
  })
})

describe('Cartesia over a real socket', () => {
  test('an answer in µ-law, twice on one connection; nothing is left', async () => {
    const double = new FakeCartesia({ clock: realClock, everyMs: 1 })
    const served = await serveDouble(double.server)
    const settings = { name: 'cartesia', apiKey: CARTESIA_KEY, baseUrl: served.url }
    const provider = createCartesia({ clock: realClock, note }, settings)
    const adapter = provider.tts!('sonic-3')!
    for (const text of ['Hello there.', 'And once more.']) {
      const { signal } = openScope()
      const stream = await adapter.open({ voice: 'anna', format: MULAW_8K, signal, clock: realClock })
      stream.say({ index: 0, text })
      stream.end()
      const sound = (await all(stream)).flatMap((event) => (event.type === 'audio' ? [event.audio] : []))
      expect(Buffer.concat(sound).length).toBe(lengthOf(text, 50) * 8)
    }
    expect(double.addresses.length).toBe(1)
    expect(double.mistakes).toEqual([])
    await provider.close()
    expect(served.open).toBe(0)
    await served.close()
  })

  test('a cancel reaches the provider', async () => {
    const double = new FakeCartesia({ clock: realClock, everyMs: 5 })
    const served = await serveDouble(double.server)
    const settings = { name: 'cartesia', apiKey: CARTESIA_KEY, baseUrl: served.url }
    const provider = createCartesia({ clock: realClock, note }, settings)
    const scope = openScope()
    const opening = { voice: 'anna', format: PCM16_24K, signal: scope.signal, clock: realClock }
    const stream = await provider.tts!('sonic-3')!.open(opening)
    for (const index of [0, 1]) stream.say({ index, text: 'A sentence that is cut in the middle of it.' })
    const events = stream[Symbol.asyncIterator]()
    await events.next()
    scope.cancel('barge-in')
    await expect(events.next()).rejects.toBe(scope.signal.reason)
    await provider.close()
    await double.heard((frame) => frame['cancel'] === true)
    await served.close()
  })
})
