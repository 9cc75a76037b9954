/** Transcription over HTTP through the whole server: the official `openai` SDK as the client, two doubles of a provider as the ears. */
import { readFileSync } from 'node:fs'
import OpenAI, { toFile } from 'openai'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { realClock } from '../../src/clock.ts'
import type { Provider } from '../../src/stage/provider.ts'
import { type ServedDouble, serveDouble } from '../../src/testing/carrier/sockets.ts'
import { fakeDeepgram } from '../../src/testing/stt/deepgram.ts'
import { FAKE_KEY, type HeardWord, type SttFaultName } from '../../src/testing/stt/double.ts'
import { FakeStt } from '../support/stages.ts'
import { GATEWAY_KEY, type Gateway, startGateway } from './server.ts'
import { oggOf, wavOf } from './sounds.ts'

/** One a second, from half a second on. */
const WORDS: readonly HeardWord[] = ['One', 'two.', 'Three', 'four', 'five', 'six.'].map((text, i) => ({
  text,
  startMs: 500 + i * 1000,
  endMs: 900 + i * 1000,
}))
/** Of the connections to come, in order; undefined: none. */
const faults: Record<'a' | 'b', (SttFaultName | undefined)[]> = { a: [], b: [] }
const ears = (name: 'a' | 'b') =>
  fakeDeepgram({
    clock: realClock,
    scriptOf: () => ({ words: WORDS, fault: faults[name].shift() }),
  })
const a = ears('a')
const b = ears('b')

function pipeline(name: string): string {
  return `
name: ${name}
stt: { routes: [{ name: any, use: [a/nova-${name}, b/nova-${name}] }] }
llm: { routes: [{ name: any, use: [local/none] }] }
tts: { routes: [{ name: any, use: [local/none] }] }
`
}

/** Hears English, and tells the time of no word. */
const english = new FakeStt()
const wordless: Provider = {
  name: 'wordless',
  stt: () => ({
    ...english,
    caps: { ...english.caps, languages: ['en'] },
    open: (options) => english.open(options),
  }),
  close: async () => {},
}

