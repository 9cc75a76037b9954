import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import OpenAI from 'openai'
import { afterEach, describe, expect, test } from 'vitest'
import { PCM16_24K } from '../../../src/audio/format.ts'
import { openScope } from '../../../src/cancel.ts'
import { realClock, VirtualClock } from '../../../src/clock.ts'
import { createOpenAi, type OpenAiSettings, speechOf } from '../../../src/provider/openai/index.ts'
import type { TtsEvent, TtsOpenOptions } from '../../../src/stage/tts.ts'
import { type ServedHttpDouble, serveHttpDouble } from '../../../src/testing/carrier/http.ts'
import { MemoryDispatcher } from '../../../src/testing/carrier/http-memory.ts'
import { lengthOf, markOf, type TtsFault } from '../../../src/testing/tts/double.ts'
import { FakeSpeech, type FakeSpeechOptions, SPEECH_KEY, wavHeader } from '../../../src/testing/tts/openai.ts'
import { type TtsBench, ttsConformance } from '../tts-conformance.ts'

const note = () => {}
const settings = { name: 'voices', apiKey: SPEECH_KEY, baseUrl: 'http://double/v1' }

function stage(options: Partial<FakeSpeechOptions> = {}, more: Partial<OpenAiSettings> = {}) {
  const clock = new VirtualClock()
  const double = new FakeSpeech({ clock, ...options })
  const memory = new MemoryDispatcher(double.http)
  const provider = createOpenAi({ clock, note }, { ...settings, dispatcher: memory, ...more })
  const adapter = provider.tts!('tts-1')!
  const open = (opening: Partial<TtsOpenOptions> = {}) =>
    adapter.open({ voice: 'alloy', format: PCM16_24K, signal: openScope().signal, clock, ...opening })
  return { clock, double, memory, provider, adapter, open }
}

function bench(
  blind: readonly TtsFault[],
  options: Partial<FakeSpeechOptions> = {},
  more: Partial<OpenAiSettings> = {},
): TtsBench {
  const { clock, double, memory, provider, adapter } = stage(options, more)
  return {
    adapter,
    clock,
    format: adapter.caps.outputs[0]!,
    soundMs: (text) => lengthOf(text, 50),
    mark: markOf,
    fault: (fault, sentence) => double.faults.plan(fault, sentence),
    connects: 'with the first sentence',
    shares: 'nothing',
    blind,
    mistakes: () => double.mistakes,
    open: () => memory.open,
    close: () => provider.close(),
  }
}

ttsConformance('/v1/audio/speech', () => bench(['close_clean_early', 'wrong_sample_rate']))
ttsConformance('/v1/audio/speech that puts a header in front', () => bench([], { gives: 'wav' }))
ttsConformance('/v1/audio/speech in WAV of 48 kHz and of no known length', () =>
  bench(['close_clean_early'], { sampleRateHz: 48_000 }, { speech: { format: 'wav', sampleRateHz: 48_000 } }),
)

async function all(events: AsyncIterable<TtsEvent>): Promise<TtsEvent[]> {
  const got: TtsEvent[] = []
  for await (const event of events) got.push(event)
  return got
}

