import { describe, expect, test } from 'vitest'
import { MULAW_8K, PCM16_24K } from '../../src/audio/format.ts'
import { openScope } from '../../src/cancel.ts'
import { realClock, VirtualClock } from '../../src/clock.ts'
import { createElevenLabs } from '../../src/provider/elevenlabs/index.ts'
import type { TtsEvent, TtsOpenOptions } from '../../src/stage/tts.ts'
import { connectInMemory, type DoubleServer, serveDouble } from '../../src/testing/carrier/sockets.ts'
import { lengthOf, markOf, type SoundOptions } from '../../src/testing/tts/double.ts'
import { ELEVENLABS_KEY, FakeElevenLabs } from '../../src/testing/tts/elevenlabs.ts'
import { type TtsBench, ttsConformance } from './tts-conformance.ts'

const note = () => {}

function stage(options: Partial<SoundOptions> = {}, apiKey = ELEVENLABS_KEY) {
  const clock = new VirtualClock()
  const double = new FakeElevenLabs({ clock, ...options })
  const memory = connectInMemory(double.server)
  const provider = createElevenLabs({ clock, note }, { name: 'elevenlabs', apiKey, connect: memory.connect })
  const adapter = provider.tts!('eleven_flash_v2_5')!
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

function bench(): TtsBench {
  const { clock, double, memory, provider, adapter } = stage()
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

ttsConformance('ElevenLabs', bench)

async function all(events: AsyncIterable<TtsEvent>): Promise<TtsEvent[]> {
  const got: TtsEvent[] = []
  for await (const event of events) got.push(event)
  return got
}

describe('ElevenLabs', () => {
  test('a sentence is a context: opened, spoken and flushed, closed', async () => {
    const { clock, double, open, frames } = stage()
    const stream = await open({ language: 'de-AT', speed: 2 })
    stream.say({ index: 0, text: 'Guten Tag.' })
    stream.end()
    await clock.advance(3_000)
    expect(frames()).toEqual([
      { text: ' ', context_id: 's1', voice_settings: { speed: 1.2 } },
      { text: 'Guten Tag. ', context_id: 's1', flush: true },
      { context_id: 's1', close_context: true },
    ])
    const address = double.addresses[0]!
    expect(address.pathname).toBe('/v1/text-to-speech/anna/multi-stream-input')
    expect(Object.fromEntries(address.searchParams)).toEqual({
      model_id: 'eleven_flash_v2_5',
      output_format: 'pcm_24000',
      sync_alignment: 'true',
      auto_mode: 'true',
      language_code: 'de',
    })
  })

  test('a voice keeps its own settings unless a speed is asked for', async () => {
    const { clock, open, frames } = stage()
    const stream = await open({ speed: 1 })
    stream.say({ index: 0, text: 'Hello.' })
    await clock.advance(0)
    expect(frames()[0]).toEqual({ text: ' ', context_id: 's1' })
  })

  test('two sentences at once, the third when the first is complete', async () => {
    const { clock, open, frames } = stage({ firstAudioMs: 100 })
    const stream = await open()
    const reading = all(stream)
    for (const index of [0, 1, 2]) stream.say({ index, text: `Sentence number ${index}.` })
    stream.end()
    await clock.advance(50)
    const texts = () => frames().flatMap((frame) => (frame['flush'] === true ? [frame['text']] : []))
    expect(texts()).toEqual(['Sentence number 0. ', 'Sentence number 1. '])
    await clock.advance(2_000)
    expect(texts()).toEqual(['Sentence number 2. '])
    await clock.advance(2_000)
    expect((await reading).length).toBeGreaterThan(0)
  })

  test('an idle socket keeps a context warm, and the next sentence is spoken in it', async () => {
    const { clock, double, memory, open, frames } = stage()
    const first = await open()
    first.say({ index: 0, text: 'Hello.' })
    first.end()
    await clock.advance(1_000)
    frames()
    await clock.advance(60_000)
    const kept = frames()
    expect(kept[0]).toEqual({ text: ' ', context_id: 's2' })
    expect(kept.slice(1)).toEqual(kept.slice(1).map(() => ({ text: '', context_id: 's2' })))
    expect(kept.length).toBe(6)

    const second = await open()
    second.say({ index: 0, text: 'Hello again.' })
    await clock.advance(0)
    expect(frames()[0]).toEqual({ text: 'Hello again. ', context_id: 's2', flush: true })
    expect(double.addresses.length).toBe(1)
    expect(memory.open).toBe(1)
  })

  test('a socket nobody used for four minutes is closed', async () => {
    const { clock, double, memory, open } = stage()
    const stream = await open()
    stream.say({ index: 0, text: 'Hello.' })
    stream.end()
    await clock.advance(200_000)
    expect(memory.open).toBe(1)
    await clock.advance(60_000)
    expect(memory.open).toBe(0)
    expect(clock.pendingTimers).toBe(0)
    expect(double.mistakes).toEqual([])
  })

  test('a caller who interrupts again and again never makes a sixth context', async () => {
    const { clock, double, memory, open } = stage({ firstAudioMs: 2_000, everyMs: 200 })
    for (let round = 0; round < 12; round++) {
      const scope = openScope()
      const stream = await open({ signal: scope.signal })
      const reading = all(stream).catch(() => [])
      for (const index of [0, 1, 2]) stream.say({ index, text: 'A sentence of some length.' })
      await clock.advance(300)
      scope.cancel('barge-in')
      await reading
    }
    expect(double.mistakes).toEqual([])
    expect(double.mostContexts).toBeLessThanOrEqual(5)
    expect(memory.open).toBeGreaterThan(1)
  })

  test('voices, speeds and formats have sockets of their own', async () => {
    const { double, open } = stage()
    await open()
    await open({ voice: 'bert' })
    await open({ format: MULAW_8K })
    await open({ speed: 1.1 })
    await open()
    expect(
      double.addresses.map((url) => `${url.pathname.split('/')[3]} ${url.searchParams.get('output_format')}`),
    ).toEqual(['anna pcm_24000', 'bert pcm_24000', 'anna ulaw_8000', 'anna pcm_24000'])
  })

  test('a socket found dead by a deadline is used no more', async () => {
    const { clock, double, memory, open } = stage()
    double.faults.plan('silent_after_ms', 0)
    const scope = openScope()
    const stream = await open({ signal: scope.signal })
    const reading = all(stream).catch(() => [])
    // One character is one chunk: its middle is its beginning, so nothing at all is heard.
    stream.say({ index: 0, text: 'A' })
    await clock.advance(2_000)
    scope.cancel('deadline')
    await reading
    await open()
    expect(double.addresses.length).toBe(2)
    expect(memory.open).toBe(1)
  })

  test('a context the server forgot does not hold a socket for ever', async () => {
    const { clock, double, memory, open } = stage()
    double.faults.plan('no_final', 0)
    const scope = openScope()
    const stream = await open({ signal: scope.signal })
    const reading = all(stream).catch(() => [])
    stream.say({ index: 0, text: 'Hello.' })
    await clock.advance(1_000)
    scope.cancel('barge-in')
    await reading
    await clock.advance(50_000)
    expect(memory.open).toBe(0)
    expect(clock.pendingTimers).toBe(0)
  })

  test('one who waits for a free context when the socket breaks speaks on another', async () => {
    const { clock, double, open } = stage({ firstAudioMs: 5_000 })
    double.faults.plan('drop_mid_stream', 0)
    const waiting = await open()
    // Three contexts nobody wants any more, two that somebody listens to: five.
    for (const sentences of [2, 1]) {
      const cut = openScope()
      const stream = await open({ signal: cut.signal })
      const reading = all(stream).catch(() => [])
      for (let index = 0; index < sentences; index++) stream.say({ index, text: 'One that is cut.' })
      await clock.advance(10)
      cut.cancel('barge-in')
      await reading
    }
    const other = await open()
    for (const index of [0, 1]) other.say({ index, text: 'One that breaks.' })
    const broken = expect(all(other)).rejects.toMatchObject({ kind: 'transient' })
    const spoken = all(waiting)
    waiting.say({ index: 0, text: 'One that waits.' })
    waiting.end()
    await clock.advance(10)
    expect(double.mostContexts).toBe(5)
    expect(double.frames.some((frame) => frame['text'] === 'One that waits. ')).toBe(false)
    await clock.advance(20_000)
    await broken
    expect((await spoken).at(-1)).toEqual({ type: 'sentenceDone', sentence: 0 })
    expect(double.addresses.length).toBe(2)
    expect(double.mistakes).toEqual([])
  })

  test('an exhausted quota is told from a wrong key', async () => {
    const clock = new VirtualClock()
    const body = '{"detail":{"status":"quota_exceeded","message":"SECRET"}}'
    const refuse: DoubleServer = () => ({ status: 401, body })
    const { connect } = connectInMemory(refuse)
    const provider = createElevenLabs({ clock, note }, { name: 'el', apiKey: 'k', connect })
    const { signal } = openScope()
    const opening = provider.tts!('m')!.open({ voice: 'anna', format: PCM16_24K, signal, clock })
    await expect(opening).rejects.toMatchObject({ kind: 'quota', provider: 'el' })
    await expect(stage({}, 'wrong').open()).rejects.toMatchObject({ kind: 'auth' })
  })

  test('a reader that does not read is not spoken to without end', async () => {
    const { clock, double, open } = stage()
    const stream = await open()
    for (let index = 0; index < 100; index++)
      stream.say({ index, text: 'This lasts just two seconds, at 50 ms a' })
    stream.end()
    await clock.advance(60_000)
    const asked = () => double.frames.filter((frame) => frame['flush'] === true).length
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
    const provider = createElevenLabs({ clock, note }, { name: 'p', apiKey: 'k', connect })
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
    const { double, open } = stage()
    await expect(open({ voice: '' })).rejects.toMatchObject({ kind: 'bad_request' })
    const format = { encoding: 'mulaw', sampleRateHz: 16_000 } as const
    await expect(open({ format })).rejects.toMatchObject({ kind: 'bad_request' })
    expect(double.addresses).toEqual([])
    const { provider } = stage()
    expect(provider.tts!('eleven_v3')).toBeUndefined()
    expect(provider.tts!('scribe_v2_realtime')).toBeUndefined()
  })

  test('settings that cannot be are named, the key is not', () => {
    const make = (more: object) => () =>
      createElevenLabs({ clock: new VirtualClock(), note }, { name: 'el', apiKey: 'k', ...more })
    expect(make({ baseUrl: 'ftp://x' })).toThrow('providers.el.baseUrl')
    expect(make({ baseUrl: 'wss://me:pw@x' })).toThrow('providers.el.baseUrl')
    expect(make({ apiKey: 'SECRET\n' })).toThrow(/^(?!.*SECRET).*providers\.el\.apiKey/)
    expect(make({ baseUrl: 'http://127.0.0.1:1/base' })).not.toThrow()
  })
})

describe('ElevenLabs over a real socket', () => {
  test('an answer in µ-law, twice on one connection; nothing is left', async () => {
    const double = new FakeElevenLabs({ clock: realClock, everyMs: 1 })
    const served = await serveDouble(double.server)
    const settings = { name: 'elevenlabs', apiKey: ELEVENLABS_KEY, baseUrl: served.url }
    const provider = createElevenLabs({ clock: realClock, note }, settings)
    const adapter = provider.tts!('eleven_flash_v2_5')!
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

  test('a connection that breaks in the middle is a typed error', async () => {
    const double = new FakeElevenLabs({ clock: realClock, everyMs: 1 })
    double.faults.plan('drop_mid_stream', 0)
    const served = await serveDouble(double.server)
    const settings = { name: 'elevenlabs', apiKey: ELEVENLABS_KEY, baseUrl: served.url }
    const provider = createElevenLabs({ clock: realClock, note }, settings)
    const { signal } = openScope()
    const opening = { voice: 'anna', format: PCM16_24K, signal, clock: realClock }
    const stream = await provider.tts!('eleven_flash_v2_5')!.open(opening)
    stream.say({ index: 0, text: 'Hello there.' })
    await expect(all(stream)).rejects.toMatchObject({ kind: 'transient', stage: 'tts' })
    await provider.close()
    await served.close()
  })
})
