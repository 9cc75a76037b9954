import fc from 'fast-check'
import OpenAI, { toFile } from 'openai'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Health } from '../../../src/attempt/health.ts'
import { loadAudio } from '../../../src/audio/convert.ts'
import { MULAW_8K, PCM16_16K } from '../../../src/audio/format.ts'
import { wavHeader } from '../../../src/audio/wav-header.ts'
import { Cancelled, openScope } from '../../../src/cancel.ts'
import { realClock, settled, VirtualClock } from '../../../src/clock.ts'
import { ProviderError } from '../../../src/errors.ts'
import { createOpenAi, presetOf } from '../../../src/provider/openai/index.ts'
import { formOf, readTranscription } from '../../../src/provider/openai/transcription/wire.ts'
import type { RecognitionEvent } from '../../../src/session/events.ts'
import { Recogniser } from '../../../src/session/recogniser.ts'
import type { SttEvent } from '../../../src/stage/stt.ts'
import { type ServedHttpDouble, serveHttpDouble } from '../../../src/testing/carrier/http.ts'
import { MemoryDispatcher } from '../../../src/testing/carrier/http-memory.ts'
import { formIn } from '../../../src/testing/carrier/multipart.ts'
import { FAKE_KEY } from '../../../src/testing/stt/double.ts'
import { placed } from '../../../src/testing/stt/placed-sound.ts'
import { fakeTranscriptions, type TranscriptionScript } from '../../../src/testing/stt/transcriptions.ts'
import { sound } from '../../support/stages.ts'
import { acts, STEP_MS, WORDS as STEPS } from '../stt-acts.ts'
import { sttContract } from '../stt-conformance.ts'

beforeAll(loadAudio)

const WHISPER = 'whisper-large-v3-turbo'
const WORDS = [
  { text: 'Hello', startMs: 100, endMs: 400 },
  { text: 'there.', startMs: 450, endMs: 900 },
  { text: 'Good', startMs: 2_100, endMs: 2_400 },
  { text: 'bye.', startMs: 2_450, endMs: 2_800 },
]

function rigOf(script: TranscriptionScript = {}, model = WHISPER) {
  const clock = new VirtualClock()
  let now: TranscriptionScript = { words: WORDS, answerMs: 80, ...script }
  const double = fakeTranscriptions({ clock, scriptOf: () => now })
  const network = new MemoryDispatcher(double.http)
  const settings = { name: 'test', baseUrl: 'http://stt.test/v1', apiKey: FAKE_KEY, dispatcher: network }
  const provider = createOpenAi({ clock, note: () => {} }, settings)
  return {
    adapter: placed(provider.stt!(model)!),
    clock,
    double,
    network,
    open: () => network.open,
    sessions: [],
    change: (next: TranscriptionScript) => {
      now = { ...now, ...next }
    },
  }
}

sttContract('openai transcription', (script) => rigOf({ answerMs: script.answerMs ?? 0 }))

type Rig = ReturnType<typeof rigOf>

async function listen(
  rig: Rig,
  more: { readonly language?: string; readonly hints?: readonly string[] } = {},
) {
  const { clock } = rig
  const scope = openScope()
  const stream = await rig.adapter.open({ format: PCM16_16K, signal: scope.signal, clock, ...more })
  const events: SttEvent[] = []
  let failure: unknown
  void (async () => {
    try {
      for await (const event of stream) events.push(event)
    } catch (error) {
      failure = error
    }
  })()
  const hear = async (ms: number, kind: 'speech' | 'silence' = 'speech') => {
    for (let at = 0; at < ms; at += 20) {
      stream.write(sound(PCM16_16K, 20, kind))
      await clock.advance(20)
    }
  }
  const finals = () => events.flatMap((event) => (event.type === 'final' ? [event.text] : []))
  return { ...rig, stream, events, hear, finals, scope, failure: () => failure }
}