describe('voices of an OpenAI-compatible server', () => {
  test('a sentence that ends cleanly in its middle is transient, and stays as it came where nobody could say it again', async () => {
    const { clock, double, open } = stage()
    const said = async (more: Partial<TtsOpenOptions> = {}) => {
      const stream = await open(more)
      const reading = all(stream).then(
        (events) => events.at(-1)?.type,
        (error) => error,
      )
      stream.say({ index: 0, text: 'A sentence that this voice says in its own time.' })
      stream.end()
      await clock.advance(10_000)
      return reading
    }
    for (let i = 0; i < 3; i++) expect(await said()).toBe('sentenceDone')
    double.faults.plan('close_clean_early', 0)
    expect(await said()).toMatchObject({ stage: 'tts', kind: 'transient', retryable: true })
    double.faults.plan('close_clean_early', 0)
    expect(await said({ shortSound: 'kept' })).toBe('sentenceDone')
    expect(await said()).toBe('sentenceDone')
  })

  test('a sentence is a request; two run at once and no more, the second sounds after the first', async () => {
    const { clock, double, open } = stage()
    const stream = await open({ speed: 9 })
    const reading = all(stream)
    for (const index of [0, 1, 2, 3]) stream.say({ index, text: `This is number ${index}.` })
    stream.end()
    await clock.advance(20_000)
    const events = await reading
    expect(double.most).toBe(2)
    expect(double.bodies[0]).toEqual({
      model: 'tts-1',
      voice: 'alloy',
      input: 'This is number 0.',
      response_format: 'pcm',
      speed: 4,
    })
    expect(events.filter((event) => event.type === 'sentenceDone').length).toBe(4)
    const order = events.map((event) => event.sentence)
    expect(order).toEqual([...order].sort())
  })

  test('a caller who interrupts ends both requests', async () => {
    const { clock, double, open } = stage()
    const scope = openScope()
    const stream = await open({ signal: scope.signal })
    for (const index of [0, 1, 2]) stream.say({ index, text: 'A sentence that is cut.' })
    await clock.advance(30)
    expect(double.running).toBe(2)
    scope.cancel('barge-in')
    await clock.advance(0)
    expect(double.running).toBe(0)
    expect(double.bodies.length).toBe(2)
  })

  test('a reader who leaves ends the requests, though nobody aborted', async () => {
    const { clock, double, open } = stage()
    double.faults.plan('silent_after_ms', 0)
    const stream = await open()
    stream.say({ index: 0, text: 'A sentence that does not end.' })
    const leaving = (async () => {
      for await (const _ of stream) return
    })()
    await clock.advance(100)
    await leaving
    await clock.advance(0)
    expect(double.running).toBe(0)
  })

  test('a WAV of another rate says which', async () => {
    const { clock, open } = stage({ gives: 'wav', sampleRateHz: 22_050 })
    const stream = await open()
    const failed = expect(all(stream)).rejects.toMatchObject({
      kind: 'transient',
      message: expect.stringContaining('22050 Hz, not 24000'),
    })
    stream.say({ index: 0, text: 'Hello.' })
    await clock.advance(1_000)
    await failed
  })

  test('nothing to speak with, or a format it has not: refused before anything is sent', async () => {
    const { double, open } = stage()
    await expect(open({ voice: '' })).rejects.toMatchObject({ kind: 'bad_request' })
    const format = { encoding: 'mulaw', sampleRateHz: 8_000 } as const
    await expect(open({ format })).rejects.toMatchObject({ kind: 'bad_request' })
    expect(double.bodies).toEqual([])
  })

  test.each([
    [{ format: 'mp3' }, 'speech.format must be pcm or wav'],
    [{ sampleRateHz: 96_000 }, 'speech.sampleRateHz must be 8000 to 48000'],
    [{ rate: 24_000 }, 'speech.rate is unknown'],
    ['wav', 'speech must be'],
  ])('settings %j: the mistake is named', (speech, message) => {
    expect(() => speechOf('kokoro', speech)).toThrow(`providers.kokoro.${message}`)
  })

  test('settings have defaults', () => {
    expect(speechOf('p', undefined)).toEqual({ format: 'pcm', sampleRateHz: 24_000 })
    expect(speechOf('p', { sampleRateHz: 22_050 })).toEqual({ format: 'pcm', sampleRateHz: 22_050 })
  })
})