let served: readonly ServedDouble[]
let gateway: Gateway
let client: OpenAI
beforeAll(async () => {
  served = await Promise.all([serveDouble(a.server), serveDouble(b.server)])
  const [forA, forB] = served.map(({ url }) => `{ type: deepgram, baseUrl: '${url}', apiKey: ${FAKE_KEY} }`)
  gateway = await startGateway({
    settings: `
providers: { a: ${forA}, b: ${forB} }
prices: { a/nova-talk: { usdPerMinute: 0.6 } }
gateway: { audioMb: 1, audioMinutes: 0.5, audioAtOnce: 2 }`,
    // Each with targets of its own, so that a circuit one test opened is no other's.
    pipelines: ['talk', 'early', 'later', 'nobody'].map(pipeline),
    providers: [wordless],
  })
  client = new OpenAI({ apiKey: GATEWAY_KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
})
afterAll(async () => {
  await gateway.close()
  await Promise.all(served.map((one) => one.close()))
})
afterEach(() => {
  expect([...a.sessions, ...b.sessions].flatMap(({ mistakes }) => mistakes)).toEqual([])
})

const hearing = (more: object = {}) => ({
  model: 'talk',
  file: toFile(wavOf([3000]), 'speech.wav'),
  ...more,
})
async function transcribe<T = OpenAI.Audio.Transcription>(more: object = {}): Promise<T> {
  const { file, ...rest } = hearing(more) as { file: unknown }
  const body = { ...rest, file: await file } as unknown as OpenAI.Audio.TranscriptionCreateParamsNonStreaming
  return (await client.audio.transcriptions.create(body)) as unknown as T
}
async function raw(more: object = {}): Promise<Response> {
  const { file, ...rest } = hearing(more) as { file: unknown }
  const body = { ...rest, file: await file } as unknown as OpenAI.Audio.TranscriptionCreateParamsNonStreaming
  return client.audio.transcriptions.create(body).asResponse()
}
/** Two pieces, with silence between them that nobody is given. */
const TWO_PIECES = [3000, 3000, 3000]
const twoPieces = () => toFile(wavOf(TWO_PIECES), 'speech.wav')

describe('an answer', () => {
  test('is the words, how long the sound was, and the record', async () => {
    const answer = await transcribe<OpenAI.Audio.Transcription & { parley: { turnId: string } }>()
    expect(answer).toMatchObject({
      text: 'One two. Three',
      usage: { type: 'duration', seconds: 3 },
      parley: { pipeline: 'talk', attempts: [{ stage: 'stt', provider: 'a', status: 'ok' }], costUsd: 0.03 },
    })
    const turn = await gateway.turn(answer.parley.turnId)
    expect(turn).toMatchObject({ wire: 'transcription', outcome: 'said', route: { stt: 'any' } })
    expect(JSON.stringify(turn)).not.toContain('Three')
  })

  test('of an Ogg Opus file is the same', async () => {
    const file = toFile(await oggOf([3000]), 'speech.ogg')
    expect((await transcribe({ file })).text).toBe('One two. Three')
    expect(a.sessions.at(-1)?.audioMs).toBe(3000)
  })

  test('of an MP3 is its sound', async () => {
    const bytes = readFileSync(new URL('../../fixtures/sound/silence-then-tone.mp3', import.meta.url))
    expect((await transcribe({ file: toFile(bytes, 'speech.mp3') })).text).toBe('One')
  })

  test('of a large file, decoded in a thread of its own, is the same', async () => {
    const file = toFile(wavOf([6000]), 'speech.wav')
    expect((await transcribe({ file })).text).toBe('One two. Three four five six.')
  })

  test('as text, with the record in the headers', async () => {
    const answer = await raw({ response_format: 'text' })
    expect([answer.headers.get('content-type'), await answer.text()]).toEqual([
      'text/plain; charset=utf-8',
      'One two. Three\n',
    ])
    expect(answer.headers.get('x-parley-attempts')).toBe('1')
    expect((await gateway.turn(answer.headers.get('x-parley-turn-id')!)).wire).toBe('transcription')
  })

  test('in verbose: segments at pauses and sentences, words, in the whole sound’s time', async () => {
    const answer = await transcribe<OpenAI.Audio.TranscriptionVerbose>({
      file: twoPieces(),
      response_format: 'verbose_json',
      timestamp_granularities: ['word', 'segment'],
      language: 'en',
    })
    expect(answer).toMatchObject({
      task: 'transcribe',
      language: 'english',
      duration: 9,
      text: 'One two. Three One two. Three',
    })
    // The second piece begins six windows of the detector before the one its speech begins in.
    const second = 5.792
    expect(answer.words?.map(({ word, start }) => [word, start])).toEqual([
      ['One', 0.5],
      ['two.', 1.5],
      ['Three', 2.5],
      ['One', second + 0.5],
      ['two.', second + 1.5],
      ['Three', second + 2.5],
    ])
    const { segments = [] } = answer
    expect(segments.map(({ text }) => text)).toEqual(['One', 'two.', 'Three', 'One', 'two.', 'Three'])
    expect(Object.keys(segments[0]!).sort()).toEqual(
      'avg_logprob compression_ratio end id no_speech_prob seek start temperature text tokens'.split(' '),
    )
    expect(segments[5]).toMatchObject({ id: 5, start: second + 2.5, end: second + 2.9, tokens: [] })
    for (const { no_speech_prob } of segments) expect(no_speech_prob).toBeLessThan(0.3)
  })

  test('segments alone unless words are asked for', async () => {
    const answer = await transcribe<OpenAI.Audio.TranscriptionVerbose>({ response_format: 'verbose_json' })
    expect([answer.words, answer.segments?.length]).toEqual([undefined, 3])
  })

  test('as subtitles', async () => {
    const file = toFile(wavOf([1000]), 'one.wav')
    expect(await (await raw({ file, response_format: 'srt' })).text()).toBe(
      '1\n00:00:00,500 --> 00:00:00,900\nOne\n\n',
    )
    const vtt = await raw({ file: toFile(wavOf([1000]), 'one.wav'), response_format: 'vtt' })
    expect(vtt.headers.get('content-type')).toBe('text/vtt; charset=utf-8')
    expect(await vtt.text()).toBe('WEBVTT\n\n00:00:00.500 --> 00:00:00.900\nOne\n\n')
  })

  test('as it is recognised, piece by piece', async () => {
    const stream = await client.audio.transcriptions.create({
      model: 'talk',
      file: await twoPieces(),
      stream: true,
    })
    const events: OpenAI.Audio.TranscriptionStreamEvent[] = []
    for await (const event of stream) events.push(event)
    expect(events).toMatchObject([
      { type: 'transcript.text.delta', delta: 'One two. Three' },
      { type: 'transcript.text.delta', delta: ' One two. Three' },
      { type: 'transcript.text.done', text: 'One two. Three One two. Three', parley: { attempts: [{}, {}] } },
    ])
  })

  test('silence has no words, and nobody is asked for them', async () => {
    const before = a.sessions.length
    const file = toFile(wavOf([0, 2000]), 'silence.wav')
    expect((await transcribe({ file, response_format: 'verbose_json' })).text).toBe('')
    expect(a.sessions.length).toBe(before)
  })

  test('the recogniser is told the language and the terms to listen for', async () => {
    await transcribe({
      language: 'de',
      prompt: 'Parley, ZyntriQix, and a sentence that is much too long to be a term of anything',
    })
    const { searchParams } = a.sessions.at(-1)!.url
    expect([searchParams.get('language'), searchParams.getAll('keyterm')]).toEqual([
      'de',
      ['Parley', 'ZyntriQix'],
    ])
  })
})

describe('failover', () => {
  const attemptsOf = async (answer: unknown) =>
    (await gateway.turn((answer as { parley: { turnId: string } }).parley.turnId)).attempts.map(
      ({ provider, status, reason }) => [provider, status, reason],
    )

  test('a recogniser that refuses: the next has all of it', async () => {
    faults.a.push('refuse_503')
    const answer = await transcribe({ model: 'early' })
    expect(answer.text).toBe('One two. Three')
    expect(await attemptsOf(answer)).toEqual([
      ['a', 'failed', 'first'],
      ['b', 'ok', 'fallback: transient'],
    ])
  })

  test('one that goes away at the second piece: the next has that piece and those that follow', async () => {
    faults.a.push(undefined, 'close_clean_early')
    const file = toFile(wavOf([3000, 3000, 3000, 3000, 3000]), 'speech.wav')
    const answer = await transcribe({ model: 'later', file, response_format: 'verbose_json' })
    expect(answer.text).toBe('One two. Three One two. Three One two. Three')
    expect(await attemptsOf(answer)).toEqual([
      ['a', 'ok', 'first'],
      ['a', 'failed', 'first'],
      ['b', 'ok', 'fallback: transient'],
      ['b', 'ok', 'first'],
    ])
  })

  test('nobody is left: an error, or in a stream an event', async () => {
    faults.a.push('refuse_auth')
    faults.b.push('refuse_auth')
    await expect(transcribe({ model: 'nobody' })).rejects.toMatchObject({ status: 502, code: 'auth' })
    const { model } = { model: 'a/nova-stream' }
    faults.a.push(undefined, 'refuse_auth')
    const stream = await client.audio.transcriptions.create({ model, file: await twoPieces(), stream: true })
    const reading = (async () => {
      for await (const _ of stream);
    })()
    await expect(reading).rejects.toMatchObject({ code: 'auth' })
  })
})

test('a client that leaves ends the recognition, and gives its place back', async () => {
  faults.a.push('accept_then_silence', 'accept_then_silence', 'accept_then_silence')
  for (let round = 0; round < 3; round++) {
    const leave = new AbortController()
    const before = a.sessions.length
    const body = { model: 'a/nova-leaving', file: await toFile(wavOf([3000]), 'speech.wav') }
    const asking = client.audio.transcriptions.create(body, { signal: leave.signal })
    const refused = expect(asking).rejects.toThrow()
    await expect.poll(() => a.sessions.length).toBe(before + 1)
    leave.abort()
    await refused
    await expect.poll(() => a.sessions.at(-1)?.closed).toBeTruthy()
  }
  expect((await transcribe()).text).toBe('One two. Three')
})

describe('what is wrong is told by its name', () => {
  test.each([
    ['diarized_json', { response_format: 'diarized_json' }, 'response_format', 'unsupported_value'],
    ['a format that is none', { response_format: 'xml' }, 'response_format', 'invalid_value'],
    ['log probabilities', { include: ['logprobs'] }, 'include', 'unsupported_value'],
    [
      'times without their format',
      { timestamp_granularities: ['word'] },
      'timestamp_granularities',
      'unsupported_value',
    ],
    [
      'times of characters',
      { response_format: 'verbose_json', timestamp_granularities: ['char'] },
      'timestamp_granularities',
      'invalid_value',
    ],
    ['subtitles as a stream', { response_format: 'srt', stream: true }, 'stream', 'unsupported_value'],
    ['a language that is none', { language: 'English, please' }, 'language', 'invalid_value'],
    ['a temperature of 2', { temperature: 2 }, 'temperature', 'invalid_value'],
    [
      'another detector',
      { chunking_strategy: { type: 'client_vad' } },
      'chunking_strategy.type',
      'invalid_value',
    ],
    ['voices to know again', { known_speaker_names: ['Ann'] }, 'known_speaker_names', 'unsupported_value'],
  ])('%s', async (_, more, param, code) => {
    await expect(transcribe(more)).rejects.toMatchObject({ status: 400, param, code })
  })

  test('who cannot do what is asked is not asked', async () => {
    const words = {
      model: 'wordless/stt',
      response_format: 'verbose_json',
      timestamp_granularities: ['word'],
    }
    await expect(transcribe(words)).rejects.toMatchObject({
      param: 'timestamp_granularities',
      code: 'unsupported_value',
    })
    const german = transcribe({ model: 'wordless/stt', language: 'de' })
    await expect(german).rejects.toMatchObject({ param: 'language', code: 'unsupported_value' })
    expect((await transcribe({ model: 'wordless/stt', language: 'en' })).text).toBe('hello')
  })

  test('what is accepted: a strategy of cutting, and a temperature that nobody heeds', async () => {
    const strategy = { type: 'server_vad', threshold: 0.4, silence_duration_ms: 400, prefix_padding_ms: 100 }
    const answer = await raw({
      chunking_strategy: strategy,
      temperature: 0.2,
      response_format: 'verbose_json',
    })
    expect([answer.status, answer.headers.get('x-parley-ignored')]).toEqual([200, 'temperature'])
    expect((await raw({ chunking_strategy: 'auto' })).status).toBe(200)
  })

  test('a model that is not here', async () => {
    await expect(transcribe({ model: 'whisper-1' })).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
    })
    await expect(transcribe({ model: 'default' })).rejects.toMatchObject({ status: 503, code: 'no_target' })
  })
})