describe('a server of transcriptions hears', () => {
  test.each(['openai', 'whisper.cpp', 'vllm'] as const)(
    'an utterance at its end, as %s tells it',
    async (shape) => {
      const { hear, stream, clock, events, double } = await listen(rigOf({ shape }), {
        language: 'en-GB',
        hints: ['Parley', 'Moonshine'],
      })
      await hear(1_200)
      expect(events).toEqual([])
      expect(double.requests).toEqual([])
      stream.finalize()
      await clock.advance(100)
      const words = [
        { text: 'Hello', startMs: 100, endMs: 400 },
        { text: 'there.', startMs: 450, endMs: 900 },
      ]
      expect(events).toEqual([
        { type: 'final', text: 'Hello there.', language: 'en', ...(shape !== 'vllm' && { words }) },
      ])
      expect(double.mistakes).toEqual([])
      expect(double.requests).toMatchObject([
        {
          audioMs: 1_200,
          fields: {
            model: [WHISPER],
            response_format: ['verbose_json'],
            'timestamp_granularities[]': ['word', 'segment'],
            language: ['en'],
            prompt: ['Parley, Moonshine'],
          },
        },
      ])
    },
  )

  test('with the preview, when nobody spoke since: the final costs no second request', async () => {
    const { hear, stream, clock, events, double, finals } = await listen(rigOf())
    await hear(1_000)
    await hear(200, 'silence')
    stream.preview()
    await hear(100, 'silence')
    expect(events).toMatchObject([{ type: 'partial', complete: true, text: 'Hello there.' }])
    await hear(200, 'silence')
    stream.finalize()
    await settled()
    expect(finals()).toEqual(['Hello there.'])
    expect(double.requests).toHaveLength(1)
    expect(clock.pendingTimers).toBe(0)
  })

  test('once more, when the caller went on', async () => {
    const { hear, stream, clock, finals, double } = await listen(rigOf())
    await hear(1_000)
    stream.preview()
    await hear(2_000)
    expect(double.requests).toHaveLength(1)
    stream.finalize()
    await clock.advance(100)
    expect(finals()).toEqual(['Hello there. Good bye.'])
    expect(double.requests.map(({ audioMs }) => audioMs)).toEqual([1_100, 3_000])
  })

  test('in a later utterance, with times from the first byte of the stream', async () => {
    const { hear, stream, clock, events } = await listen(rigOf())
    await hear(1_500)
    stream.discard()
    await hear(1_500)
    stream.finalize()
    await clock.advance(100)
    expect(events).toMatchObject([
      { text: 'Good bye.', words: [{ startMs: 2_100 }, { text: 'bye.', startMs: 2_450, endMs: 2_800 }] },
    ])
  })

  test('a short yes: silence makes it as long as servers want', async () => {
    const { hear, stream, clock, finals, double } = await listen(
      rigOf({ words: [{ text: 'Yes.', startMs: 20, endMs: 260 }] }),
    )
    await hear(300)
    stream.finalize()
    await clock.advance(100)
    expect(finals()).toEqual(['Yes.'])
    expect(double.requests).toMatchObject([{ audioMs: 1_100 }])
  })

  test('nothing in silence, and is not even asked', async () => {
    const { hear, stream, finals, double } = await listen(rigOf())
    await hear(1_000, 'silence')
    stream.finalize()
    await settled()
    expect(finals()).toEqual([''])
    expect(double.requests).toEqual([])
  })

  test('nothing in a noise of which Whisper makes a sentence', async () => {
    const { hear, stream, clock, finals } = await listen(
      rigOf({ words: [], invents: 'Thank you for watching!' }),
    )
    await hear(1_200)
    stream.finalize()
    await clock.advance(100)
    expect(finals()).toEqual([''])
  })

  test('a long speech in pieces: its beginning is sent while it is spoken', async () => {
    const words = Array.from({ length: 50 }, (_none, i) => ({
      text: `w${i}`,
      startMs: i * 1_000 + 300,
      endMs: i * 1_000 + 700,
    }))
    const { hear, stream, clock, events, double } = await listen(rigOf({ words }))
    for (let second = 0; second < 50; second++) {
      // A pause at each full second, the place to cut.
      await hear(160, 'silence')
      await hear(840)
    }
    const ahead = double.requests.length
    expect(ahead).toBeGreaterThanOrEqual(2)
    stream.finalize()
    await clock.advance(100)
    const final = events.find((event) => event.type === 'final')
    expect(final?.text).toBe(words.map(({ text }) => text).join(' '))
    expect(final?.words).toEqual(words)
    expect(double.requests).toHaveLength(ahead + 1)
    for (const { audioMs } of double.requests) expect(audioMs).toBeLessThanOrEqual(20_000)
  })
})

