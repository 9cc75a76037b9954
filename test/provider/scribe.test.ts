import { describe, expect, test } from 'vitest'
import { ALAW_8K, MULAW_8K, PCM16_16K, PCM16_24K } from '../../src/audio/format.ts'
import { openScope } from '../../src/cancel.ts'
import { settled, VirtualClock } from '../../src/clock.ts'
import { createElevenLabs } from '../../src/provider/elevenlabs/index.ts'
import {
  readScribe,
  type ScribeError,
  scribeError,
  scribeUrl,
} from '../../src/provider/elevenlabs/scribe-wire.ts'
import type { SttEvent } from '../../src/stage/stt.ts'
import { connectInMemory } from '../../src/testing/carrier/sockets.ts'
import { FAKE_KEY, type SttScript } from '../../src/testing/stt/double.ts'
import { fakeScribe } from '../../src/testing/stt/scribe.ts'
import { sound } from '../support/stages.ts'
import { type MakeRig, sttContract, sttNetwork } from './stt-conformance.ts'
import { sttOverSockets } from './stt-sockets.ts'

const MODEL = 'scribe_v2_realtime'

const make: MakeRig = (script: SttScript) => {
  const clock = new VirtualClock()
  const double = fakeScribe({ clock, script })
  const memory = connectInMemory(double.server)
  const settings = { name: 'elevenlabs', apiKey: FAKE_KEY, connect: memory.connect }
  const provider = createElevenLabs({ clock, note: () => {} }, settings)
  return { adapter: provider.stt!(MODEL)!, clock, open: () => memory.open, sessions: double.sessions }
}

sttContract('scribe', make)
sttNetwork('scribe', make, {
  force: 'commit',
  keepAlive: 'keepalive',
  unknown: { message_type: 'invented_later', anything: [1] },
  formats: [PCM16_16K, MULAW_8K, PCM16_24K],
})
sttOverSockets('scribe', MODEL, fakeScribe, createElevenLabs)

async function listen(script: SttScript) {
  const rig = make(script)
  const { clock } = rig
  const stream = await rig.adapter.open({ format: PCM16_16K, signal: openScope().signal, clock })
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
      stream.write(sound(PCM16_16K, 20, 'speech'))
      await clock.advance(20)
    }
  }
  const finals = () => events.filter(({ type }) => type === 'final')
  return { ...rig, stream, events, hear, finals, failure: () => failure }
}

const HELLO = { text: 'hello', startMs: 100, endMs: 400 }
const committed = (text: string) => ({ message_type: 'committed_transcript', text })
const timed = (text: string, start: number, end: number) => ({
  message_type: 'committed_transcript_with_timestamps',
  text,
  words: text === '' ? [] : [{ text, start, end, type: 'word' }],
})

describe('scribe is asked', () => {
  const query = { model: MODEL, format: MULAW_8K, language: 'en-US', hints: ['Parley', 'x'.repeat(21)] }

  test('for the format, the language, words with times, and no commits of its own', () => {
    const url = new URL(scribeUrl('wss://api.elevenlabs.io', query)!)
    expect(url.pathname).toBe('/v1/speech-to-text/realtime')
    expect(Object.fromEntries(url.searchParams)).toEqual({
      model_id: MODEL,
      audio_format: 'ulaw_8000',
      commit_strategy: 'manual',
      include_timestamps: 'true',
      include_language_detection: 'true',
      language_code: 'en',
      keyterms: 'Parley',
    })
  })

  test('not for A-law, and not for files', async () => {
    const { adapter, clock } = make({})
    const opening = adapter.open({ format: ALAW_8K, signal: openScope().signal, clock })
    await expect(opening).rejects.toMatchObject({ kind: 'bad_request' })
    const provider = createElevenLabs({ clock, note: () => {} }, { name: 'elevenlabs', apiKey: FAKE_KEY })
    expect(provider.stt?.('scribe_v2')).toBeUndefined()
    expect(provider.stt?.('eleven_flash_v2_5')).toBeUndefined()
  })
})