describe('a bad file or a bad form', () => {
  const AUTH = { authorization: `Bearer ${GATEWAY_KEY}` }
  const speech = wavOf([500])
  const blob = (bytes: Uint8Array, type = 'audio/wav') => new Blob([new Uint8Array(bytes)], { type })
  async function post(
    body: FormData | string | Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = {},
  ) {
    const answer = await fetch(`${gateway.url}/v1/audio/transcriptions`, {
      method: 'POST',
      headers: { ...AUTH, ...headers },
      body,
    })
    const { error } = (await answer.json()) as {
      error: { code: string; param: string | null; type: string; message: string }
    }
    expect(Object.keys(error ?? {}).sort()).toEqual(['code', 'message', 'param', 'type'])
    return [answer.status, error.code, error.param]
  }
  function form(parts: readonly (readonly [string, string | Blob])[]): FormData {
    const data = new FormData()
    for (const [name, value] of parts) {
      if (typeof value === 'string') data.append(name, value)
      else data.append(name, value, 'speech.wav')
    }
    return data
  }
  const MODEL = ['model', 'talk'] as const
  const FILE = ['file', blob(speech)] as const

  test.each([
    ['no file', form([MODEL]), 400, 'missing_required_parameter', 'file'],
    ['no model', form([FILE]), 400, 'missing_required_parameter', 'model'],
    ['two files', form([MODEL, FILE, FILE]), 400, 'invalid_form', 'file'],
    ['two models', form([MODEL, MODEL, FILE]), 400, 'invalid_value', 'model'],
    ['a file that is text', form([MODEL, ['file', 'hello']]), 400, 'invalid_value', 'file'],
    ['a file by another name', form([MODEL, ['audio', blob(speech)]]), 400, 'invalid_form', 'audio'],
    ['an empty file', form([MODEL, ['file', blob(new Uint8Array(0))]]), 400, 'invalid_value', 'file'],
    ['no sound in it', form([MODEL, ['file', blob(wavOf([0]))]]), 400, 'invalid_value', 'file'],
    ['a blink of sound', form([MODEL, ['file', blob(wavOf([50]))]]), 400, 'invalid_value', 'file'],
    ['half a header', form([MODEL, ['file', blob(speech.subarray(0, 20))]]), 400, 'invalid_value', 'file'],
    [
      'a hundred fields',
      form([MODEL, FILE, ...Array.from({ length: 100 }, (_, i) => [`f${i}`, 'x'] as const)]),
      400,
      'invalid_form',
      null,
    ],
    ['a field of 100 kB', form([MODEL, FILE, ['prompt', 'x'.repeat(100_000)]]), 400, 'invalid_form', null],
    [
      'a FLAC',
      form([MODEL, ['file', blob(Buffer.from('fLaC and so on, and so on'))]]),
      400,
      'unsupported_value',
      'file',
    ],
    [
      'an MP3 that is none',
      form([MODEL, ['file', blob(Buffer.from('ID3\x04 and so on, and so on'))]]),
      400,
      'invalid_value',
      'file',
    ],
    [
      'a WebM',
      form([MODEL, ['file', blob(Buffer.from('1a45dfa3934282886d6174726f736b61', 'hex'))]]),
      400,
      'unsupported_value',
      'file',
    ],
    [
      'a picture',
      form([MODEL, ['file', blob(Buffer.from('\x89PNG\r\n\x1a\n and so on'), 'image/png')]]),
      400,
      'unsupported_value',
      'file',
    ],
    [
      'longer than half a minute',
      form([MODEL, ['file', blob(wavOf([31_000]))]]),
      400,
      'invalid_value',
      'file',
    ],
    [
      'larger than a megabyte',
      form([MODEL, ['file', blob(new Uint8Array(1_100_000))]]),
      413,
      'payload_too_large',
      'file',
    ],
    [
      'larger than any form',
      form([MODEL, ['file', blob(new Uint8Array(2_000_000))]]),
      413,
      'payload_too_large',
      null,
    ],
  ])('%s', async (_, body, ...wanted) => {
    expect(await post(body)).toEqual(wanted)
  })

  test('a truncated WAV is what there is of it', async () => {
    const file = toFile(wavOf([6000]).subarray(0, 16_000 * 2 * 3), 'speech.wav')
    expect((await transcribe({ file })).text).toBe('One two. Three')
  })

  test('JSON, no boundary, the wrong boundary, half a form', async () => {
    expect(await post('{"model":"talk"}', { 'content-type': 'application/json' })).toEqual([
      415,
      'unsupported_media_type',
      null,
    ])
    expect(await post('x', { 'content-type': 'multipart/form-data' })).toEqual([400, 'invalid_form', null])
    const encoded = new Response(form([MODEL, FILE]))
    const type = encoded.headers.get('content-type')!
    const body = new Uint8Array(await encoded.arrayBuffer())
    expect(await post(body, { 'content-type': 'multipart/form-data; boundary=other' })).toEqual([
      400,
      'invalid_form',
      null,
    ])
    expect(await post(body.subarray(0, body.length / 2), { 'content-type': type })).toEqual([
      400,
      'invalid_form',
      null,
    ])
    expect(await post('', { 'content-type': type })).toEqual([400, 'invalid_form', null])
  })

  test('after all of it the next is served', async () => {
    expect((await transcribe()).text).toBe('One two. Three')
    expect(gateway.log.filter((line) => line.includes('request failed'))).toEqual([])
  })
})
