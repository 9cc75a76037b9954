import { describe, expect, test } from 'vitest'
import { MULAW_8K, PCM16_24K } from '../../src/audio/format.ts'
import { openScope } from '../../src/cancel.ts'
import { realClock, VirtualClock } from '../../src/clock.ts'
import { sonioxVoices } from '../../src/provider/soniox/voices.ts'
import type { TtsEvent, TtsOpenOptions } from '../../src/stage/tts.ts'
import { connectInMemory, serveDouble } from '../../src/testing/carrier/sockets.ts'
import { lengthOf, markOf } from '../../src/testing/tts/double.ts'
import { FakeSonioxVoices, SONIOX_VOICES_KEY } from '../../src/testing/tts/soniox.ts'
import { type TtsBench, ttsConformance } from './tts-conformance.ts'

function stage() {
  const clock = new VirtualClock()
  const double = new FakeSonioxVoices({ clock })
  const memory = connectInMemory(double.server)
  const settings = { name: 'soniox', apiKey: SONIOX_VOICES_KEY, connect: memory.connect }
  const voices = sonioxVoices(settings, clock)
  const adapter = voices.tts('tts-rt-v2')!
  const open = async (more: Partial<TtsOpenOptions> = {}) => {
    const opening = { voice: 'Adrian', format: PCM16_24K, signal: openScope().signal, clock, ...more }
    const stream = adapter.open(opening)
    await clock.advance(0)
    return stream
  }
  return { clock, double, memory, voices, adapter, open }
}

ttsConformance('Soniox', (): TtsBench => {
  const { clock, double, memory, voices, adapter } = stage()
  return {
    adapter,
    clock,
    format: PCM16_24K,
    soundMs: (text) => lengthOf(text, 50),
    mark: markOf,
    fault: (fault, sentence) => double.faults.plan(fault, sentence),
    authorizes: 'with the first sentence',
    mistakes: () => double.mistakes,
    open: () => memory.open,
    close: () => voices.close(),
  }
})

async function all(events: AsyncIterable<TtsEvent>): Promise<TtsEvent[]> {
  const got: TtsEvent[] = []
  for await (const event of events) got.push(event)
  return got
}

describe('voices of Soniox', () => {
  test('a sentence is a stream: opened, told whole', async () => {
    const { clock, double, open } = stage()
    const stream = await open({ language: 'pt-BR', speed: 3, format: MULAW_8K })
    stream.say({ index: 0, text: 'Bom dia.' })
    stream.end()
    await clock.advance(2_000)
    expect(double.frames).toEqual([
      {
        api_key: SONIOX_VOICES_KEY,
        model: 'tts-rt-v2',
        language: 'pt',
        voice: 'Adrian',
        audio_format: 'pcm_mulaw',
        sample_rate: 8_000,
        speed: 1.3,
        return_timestamps: true,
        stream_id: 's1',
      },
      { text: 'Bom dia.', text_end: true, stream_id: 's1' },
    ])
  })

  test('callers who interrupt again and again never make a sixth stream', async () => {
    const { clock, double, open } = stage()
    for (let round = 0; round < 10; round++) {
      const scope = openScope()
      const stream = await open({ signal: scope.signal })
      for (const index of [0, 1]) stream.say({ index, text: 'A sentence that is cut.' })
      await clock.advance(5)
      scope.cancel('barge-in')
    }
    await clock.advance(1_000)
    expect(double.mistakes).toEqual([])
    expect(double.frames.filter((frame) => frame['cancel'] === true).length).toBe(20)
  })

  test('what was cancelled counts until it is over: the last sentence waits for its place', async () => {
    const { clock, double, open } = stage()
    const scope = openScope()
    const cut = await open({ signal: scope.signal })
    const other = await open()
    for (const index of [0, 1]) cut.say({ index, text: 'A sentence that is cut.' })
    await clock.advance(5)
    scope.cancel('barge-in')
    const next = await open()
    const reading = [other, next].map(all)
    for (const stream of [other, next]) {
      for (const index of [0, 1]) stream.say({ index, text: 'One that is spoken.' })
      stream.end()
    }
    await clock.advance(5_000)
    for (const events of await Promise.all(reading)) {
      expect(events.filter((event) => event.type === 'sentenceDone').length).toBe(2)
    }
    expect(double.addresses.length).toBe(1)
    expect(double.mistakes).toEqual([])
  })

  test('an idle socket is kept alive, and closed after four minutes', async () => {
    const { clock, double, memory, open } = stage()
    const stream = await open()
    stream.end()
    await all(stream)
    await clock.advance(61_000)
    expect(double.frames).toEqual(Array(3).fill({ keep_alive: true }))
    await clock.advance(180_000)
    expect(memory.open).toBe(0)
  })

  test('models that listen are none of these', () => {
    expect(stage().voices.tts('stt-rt-v5')).toBeUndefined()
  })

  test('over a real socket: an answer in µ-law, twice on one connection', async () => {
    const double = new FakeSonioxVoices({ clock: realClock, everyMs: 1 })
    const served = await serveDouble(double.server)
    const settings = { name: 'soniox', apiKey: SONIOX_VOICES_KEY, baseUrl: served.url }
    const voices = sonioxVoices(settings, realClock)
    for (const text of ['Hello there.', 'And once more.']) {
      const opening = { voice: 'Adrian', format: MULAW_8K, signal: openScope().signal, clock: realClock }
      const stream = await voices.tts('tts-rt-v2')!.open(opening)
      stream.say({ index: 0, text })
      stream.end()
      const sound = (await all(stream)).flatMap((event) => (event.type === 'audio' ? [event.audio] : []))
      expect(Buffer.concat(sound)).toEqual(Buffer.alloc(lengthOf(text, 50) * 8, markOf(text)))
    }
    expect(double.addresses.length).toBe(1)
    expect(double.mistakes).toEqual([])
    await voices.close()
    expect(served.open).toBe(0)
    await served.close()
  })
})
