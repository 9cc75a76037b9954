/** Recognition in OpenAI's realtime transcription sessions. */
import OpenAI from 'openai'
import { OpenAIRealtimeWS } from 'openai/realtime/ws'
import { describe, expect, test } from 'vitest'
import { ALAW_8K, MULAW_8K, PCM16_16K, PCM16_24K } from '../../../src/audio/format.ts'
import { openScope } from '../../../src/cancel.ts'
import { realClock, VirtualClock } from '../../../src/clock.ts'
import { createOpenAi, type OpenAiSettings, sttOf } from '../../../src/provider/openai/index.ts'
import { TranscriptionItems } from '../../../src/provider/openai/realtime/items.ts'
import { sessionUpdate, transcriptionError } from '../../../src/provider/openai/realtime/wire.ts'
import type { ProviderDeps } from '../../../src/stage/provider.ts'
import type { SttEvent } from '../../../src/stage/stt.ts'
import { connectInMemory, serveDouble } from '../../../src/testing/carrier/sockets.ts'
import { FAKE_KEY, type SttScript } from '../../../src/testing/stt/double.ts'
import { fakeOpenAiRealtime } from '../../../src/testing/stt/openai-realtime.ts'
import { selfSigned } from '../../support/certificate.ts'
import { sound } from '../../support/stages.ts'
import { type MakeRig, sttContract, sttNetwork } from '../stt-conformance.ts'
import { sttOverSockets } from '../stt-sockets.ts'

function rigOf(model: string, script: SttScript, more: { readonly sessionMs?: number } = {}) {
  const clock = new VirtualClock()
  const double = fakeOpenAiRealtime({ clock, script, ...more })
  const memory = connectInMemory(double.server)
  const settings = { name: 'openai', apiKey: FAKE_KEY, connect: memory.connect }
  const provider = createOpenAi({ clock, note: () => {} }, settings)
  const { sessions, settings: asked } = double
  return { adapter: provider.stt!(model)!, clock, open: () => memory.open, sessions, asked }
}
const make =
  (model: string): MakeRig =>
  (script) =>
    rigOf(model, script)

const facts = {
  force: 'commit',
  keepAlive: () => true,
  formats: [PCM16_24K, MULAW_8K, ALAW_8K],
}
sttContract('gpt-live-transcribe', make('gpt-live-transcribe'))
sttNetwork('gpt-live-transcribe', make('gpt-live-transcribe'), facts)
/** Says nothing before a commit. */
sttContract('gpt-4o-mini-transcribe', make('gpt-4o-mini-transcribe'))

const elsewhere = (deps: ProviderDeps, settings: OpenAiSettings) =>
  createOpenAi(deps, { ...settings, stt: 'realtime' })
sttOverSockets('gpt-live-transcribe', 'gpt-live-transcribe', fakeOpenAiRealtime, elsewhere)

async function listen(script: SttScript, more: { readonly sessionMs?: number } = {}) {
  const rig = rigOf('gpt-live-transcribe', script, more)
  const { clock } = rig
  const stream = await rig.adapter.open({ format: PCM16_24K, signal: openScope().signal, clock })
  const events: SttEvent[] = []
  let failure: unknown
  void (async () => {
    try {
      for await (const event of stream) events.push(event)
    } catch (error) {
      failure = error
    }
  })()
  const hear = async (ms: number) => {
    for (let at = 0; at < ms; at += 20) {
      stream.write(sound(PCM16_24K, 20, 'speech'))
      await clock.advance(20)
    }
  }
  const finals = () => events.flatMap((event) => (event.type === 'final' ? [event.text] : []))
  return { ...rig, stream, events, hear, finals, failure: () => failure }
}

const HELLO = { text: 'hello', startMs: 100, endMs: 400 }
const completed = (item_id: string, transcript: string) => ({
  type: 'conversation.item.input_audio_transcription.completed',
  item_id,
  content_index: 0,
  transcript,
})
const delta = (item_id: string, text: string) => ({
  type: 'conversation.item.input_audio_transcription.delta',
  item_id,
  content_index: 0,
  delta: text,
})

