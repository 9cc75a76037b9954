/** Speech over HTTP through the whole server: the official `openai` SDK as the client, two doubles of a provider as the voices. */
import OpenAI from 'openai'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { readWav } from '../../src/audio/wav.ts'
import { realClock } from '../../src/clock.ts'
import { type ServedDouble, serveDouble } from '../../src/testing/carrier/sockets.ts'
import { CARTESIA_KEY, FakeCartesia } from '../../src/testing/tts/cartesia.ts'
import { markOf, type TtsFault } from '../../src/testing/tts/double.ts'
import { GATEWAY_KEY, type Gateway, startGateway } from './server.ts'

/** Faults before the first sound of what is said next. */
const failing: Record<'a' | 'b', TtsFault | undefined> = { a: undefined, b: undefined }
const [a, b] = (['a', 'b'] as const).map(
  (name) =>
    new FakeCartesia({
      clock: realClock,
      msPerChar: 10,
      chunkMs: 50,
      faultOf: () => {
        const fault = failing[name]
        failing[name] = undefined
        return fault && { fault, at: 'start' }
      },
    }),
) as [FakeCartesia, FakeCartesia]
function pipeline(name: string): string {
  return `
name: ${name}
voice: anna
language: en
stt: { routes: [{ name: any, use: [local/none] }] }
llm: { routes: [{ name: any, use: [local/none] }] }
tts:
  routes:
    - { name: loud, when: 'turn.text.contains("LOUD")', use: [b/sonic-${name}] }
    - { name: any, use: [a/sonic-${name}, b/sonic-${name}] }
voices: { anna: { a: anna-of-a, b: anna-of-b }, ben: { a: ben-of-a, b: ben-of-b } }
`
}