describe('over a real socket', () => {
  let served: ServedHttpDouble | undefined
  afterEach(() => served?.close())

  test('an answer of three sentences, then a cancel that the server sees', async () => {
    const double = new FakeSpeech({ clock: realClock, everyMs: 1 })
    served = await serveHttpDouble(double.http)
    const provider = createOpenAi({ clock: realClock, note }, { ...settings, baseUrl: `${served.url}/v1` })
    const adapter = provider.tts!('tts-1')!
    const scope = openScope()
    const opening = { voice: 'alloy', format: PCM16_24K, clock: realClock }
    const stream = await adapter.open({ ...opening, signal: openScope().signal })
    const texts = ['Hello there.', 'How are you?', 'Goodbye.']
    for (const [index, text] of texts.entries()) stream.say({ index, text })
    stream.end()
    const events = await all(stream)
    for (const [index, text] of texts.entries()) {
      const sound = events.flatMap((event) =>
        event.type === 'audio' && event.sentence === index ? [event.audio] : [],
      )
      expect(Buffer.concat(sound)).toEqual(Buffer.alloc(lengthOf(text, 50) * 48, markOf(text)))
    }
    double.faults.plan('silent_after_ms', 0)
    const cut = await adapter.open({ ...opening, signal: scope.signal })
    cut.say({ index: 0, text: 'This one is cut off.' })
    const reader = cut[Symbol.asyncIterator]()
    await reader.next()
    scope.cancel('barge-in')
    await expect(
      (async () => {
        while (!(await reader.next()).done);
      })(),
    ).rejects.toBe(scope.signal.reason)
    await provider.close()
    while (double.running > 0) await new Promise((resolve) => setImmediate(resolve))
    expect(double.mistakes).toEqual([])
  })

  test('a server that breaks off, and one that is not there', async () => {
    const double = new FakeSpeech({ clock: realClock, everyMs: 1 })
    double.faults.plan('drop_mid_stream', 0)
    served = await serveHttpDouble(double.http)
    const nobody = createServer()
    await new Promise<void>((resolve) => nobody.listen(0, '127.0.0.1', resolve))
    const { port } = nobody.address() as AddressInfo
    await new Promise((resolve) => nobody.close(resolve))
    for (const baseUrl of [`${served.url}/v1`, `http://127.0.0.1:${port}/v1`]) {
      const provider = createOpenAi({ clock: realClock, note }, { ...settings, baseUrl })
      const opening = { voice: 'alloy', format: PCM16_24K, signal: openScope().signal, clock: realClock }
      const stream = await provider.tts!('tts-1')!.open(opening)
      stream.say({ index: 0, text: 'Hello there.' })
      await expect(all(stream)).rejects.toMatchObject({ kind: 'transient', stage: 'tts' })
      await provider.close()
    }
  })
})

describe("OpenAI's own SDK and the double", () => {
  let served: ServedHttpDouble | undefined
  afterEach(() => served?.close())

  async function connect(options: Partial<FakeSpeechOptions> = {}) {
    const double = new FakeSpeech({ clock: realClock, everyMs: 1, ...options })
    served = await serveHttpDouble(double.http)
    const client = new OpenAI({ apiKey: SPEECH_KEY, baseURL: `${served.url}/v1`, maxRetries: 0 })
    return { double, client }
  }

  const asked = { model: 'tts-1', voice: 'alloy', input: 'Hello there.' } as const

  test('samples, and a WAV', async () => {
    const { double, client } = await connect()
    const pcm = await client.audio.speech.create({ ...asked, response_format: 'pcm', speed: 1.5 })
    const sound = Buffer.from(await pcm.arrayBuffer())
    expect(sound).toEqual(Buffer.alloc(lengthOf(asked.input, 50) * 48, markOf(asked.input)))
    const wav = await client.audio.speech.create({ ...asked, response_format: 'wav' })
    expect(wav.headers.get('content-type')).toBe('audio/wav')
    const file = Buffer.from(await wav.arrayBuffer())
    expect(file.subarray(0, 44)).toEqual(wavHeader(24_000, 0xffff_ffff))
    expect(file.subarray(44)).toEqual(sound)
    expect(double.mistakes).toEqual([])
  })

  test('its refusals are errors of the SDK', async () => {
    const { double, client } = await connect()
    const wrong = client.audio.speech.create({ ...asked, speed: 9 })
    await expect(wrong).rejects.toBeInstanceOf(OpenAI.BadRequestError)
    expect(double.mistakes).toEqual(['speed'])
    double.faults.plan('refuse_429')
    await expect(client.audio.speech.create(asked)).rejects.toBeInstanceOf(OpenAI.RateLimitError)
    const stranger = new OpenAI({ apiKey: 'wrong', baseURL: `${served!.url}/v1`, maxRetries: 0 })
    await expect(stranger.audio.speech.create(asked)).rejects.toBeInstanceOf(OpenAI.AuthenticationError)
  })
})