describe('a model', () => {
  test('that is not of Whisper’s family is asked for text alone', async () => {
    const rig = rigOf({}, 'gpt-4o-mini-transcribe')
    expect(rig.adapter.caps.wordTimes).toBe(false)
    const { hear, stream, clock, events, double } = await listen(rig)
    await hear(1_200)
    stream.finalize()
    await clock.advance(100)
    expect(events).toEqual([{ type: 'final', text: 'Hello there.' }])
    expect(double.requests[0]?.fields).toEqual({
      model: ['gpt-4o-mini-transcribe'],
      response_format: ['json'],
    })
    expect(double.mistakes).toEqual([])
  })

  test('whose server refuses all but text is asked for that, and is not asked otherwise again', async () => {
    const { hear, stream, clock, finals, double } = await listen(rigOf({ fault: 'plain_only' }))
    await hear(1_200)
    stream.finalize()
    await clock.advance(200)
    await hear(1_800)
    stream.finalize()
    await clock.advance(200)
    expect(finals()).toEqual(['Hello there.', 'Good bye.'])
    const formats = double.requests.map(({ fields }) => fields['response_format']?.[0])
    expect(formats).toEqual(['verbose_json', 'json', 'json'])
  })

  test('is told words to look for as it wants them', () => {
    const question = { style: 'json', language: undefined, hints: ['Parley', 'Zürich'] } as const
    const fields = (model: string) => {
      const body = Buffer.from(formOf({ model, ...question }, new Int16Array(16_000), 'b'))
      const form = formIn('multipart/form-data; boundary=b', body)
      return typeof form === 'string' ? form : form.fields
    }
    expect(fields('gpt-transcribe')).toMatchObject({ 'keywords[]': ['Parley', 'Zürich'] })
    expect(fields('whisper-1')).toMatchObject({ prompt: ['Parley, Zürich'] })
  })

  test.each([
    [{ baseUrl: 'http://stt.test/v1' }, 'anything', 'files'],
    [{ preset: presetOf('groq')! }, WHISPER, 'files'],
    [{ preset: presetOf('groq')! }, 'llama-3.3-70b-versatile', 'none'],
    [{ preset: presetOf('groq')!, stt: 'files' }, 'another-name', 'files'],
    [{}, 'gpt-4o-transcribe', 'sessions'],
    [{ stt: 'files' }, 'gpt-4o-transcribe', 'files'],
    [{ baseUrl: 'http://stt.test/v1', stt: 'realtime' }, 'anything', 'sessions'],
  ] as const)('of %o, %s, is heard from %s', async (settings, model, from) => {
    const { clock, network } = rigOf()
    const facts = { name: 'test', apiKey: FAKE_KEY, dispatcher: network, ...settings }
    const adapter = createOpenAi({ clock, note: () => {} }, facts).stt!(model)
    const format = { files: 16_000, sessions: 24_000, none: undefined }[from]
    expect(adapter?.caps.inputs[0]?.sampleRateHz).toBe(format)
  })

  test('hears 16 kHz only', async () => {
    const { adapter, clock } = rigOf()
    const opening = adapter.open({ format: MULAW_8K, signal: openScope().signal, clock })
    await expect(opening).rejects.toMatchObject({ kind: 'bad_request', stage: 'stt' })
  })
})