describe('a transcription session is set', () => {
  const request = { format: MULAW_8K, language: 'de-CH', hints: ['Parley', 'fvad'] }

  test('to its model, format, language and words, and to leave turns alone', () => {
    expect(JSON.parse(sessionUpdate({ ...request, model: 'gpt-live-transcribe' }))).toEqual({
      type: 'session.update',
      session: {
        type: 'transcription',
        audio: {
          input: {
            format: { type: 'audio/pcmu' },
            transcription: { model: 'gpt-live-transcribe', language: 'de', keywords: ['Parley', 'fvad'] },
            turn_detection: null,
          },
        },
      },
    })
  })

  test.each([
    ['gpt-transcribe', { keywords: ['Parley', 'fvad'] }],
    ['gpt-4o-transcribe', { prompt: 'Parley, fvad' }],
    ['whisper-1', { prompt: 'Parley, fvad' }],
    ['gpt-realtime-whisper', {}],
  ])('%s is told what to expect as it takes it', async (model, hints) => {
    const { adapter, clock, asked, sessions } = rigOf(model, {})
    const { signal } = openScope()
    const stream = await adapter.open({ format: ALAW_8K, hints: request.hints, signal, clock })
    expect(asked).toMatchObject([{ audio: { input: { transcription: { model, ...hints } } } }])
    expect(sessions[0]?.mistakes).toEqual([])
    void stream.close()
  })

  test('at OpenAI for its recognisers, elsewhere where the settings say so', () => {
    const deps = { clock: new VirtualClock(), note: () => {} }
    const own = createOpenAi(deps, { name: 'openai', apiKey: FAKE_KEY })
    expect(own.stt?.('gpt-5')).toBeUndefined()
    expect(own.stt?.('gpt-4o-transcribe-diarize')).toBeUndefined()
    const other = { name: 'other', baseUrl: 'http://127.0.0.1:1/v1' }
    // It is sent files.
    expect(createOpenAi(deps, other).stt?.('whisper-1')?.caps.inputs).toEqual([PCM16_16K])
    expect(createOpenAi(deps, { ...other, stt: 'realtime' }).stt?.('guide')?.id).toBe('other/guide')
    expect(() => sttOf('other', 'batch')).toThrow('providers.other.stt must be realtime or files')
  })

  test('not for 16 kHz', async () => {
    const { adapter, clock } = rigOf('gpt-live-transcribe', {})
    const opening = adapter.open({ format: PCM16_16K, signal: openScope().signal, clock })
    await expect(opening).rejects.toMatchObject({ kind: 'bad_request' })
  })
})

describe('a transcription session commits', () => {
  test('no less than 100 ms: silence makes up the rest', async () => {
    const { hear, stream, clock, sessions, finals } = await listen({ words: [HELLO] })
    await hear(600)
    stream.preview()
    await clock.advance(50)
    // The least that is speech.
    await hear(60)
    stream.finalize()
    await clock.advance(50)
    // In frames of 60 ms.
    expect(sessions[0]).toMatchObject({ audioMs: 720, messages: ['commit', 'commit'], mistakes: [] })
    expect(finals()).toEqual(['hello'])
    void stream.close()
  })

  test('two turns that are complete in the other order: each keeps its words', async () => {
    const steps = [
      { onMessage: 'commit', send: { type: 'rate_limits.updated' } },
      { onMessage: 'commit', send: completed('item_1', 'second'), afterMs: 50 },
      { atAudioMs: 1_000, send: completed('item_0', 'first'), afterMs: 400 },
    ]
    const { hear, stream, clock, finals } = await listen({ steps, fault: 'no_final' })
    await hear(600)
    stream.finalize()
    await hear(600)
    stream.finalize()
    await clock.advance(100)
    expect(finals()).toEqual([])
    await clock.advance(400)
    expect(finals()).toEqual(['first', 'second'])
    void stream.close()
  })

  test('and nothing was in it: an empty final, nobody waits', async () => {
    const error = { type: 'invalid_request_error', code: 'input_audio_buffer_commit_empty', message: 'x' }
    const steps = [{ onMessage: 'commit', send: { type: 'error', error } }]
    const { hear, stream, clock, finals, failure } = await listen({ steps, fault: 'no_final' })
    await hear(600)
    stream.finalize()
    await clock.advance(50)
    expect(finals()).toEqual([''])
    expect(failure()).toBeUndefined()
    void stream.close()
  })

  test('and what it could not recognise is somebody else’s to try', async () => {
    const send = {
      type: 'conversation.item.input_audio_transcription.failed',
      item_id: 'item_0',
      content_index: 0,
      error: { message: `about ${FAKE_KEY}` },
    }
    const { hear, stream, clock, failure } = await listen({ steps: [{ onMessage: 'commit', send }] })
    await hear(600)
    stream.finalize()
    await clock.advance(50)
    expect(failure()).toMatchObject({ kind: 'transient' })
    expect(String(failure())).not.toContain(FAKE_KEY)
  })

  test('late words of a turn that is complete are nobody’s', async () => {
    const steps = [
      { onMessage: 'commit', send: delta('item_0', ' echo'), afterMs: 100 },
      { onMessage: 'commit', send: completed('item_0', 'echo'), afterMs: 100 },
    ]
    const words = [HELLO, { text: 'bye', startMs: 900, endMs: 1_100 }]
    const { hear, stream, clock, events, finals } = await listen({ words, steps })
    await hear(600)
    stream.finalize()
    await hear(600)
    stream.finalize()
    await clock.advance(200)
    expect(finals()).toEqual(['hello', 'bye'])
    const partials = events.flatMap((event) => (event.type === 'partial' ? [event.text] : []))
    expect(partials.filter((text) => text.includes('echo'))).toEqual([])
    void stream.close()
  })
})