let served: readonly ServedDouble[]
let gateway: Gateway
let client: OpenAI
beforeAll(async () => {
  served = await Promise.all([serveDouble(a.server), serveDouble(b.server)])
  const [forA, forB] = served.map(
    ({ url }) => `{ type: cartesia, baseUrl: '${url}', apiKey: ${CARTESIA_KEY} }`,
  )
  gateway = await startGateway({
    settings: `
providers: { a: ${forA}, b: ${forB} }
gateway: { audioAtOnce: 2 }`,
    // Each with targets of its own, so that a circuit one test opened is no other's.
    pipelines: ['talk', 'early', 'midway', 'nobody', 'own-id'].map(pipeline),
  })
  client = new OpenAI({ apiKey: GATEWAY_KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
})
afterAll(async () => {
  await gateway.close()
  await Promise.all(served.map((one) => one.close()))
})
afterEach(() => {
  expect([a.mistakes, b.mistakes]).toEqual([[], []])
  a.frames.length = 0
  b.frames.length = 0
})

const ONE = 'The train leaves at seven.'
const TWO = 'It stops at every station on the way.'
const THREE = 'Please have your ticket ready.'

/** Which sentences a sound is made of, and how many ms of each, in order. */
function heard(pcm: Uint8Array): [string, number][] {
  const runs: [string, number][] = []
  const texts = new Map([ONE, TWO, THREE].map((text) => [markOf(text), text]))
  let at = 0
  while (at < pcm.length) {
    const mark = pcm[at]!
    let end = at
    while (pcm[end] === mark) end++
    runs.push([texts.get(mark) ?? `byte ${mark}`, (end - at) / 48])
    at = end
  }
  return runs
}
const whole = (text: string): [string, number] => [text, text.length * 10]

async function bytesOf(answer: Response): Promise<Uint8Array> {
  return new Uint8Array(await answer.arrayBuffer())
}
const speak = (more: Partial<OpenAI.Audio.SpeechCreateParams> = {}) =>
  client.audio.speech.create({
    model: 'talk',
    voice: 'alloy',
    input: `${ONE} ${TWO} ${THREE}`,
    response_format: 'pcm',
    ...more,
  })
const voicesOf = (double: FakeCartesia) => [
  ...new Set(
    double.frames.flatMap((frame) => (frame['voice'] ? [(frame['voice'] as { id: string }).id] : [])),
  ),
]

describe('an answer', () => {
  test('is every sentence once, in order, as it was asked: PCM at 24 kHz', async () => {
    const answer = await speak()
    expect(answer.headers.get('content-type')).toBe('audio/pcm')
    expect(heard(await bytesOf(answer))).toEqual([whole(ONE), whole(TWO), whole(THREE)])
  })

  test('without a format is a WAV file', async () => {
    const { response_format: _, ...rest } = { ...{ response_format: 'pcm' } }
    const answer = await client.audio.speech.create({ model: 'talk', voice: 'alloy', input: ONE, ...rest })
    expect(answer.headers.get('content-type')).toBe('audio/wav')
    const { samples, sampleRateHz } = readWav(await bytesOf(answer))
    expect([samples.length, sampleRateHz]).toEqual([ONE.length * 240, 24_000])
  })

  test('has its record in the headers and at /v1/turns', async () => {
    const answer = await speak({ input: ONE })
    await answer.arrayBuffer()
    expect(answer.headers.get('x-parley-attempts')).toBe('1')
    const turn = await gateway.turn(answer.headers.get('x-parley-turn-id')!)
    expect(turn).toMatchObject({
      wire: 'speech',
      pipeline: 'talk',
      outcome: 'said',
      route: { tts: 'any' },
      attempts: [{ stage: 'tts', provider: 'a', status: 'ok' }],
    })
    expect(turn.budget.actualMs).toBeGreaterThan(0)
    expect(JSON.stringify(turn)).not.toContain('train')
  })

  test('is routed by its own words', async () => {
    const answer = await speak({ input: 'This is LOUD.' })
    await answer.arrayBuffer()
    const turn = await gateway.turn(answer.headers.get('x-parley-turn-id')!)
    expect([turn.route.tts, turn.attempts[0]?.provider]).toEqual(['loud', 'b'])
  })

  test('as events: sound, then the end with usage and the record', async () => {
    const answer = await speak({ stream_format: 'sse' })
    const events = (await answer.text())
      .split('\n\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line.replace(/^data: /, '')))
    const done = events.pop()
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(['speech.audio.delta']))
    const sound = Buffer.concat(events.map(({ audio }) => Buffer.from(audio, 'base64')))
    expect(heard(sound)).toEqual([whole(ONE), whole(TWO), whole(THREE)])
    expect(done).toMatchObject({
      type: 'speech.audio.done',
      usage: { input_tokens: 24, output_tokens: 19 },
      parley: { pipeline: 'talk', attempts: [{ provider: 'a' }] },
    })
  })

  test('says in a header what it did not heed', async () => {
    const answer = await speak({ input: ONE, instructions: 'Whisper.' })
    await answer.arrayBuffer()
    expect(answer.headers.get('x-parley-ignored')).toBe('instructions')
  })
})

describe('a voice', () => {
  test.each([
    ['a name of the pipeline', 'ben', 'ben-of-a'],
    ['a name of OpenAI’s: the pipeline’s own', 'alloy', 'anna-of-a'],
    ['the provider’s own id', 'f9f2', 'f9f2'],
    ['an id in an object', { id: 'alloy' }, 'alloy'],
  ])('by %s', async (_, voice, id) => {
    await bytesOf(await speak({ voice, input: ONE }))
    expect(voicesOf(a)).toEqual([id])
  })

  test('an own id means nothing to the next provider: the pipeline’s voice takes over', async () => {
    failing.a = 'rate_in_context'
    await bytesOf(await speak({ model: 'own-id', voice: 'f9f2', input: ONE }))
    expect([voicesOf(a), voicesOf(b)]).toEqual([['f9f2'], ['anna-of-b']])
  })

  test('a provider without a default voice: the client is told where to look', async () => {
    const answer = speak({ model: 'a/sonic-3', input: ONE })
    await expect(answer).rejects.toMatchObject({ status: 400, param: 'voice' })
  })

  test('a target by name, with its own voice and pace', async () => {
    const answer = await speak({ model: 'b/sonic-3', voice: 'own', input: ONE, speed: 1.25 })
    await answer.arrayBuffer()
    expect(b.frames[0]).toMatchObject({ voice: { id: 'own' }, generation_config: { speed: 1.25 } })
    const turn = await gateway.turn(answer.headers.get('x-parley-turn-id')!)
    expect(turn).toMatchObject({ pipeline: '-', attempts: [{ provider: 'b' }] })
  })
})

describe('failover', () => {
  test('before the first sound nobody notices', async () => {
    failing.a = 'refuse_in_context'
    const answer = await speak({ model: 'early' })
    const runs = heard(await bytesOf(answer))
    const turn = await gateway.turn(answer.headers.get('x-parley-turn-id')!)
    expect(turn.attempts.map(({ provider, status }) => [provider, status])).toEqual([
      ['a', 'failed'],
      ['b', 'ok'],
    ])
    expect(runs).toEqual([whole(ONE), whole(TWO), whole(THREE)])
  })

  test('in the middle the next goes on with the sentence that broke, and says none twice that was finished', async () => {
    a.faults.plan('drop_mid_stream', 1)
    const answer = await speak({ model: 'midway' })
    const runs = heard(await bytesOf(answer))
    expect(runs[0]).toEqual(whole(ONE))
    // The half that was sent of the second, its whole, the third.
    const seconds = runs.slice(1, -1)
    expect(new Set(seconds.map(([text]) => text))).toEqual(new Set([TWO]))
    const ms = seconds.reduce((sum, [, one]) => sum + one, 0)
    expect(ms).toBeGreaterThan(TWO.length * 10)
    expect(ms).toBeLessThan(TWO.length * 20)
    expect(runs.at(-1)).toEqual(whole(THREE))
    const turn = await gateway.turn(answer.headers.get('x-parley-turn-id')!)
    expect(turn.attempts.map(({ provider, status, reason }) => [provider, status, reason])).toEqual([
      ['a', 'failed', 'first'],
      ['b', 'ok', 'continuation'],
    ])
    expect(turn.outcome).toBe('said')
  })

  test('nobody is left: before a sound an error, after it the connection breaks, or an event says so', async () => {
    Object.assign(failing, { a: 'refuse_in_context', b: 'refuse_in_context' })
    await expect(speak({ model: 'nobody' })).rejects.toMatchObject({ status: 502, code: 'transient' })
    const only = { model: 'b/sonic-3', voice: 'own' }
    b.faults.plan('drop_mid_stream', 1)
    const broken = await speak(only)
    await expect(broken.arrayBuffer()).rejects.toThrow()
    b.faults.plan('drop_mid_stream', 1)
    const text = await (await speak({ ...only, stream_format: 'sse' })).text()
    const last = JSON.parse(
      text
        .trim()
        .split('\n\n')
        .at(-1)!
        .replace(/^data: /, ''),
    )
    expect(last).toMatchObject({ type: 'error', error: { code: 'transient' }, parley: { attempts: [{}] } })
    expect((await gateway.turn(last.parley.turnId)).outcome).toBe('failed')
  })
})

test('a client that leaves stops the voice, and gives its place back', async () => {
  const long = Array.from({ length: 30 }, () => TWO).join(' ')
  for (let round = 0; round < 3; round++) {
    const leave = new AbortController()
    const answer = await client.audio.speech.create(
      { model: 'talk', voice: 'alloy', input: long, response_format: 'pcm' },
      { signal: leave.signal },
    )
    const reader = answer.body!.getReader()
    await reader.read()
    leave.abort()
    await expect(reader.closed).rejects.toThrow()
    await expect
      .poll(async () => (await gateway.turn(answer.headers.get('x-parley-turn-id')!)).outcome)
      .toBe('cancelled')
  }
  await expect.poll(() => a.active).toBe(0)
  const given = a.frames.filter(({ transcript }) => typeof transcript === 'string' && transcript !== '')
  expect(given.length).toBeLessThan(20)
})

test('as many at once as is set, and one more is told to come again', async () => {
  const open = await Promise.all(
    [0, 1].map(() => speak({ input: Array.from({ length: 30 }, () => TWO).join(' ') })),
  )
  await expect(speak({ input: ONE })).rejects.toMatchObject({ status: 503, code: 'audio_busy' })
  await Promise.all(open.map(bytesOf))
  await bytesOf(await speak({ input: ONE }))
})

describe('what is wrong is told by its name', () => {
  test.each([
    ['no input', { input: undefined }, 'input', 'missing_required_parameter'],
    ['nothing to say', { input: '… 🎉 …' }, 'input', 'invalid_value'],
    ['too long', { input: 'a'.repeat(4097) }, 'input', 'string_above_max_length'],
    ['a format that is not made', { response_format: 'mp3' }, 'response_format', 'unsupported_value'],
    ['a format that is none', { response_format: 'au' }, 'response_format', 'invalid_value'],
    ['too fast', { speed: 4.5 }, 'speed', 'invalid_value'],
    ['speed as text', { speed: '1' }, 'speed', 'invalid_value'],
    ['a voice of another type', { voice: 7 }, 'voice', 'invalid_value'],
    ['a stream of another kind', { stream_format: 'ws' }, 'stream_format', 'invalid_value'],
  ])('%s', async (_, more, param, code) => {
    const answer = speak(more as object)
    await expect(answer).rejects.toMatchObject({ status: 400, param, code, type: 'invalid_request_error' })
  })

  test('a model that is not here', async () => {
    await expect(speak({ model: 'nobody/x' })).rejects.toMatchObject({ status: 404, code: 'model_not_found' })
    await expect(speak({ model: 'default' })).rejects.toMatchObject({ status: 503, code: 'no_target' })
  })
})