describe('a server of transcriptions fails', () => {
  test.each([
    ['refuse_auth', { kind: 'auth' }],
    ['refuse_429', { kind: 'rate', retryAfterMs: 7_000 }],
    ['refuse_quota', { kind: 'quota' }],
    ['refuse_503', { kind: 'transient' }],
    ['drop_mid_stream', { kind: 'transient' }],
    ['malformed_json', { kind: 'transient' }],
    ['no_transcription', { kind: 'transient' }],
    ['hang_on_connect', { kind: 'timeout' }],
  ] as const)('%s', async (fault, error) => {
    const { hear, stream, clock, failure, finals, network } = await listen(rigOf({ fault }))
    await hear(1_200)
    stream.finalize()
    await clock.advance(14_900)
    expect(failure() === undefined).toBe(fault === 'hang_on_connect')
    await clock.advance(200)
    expect(failure()).toBeInstanceOf(ProviderError)
    expect(failure()).toMatchObject({ stage: 'stt', provider: 'test', ...error })
    expect(String(failure())).not.toMatch(/SECRET|fake-key|Hello/)
    expect(finals()).toEqual([])
    expect(network.open).toBe(0)
    expect(clock.pendingTimers).toBe(0)
  })

  test('what nobody waits for any more is broken off', async () => {
    const { hear, stream, clock, finals, double, network } = await listen(rigOf({ answerMs: 3_000 }))
    await hear(1_000)
    stream.preview()
    await hear(20)
    stream.discard()
    await settled()
    expect(double.requests).toMatchObject([{ gone: true }])
    expect(network.open).toBe(0)
    await hear(1_800)
    stream.finalize()
    await clock.advance(4_000)
    expect(finals()).toEqual(['Good bye.'])
  })

  test('a preview that the final outruns is broken off, and its words asked for whole', async () => {
    const { hear, stream, clock, finals, double } = await listen(rigOf({ answerMs: 3_000 }))
    await hear(1_000)
    stream.preview()
    await hear(1_900)
    stream.finalize()
    await clock.advance(4_000)
    expect(finals()).toEqual(['Hello there. Good bye.'])
    expect(double.requests).toMatchObject([{ gone: true }, { gone: false }])
  })

  test('aborted while it is asked: the request is broken off, nothing is left', async () => {
    const { hear, stream, scope, failure, double, network, clock } = await listen(
      rigOf({ fault: 'hang_on_connect' }),
    )
    await hear(1_000)
    stream.finalize()
    scope.cancel('hangup')
    await settled()
    expect(failure()).toEqual(new Cancelled('hangup'))
    expect(double.mistakes).toEqual([])
    expect(network.open).toBe(0)
    expect(clock.pendingTimers).toBe(0)
  })
})

test('every order of calls, every delay of answers: each final has the words between its boundaries', async () => {
  await fc.assert(
    fc.asyncProperty(acts, fc.constantFrom(0, 40, 300, 2_000), async (all, answerMs) => {
      const rig = rigOf({ words: STEPS, answerMs })
      const { hear, stream, clock, finals, double, network } = await listen(rig)
      const expected: string[] = []
      let [from, at] = [0, 0]
      for (const one of all) {
        if (one.do === 'hear') {
          await hear(one.steps * STEP_MS)
          at += one.steps
        } else if (one.do === 'wait') await clock.advance(one.ms)
        else {
          if (one.do === 'finalize') expected.push(textOf(from, at))
          if (one.do !== 'preview') from = at
          stream[one.do]()
        }
      }
      await clock.advance(60_000)
      expect(finals()).toEqual(expected)
      expect(double.mistakes).toEqual([])
      await stream.close()
      expect(network.open).toBe(0)
      expect(clock.pendingTimers).toBe(0)
    }),
    { numRuns: 100 },
  )
})

function textOf(from: number, to: number): string {
  return STEPS.slice(from, to)
    .map(({ text }) => text)
    .join(' ')
}

test('a session whose request failed sends the whole utterance once more', async () => {
  const rig = rigOf({ fault: 'refuse_503' })
  const { adapter, clock, double, change } = rig
  const events: RecognitionEvent[] = []
  const attempts: string[] = []
  let audibleMs = 0
  const recogniser = new Recogniser({
    candidates: () => [{ adapter, provider: 'test', model: WHISPER, route: 'any' }],
    clock,
    health: new Health({ clock }),
    signal: openScope().signal,
    language: () => 'en',
    report: (event) => events.push(event),
    attempts: () => ({
      start: (_stage, _target, reason) => attempts.push(reason),
      firstOutput: () => {},
      end: (_attempt, status, kind) => attempts.push(kind ? `${status} ${kind}` : status),
    }),
    audibleMs: () => audibleMs,
    audio: (fromMs, toMs) => ({ bytes: sound(PCM16_16K, toMs - fromMs, 'speech'), format: PCM16_16K }),
  })
  recogniser.listen('a', 0)
  for (; audibleMs < 1_000; audibleMs += 20) {
    recogniser.hear()
    await clock.advance(20)
  }
  recogniser.finalize('a', 1_000)
  change({ fault: undefined })
  await clock.advance(2_000)
  expect(events).toMatchObject([{ type: 'final', turn: 'a', text: 'Hello there.', language: 'en' }])
  expect(attempts).toEqual(['first', 'failed transient', 'retry', 'ok'])
  expect(double.requests).toMatchObject([{ audioMs: 1_100 }])
  await recogniser.close()
})