test('a session that says when it ends is left half a minute before', async () => {
  const { clock, failure, open } = await listen({}, { sessionMs: 55_000 })
  await clock.advance(24_000)
  expect(failure()).toBeUndefined()
  await clock.advance(2_500)
  expect(failure()).toMatchObject({ kind: 'expired' })
  expect(open()).toBe(0)
})

test('words before a commit are the committed item’s, by whatever name they came', () => {
  const items = new TranscriptionItems()
  expect(items.add('early', 'hel')).toBe(true)
  items.commit('item')
  expect(items.text).toBe('hel')
  expect(items.add('early', 'lo')).toBe(false)
  items.complete('item', { text: 'hello', language: 'en' })
  expect([...items.take()]).toEqual([{ text: 'hello', language: 'en' }])
  expect(items.text).toBe('')
})

test.each([
  ['invalid_request_error', 'session_expired', 'expired'],
  ['invalid_request_error', 'invalid_api_key', 'auth'],
  ['authentication_error', undefined, 'auth'],
  ['invalid_request_error', 'insufficient_quota', 'quota'],
  ['requests', 'rate_limit_exceeded', 'rate'],
  ['invalid_request_error', 'unknown_parameter', 'bad_request'],
  ['server_error', undefined, 'transient'],
] as const)('an error of %s, %s: %s', (type, code, kind) => {
  expect(transcriptionError(type, code).kind).toBe(kind)
})

test('an error’s code is told if it is one, and never a sentence', () => {
  expect(transcriptionError('server_error', `Key ${FAKE_KEY}`).message).not.toContain(FAKE_KEY)
})

test('the SDK drives the double', async () => {
  const certificate = selfSigned()
  const words = [HELLO, { text: 'there.', startMs: 450, endMs: 900 }]
  const double = fakeOpenAiRealtime({ clock: realClock, script: { words, answerMs: 5 } })
  const served = await serveDouble(double.server, certificate)
  const baseURL = `${served.url.replace('wss:', 'https:').replace('127.0.0.1', 'localhost')}/v1`
  const client = new OpenAI({ apiKey: FAKE_KEY, baseURL })
  const live = new OpenAIRealtimeWS({ intent: 'transcription', options: { ca: certificate.cert } }, client)
  const deltas: (string | undefined)[] = []
  live.on('conversation.item.input_audio_transcription.delta', (event) => deltas.push(event.delta))
  const errors: unknown[] = []
  live.on('error', (error) => errors.push(error.error?.code ?? error.message))
  const next = <T>(listen: (resolve: (event: T) => void) => void) => new Promise<T>(listen)
  await next((resolve) => live.on('session.created', resolve))
  live.send({
    type: 'session.update',
    session: {
      type: 'transcription',
      audio: {
        input: {
          format: { type: 'audio/pcm', rate: 24_000 },
          transcription: { model: 'gpt-live-transcribe', keywords: ['Parley'] },
          turn_detection: null,
        },
      },
    },
  })
  await next((resolve) => live.on('session.updated', resolve))
  const audio = Buffer.from(sound(PCM16_24K, 100, 'speech')).toString('base64')
  live.send({ type: 'input_audio_buffer.commit' })
  for (let i = 0; i < 10; i++) live.send({ type: 'input_audio_buffer.append', audio })
  live.send({ type: 'input_audio_buffer.commit' })
  const done = await next<{ transcript: string }>((resolve) =>
    live.on('conversation.item.input_audio_transcription.completed', resolve),
  )
  expect(done.transcript).toBe('hello there.')
  expect(deltas.join('')).toBe('hello there.')
  expect(errors).toEqual(['input_audio_buffer_commit_empty'])
  expect(double.sessions[0]?.mistakes).toEqual(['a commit of 0 ms'])
  live.close()
  await served.empty()
  await served.close()
})