describe('scribe commits', () => {
  test('no less than 300 ms: silence makes up the rest, and counts for nobody', async () => {
    const words = [HELLO, { text: 'yes', startMs: 900, endMs: 1_200 }]
    const { hear, stream, clock, sessions, finals } = await listen({ words })
    await hear(600)
    stream.preview()
    await clock.advance(50)
    await hear(100)
    stream.finalize()
    await clock.advance(50)
    expect(sessions[0]).toMatchObject({ audioMs: 900, messages: ['commit', 'commit'], mistakes: [] })
    await hear(600)
    stream.finalize()
    await clock.advance(50)
    // 200 ms of the provider's audio nobody spoke.
    expect(finals()).toMatchObject([
      { text: 'hello' },
      { text: 'yes', words: [{ startMs: 700, endMs: 1_000 }] },
    ])
    void stream.close()
  })

  test('with its text first: the words are waited for', async () => {
    const steps = [
      { onMessage: 'commit', send: committed('Hello.'), afterMs: 50 },
      { atAudioMs: 500, send: timed('Hello.', 0.1, 0.4), afterMs: 450 },
    ]
    const { hear, stream, clock, finals } = await listen({ steps, fault: 'no_final' })
    await hear(600)
    stream.finalize()
    await clock.advance(300)
    expect(finals()).toEqual([])
    await clock.advance(100)
    expect(finals()).toEqual([
      { type: 'final', text: 'Hello.', words: [{ text: 'Hello.', startMs: 100, endMs: 400 }] },
    ])
    void stream.close()
  })

  test('without any words: the text is enough, and the next answer is the next one’s', async () => {
    const steps = [
      { onMessage: 'commit', send: committed('Hello.'), afterMs: 50 },
      { onMessage: 'commit', send: committed('Bye.'), afterMs: 50 },
    ]
    const { hear, stream, clock, finals } = await listen({ steps, fault: 'no_final' })
    await hear(600)
    stream.finalize()
    await clock.advance(500)
    expect(finals()).toEqual([{ type: 'final', text: 'Hello.' }])
    await hear(600)
    stream.finalize()
    await clock.advance(500)
    expect(finals()).toEqual([
      { type: 'final', text: 'Hello.' },
      { type: 'final', text: 'Bye.' },
    ])
    void stream.close()
  })

  test('by itself after 90 s: the beginning is not lost', async () => {
    const words = [HELLO, { text: 'again', startMs: 95_000, endMs: 95_400 }]
    const { hear, stream, clock, finals, sessions } = await listen({ words })
    await hear(96_000)
    stream.finalize()
    await clock.advance(50)
    expect(finals()).toMatchObject([{ text: 'hello again' }])
    expect(sessions[0]?.messages).toEqual(['commit'])
    void stream.close()
  })

  test('and times of words that count from the commit before are told apart', async () => {
    const steps = [
      { onMessage: 'commit', send: timed('Hello.', 0.1, 0.4) },
      { onMessage: 'commit', send: timed('Bye.', 0.2, 0.5) },
    ]
    const { hear, stream, clock, finals } = await listen({ steps, fault: 'no_final' })
    for (let turn = 0; turn < 2; turn++) {
      await hear(600)
      stream.finalize()
      await clock.advance(50)
    }
    expect(finals()).toMatchObject([
      { words: [{ startMs: 100, endMs: 400 }] },
      { words: [{ startMs: 800, endMs: 1_100 }] },
    ])
    void stream.close()
  })

  test('refused as too many: what it holds is answered, and nobody waits', async () => {
    const send = { message_type: 'commit_throttled', error: 'ignored' }
    const steps = [{ onMessage: 'commit', send }]
    const { hear, stream, finals, failure } = await listen({ steps, fault: 'no_final' })
    await hear(600)
    stream.finalize()
    await settled()
    expect(finals()).toEqual([{ type: 'final', text: '' }])
    expect(failure()).toBeUndefined()
    void stream.close()
  })
})

describe('scribe’s messages', () => {
  test('words without their spaces, in milliseconds, as sure as their logarithms', () => {
    const words = [
      { text: 'one', start: 0.1004, end: 0.2, type: 'word', logprob: 0 },
      { text: ' ', start: 0.2, end: 0.2, type: 'spacing' },
      { text: '(laughs)', start: 0.2, end: 0.3, type: 'audio_event' },
      { text: 'two', start: 0.3, end: 0.4, type: 'word', logprob: Math.log(0.5) },
    ]
    const message = { message_type: 'committed_transcript_with_timestamps', text: ' one two', words }
    expect(readScribe(JSON.stringify({ ...message, language_code: 'en' }))).toEqual({
      type: 'committedWords',
      text: 'one two',
      words: [
        { text: 'one', startMs: 100, endMs: 200 },
        { text: 'two', startMs: 300, endMs: 400 },
      ],
      confidence: 0.75,
      language: 'en',
    })
    expect(readScribe(JSON.stringify({ ...message, words: null }))).toMatchObject({ words: [] })
  })

  test.each([
    ['auth_error', 'auth'],
    ['unaccepted_terms', 'auth'],
    ['quota_exceeded', 'quota'],
    ['rate_limited', 'rate'],
    ['input_error', 'bad_request'],
    ['invalid_request', 'bad_request'],
    ['chunk_size_exceeded', 'bad_request'],
    ['session_time_limit_exceeded', 'expired'],
    ['resource_exhausted', 'transient'],
    ['queue_overflow', 'transient'],
    ['error', 'transient'],
    ['commit_throttled', undefined],
    ['insufficient_audio_activity', undefined],
  ] as const)('%s: %s', (error: ScribeError, kind) => {
    expect(scribeError(error)?.kind).toBe(kind)
  })

  test('a close for want of audio is planned', async () => {
    const steps = [
      { atAudioMs: 100, send: { message_type: 'insufficient_audio_activity', error: `for ${FAKE_KEY}` } },
    ]
    const { hear, failure } = await listen({ steps, fault: 'close_clean_early', faultAtMs: 400 })
    await hear(600)
    expect(failure()).toMatchObject({ kind: 'expired' })
    expect(String(failure())).not.toContain(FAKE_KEY)
  })
})