test.each([
  ['[BLANK_AUDIO]', ''],
  [' (coughs) [music]\n', ''],
  [' Two\n lines ', 'Two lines'],
  ['He said (quietly) yes.', 'He said (quietly) yes.'],
])('%j is %j', (text, heard) => {
  expect(readTranscription({ text })).toEqual({ text: heard })
})

test.each([
  ['german', 'de'],
  ['de', 'de'],
  ['Portuguese', 'pt'],
  ['Klingonish', undefined],
])('the language %s is %s', (language, tag) => {
  expect(readTranscription({ text: 'x', language }).language).toBe(tag)
})

describe('the official SDK and our double', () => {
  const double = fakeTranscriptions({ script: { words: WORDS } })
  let served: ServedHttpDouble
  let client: OpenAI
  beforeEach(async () => {
    served = await serveHttpDouble(double.http)
    client = new OpenAI({ apiKey: FAKE_KEY, baseURL: `${served.url}/v1`, maxRetries: 0 })
  })
  afterEach(() => served.close())

  /** The whole of a stream's first 1.2 s, as `placed` has it. */
  async function file() {
    const samples = Int16Array.from(
      { length: 19_200 },
      (_none, n) => (8_000 + Math.floor(n / 320)) * (n % 8 < 4 ? 1 : -1),
    )
    const bytes = Buffer.concat([wavHeader(samples.byteLength, 16_000), Buffer.from(samples.buffer)])
    return toFile(bytes, 'audio.wav', { type: 'audio/wav' })
  }

  test('words and segments of a verbose answer', async () => {
    const heard = await client.audio.transcriptions.create({
      model: 'whisper-1',
      file: await file(),
      response_format: 'verbose_json',
      timestamp_granularities: ['word', 'segment'],
      language: 'en',
      prompt: 'Parley',
    })
    expect(heard.text).toBe('Hello there.')
    expect(heard.words).toEqual([
      { word: 'Hello', start: 0.1, end: 0.4 },
      { word: 'there.', start: 0.45, end: 0.9 },
    ])
    expect(heard.segments?.[0]?.text).toBe(' Hello there.')
    expect(double.mistakes).toEqual([])
  })

  test('a plain answer, a wrong key, a form that the real server refuses', async () => {
    const create = client.audio.transcriptions
    expect(await create.create({ model: 'gpt-4o-transcribe', file: await file() })).toEqual({
      text: 'Hello there.',
    })
    const stranger = new OpenAI({ apiKey: 'another', baseURL: `${served.url}/v1`, maxRetries: 0 })
    const refused = stranger.audio.transcriptions.create({ model: 'whisper-1', file: await file() })
    await expect(refused).rejects.toBeInstanceOf(OpenAI.AuthenticationError)
    const wrong = create.create({
      model: 'gpt-4o-transcribe',
      file: await file(),
      response_format: 'verbose_json',
    })
    await expect(wrong).rejects.toThrow('not compatible')
  })

  test('and the adapter over the same socket', async () => {
    const provider = createOpenAi(
      { clock: realClock, note: () => {} },
      { name: 'test', baseUrl: `${served.url}/v1`, apiKey: FAKE_KEY },
    )
    const { signal } = openScope()
    const stream = await placed(provider.stt!('whisper-1')!).open({
      format: PCM16_16K,
      signal,
      clock: realClock,
    })
    for (let i = 0; i < 60; i++) stream.write(sound(PCM16_16K, 20, 'speech'))
    stream.finalize()
    const { value } = await stream[Symbol.asyncIterator]().next()
    expect(value).toMatchObject({ type: 'final', text: 'Hello there.', language: 'en' })
    await stream.close()
    await provider.close()
  })
})
