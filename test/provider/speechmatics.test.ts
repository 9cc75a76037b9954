import { describe, expect, test } from 'vitest'
import { ALAW_8K, MULAW_8K, PCM16_16K, PCM16_24K } from '../../src/audio/format.ts'
import { openScope } from '../../src/cancel.ts'
import { settled, VirtualClock } from '../../src/clock.ts'
import { createSpeechmatics } from '../../src/provider/speechmatics/index.ts'
import { closedBy, errorOf, readMessage, startMessage } from '../../src/provider/speechmatics/wire.ts'
import type { SttEvent } from '../../src/stage/stt.ts'
import { connectInMemory } from '../../src/testing/carrier/sockets.ts'
import { FAKE_KEY, type SttScript } from '../../src/testing/stt/double.ts'
import { type FakeSpeechmaticsOptions, fakeSpeechmatics } from '../../src/testing/stt/speechmatics.ts'
import { sound } from '../support/stages.ts'
import { type MakeRig, sttContract, sttNetwork } from './stt-conformance.ts'
import { sttOverSockets } from './stt-sockets.ts'

const MODEL = 'enhanced'

function rigOf(script: SttScript, more: Partial<FakeSpeechmaticsOptions> = {}) {
  const clock = new VirtualClock()
  const double = fakeSpeechmatics({ clock, script, ...more })
  const memory = connectInMemory(double.server)
  const settings = { name: 'speechmatics', apiKey: FAKE_KEY, connect: memory.connect }
  const provider = createSpeechmatics({ clock, note: () => {} }, settings)
  const open = () => memory.open
  return { adapter: provider.stt!(MODEL)!, clock, open, sessions: double.sessions, starts: double.starts }
}
const make: MakeRig = (script) => rigOf(script)

const FACTS = {
  force: 'ForceEndOfUtterance',
  // It asks for nothing.
  keepAlive: () => true,
  goodbye: 'EndOfStream',
  unknown: { message: 'InventedLater', anything: [1] },
  formats: [PCM16_16K, MULAW_8K, PCM16_24K],
} as const

sttContract('speechmatics', make)
sttNetwork('speechmatics', make, FACTS)
sttNetwork(
  'speechmatics that answers each forced end',
  (script) => rigOf(script, { emptyEnds: 'answered' }),
  FACTS,
)
sttOverSockets('speechmatics', MODEL, fakeSpeechmatics, createSpeechmatics)

async function listen(rig: ReturnType<typeof rigOf>) {
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
  return { ...rig, stream, events, hear, failure: () => failure }
}

describe('speechmatics asks', () => {
  test('for the format, partials, and no ends of its own', async () => {
    const { adapter, clock, starts } = rigOf({})
    const { signal } = openScope()
    const more = { language: 'en-GB', hints: ['Parley'] }
    const stream = await adapter.open({ format: MULAW_8K, signal, clock, ...more })
    expect(starts).toEqual([
      {
        message: 'StartRecognition',
        audio_format: { type: 'raw', encoding: 'mulaw', sample_rate: 8000 },
        transcription_config: {
          language: 'en',
          output_locale: 'en-GB',
          model: 'enhanced',
          enable_partials: true,
          max_delay: 2,
          conversation_config: { end_of_utterance_silence_trigger: 0 },
          additional_vocab: [{ content: 'Parley' }],
        },
      },
    ])
    void stream.close()
  })

  test.each([
    [undefined, 'en'],
    ['de-CH', 'de'],
    ['zh-CN', 'cmn'],
    ['nb', 'no'],
  ])('for the language %s as %s', (language, code) => {
    const start = startMessage({ model: MODEL, format: PCM16_16K, language, hints: [] })
    expect(JSON.parse(start!)).toMatchObject({ transcription_config: { language: code } })
  })

  test('not for A-law', async () => {
    const { adapter, clock } = rigOf({})
    const opening = adapter.open({ format: ALAW_8K, signal: openScope().signal, clock })
    await expect(opening).rejects.toMatchObject({ kind: 'bad_request' })
  })
})

describe('speechmatics hears', () => {
  const words = Array.from({ length: 8 }, (_none, i) => ({
    text: i === 7 ? 'w7.' : `w${i}`,
    startMs: i * 500 + 100,
    endMs: i * 500 + 400,
  }))

  test('a long sentence that is settled piece by piece, whole', async () => {
    const { hear, stream, events, clock, sessions } = await listen(rigOf({ words, answerMs: 80 }))
    await hear(4_200)
    expect(events.at(-1)).toMatchObject({ type: 'partial', stable: 'w0 w1 w2 w3', complete: false })
    stream.finalize()
    await clock.advance(100)
    const text = words.map((word) => word.text).join(' ')
    expect(events.at(-1)).toMatchObject({ type: 'final', text, words, language: 'en' })
    expect(sessions[0]?.mistakes).toEqual([])
    void stream.close()
  })

  test('a pause after a preview: its silence is no reason to ask and wait', async () => {
    const { hear, stream, events, clock } = await listen(rigOf({ words: words.slice(0, 2), answerMs: 80 }))
    await hear(1_100)
    stream.preview()
    await clock.advance(100)
    expect(events.at(-1)).toMatchObject({ complete: true, text: 'w0 w1' })
    await hear(300)
    stream.finalize()
    await clock.advance(460)
    expect(events.at(-1)).toMatchObject({ type: 'final', text: 'w0 w1' })
    void stream.close()
  })

  test('a full stop that comes late, without a space before it', async () => {
    const results = (content: string, type: string) => [
      {
        type,
        start_time: 0.4,
        end_time: 0.4,
        attaches_to: 'previous',
        alternatives: [{ content, confidence: 1 }],
      },
    ]
    const metadata = { start_time: 0.4, end_time: 0.4, transcript: '. ' }
    const send = { message: 'AddTranscript', metadata, results: results('.', 'punctuation') }
    const script = { words: words.slice(0, 1), answerMs: 20, steps: [{ atAudioMs: 3_000, send }] }
    const { hear, stream, events, clock } = await listen(rigOf(script))
    await hear(3_100)
    stream.finalize()
    await clock.advance(1_000)
    expect(events.at(-1)).toMatchObject({ type: 'final', text: 'w0.' })
    void stream.close()
  })

  test('a script without spaces', async () => {
    const script = { words: words.slice(0, 2), answerMs: 20 }
    const { hear, stream, events, clock } = await listen(rigOf(script, { wordDelimiter: '' }))
    await hear(600)
    stream.preview()
    await hear(600)
    stream.finalize()
    await clock.advance(1_000)
    expect(events.at(-1)).toMatchObject({ type: 'final', text: 'w0w1' })
    void stream.close()
  })

  test('nothing from a session that takes no audio: that is no silence', async () => {
    const { hear, stream, events, clock, failure } = await listen(
      rigOf({ fault: 'accept_then_silence', faultAtMs: 20 }),
    )
    await hear(400)
    stream.finalize()
    await clock.advance(4_900)
    expect(events).toEqual([])
    await clock.advance(1_000)
    expect(failure()).toMatchObject({ kind: 'timeout' })
  })
})

describe('speechmatics says what went wrong', () => {
  test.each([
    ['not_authorised', 'auth'],
    ['not_allowed', 'auth'],
    ['quota_exceeded', 'rate'],
    ['timelimit_exceeded', 'quota'],
    ['idle_timeout', 'expired'],
    ['session_timeout', 'expired'],
    ['invalid_model', 'bad_request'],
    ['protocol_error', 'bad_request'],
    ['job_error', 'transient'],
    ['Invented Later!', 'transient'],
  ])('%s is %s', (name, kind) => {
    expect(errorOf(name).kind).toBe(kind)
    expect(errorOf('Your key sk-123 …').message).toBe('Speechmatics ended the session (an unknown error)')
  })

  test('by a close alone', () => {
    expect(closedBy({ code: 1008, reason: '' }).kind).toBe('expired')
    expect(closedBy({ code: 1006, reason: '' }).kind).toBe('transient')
  })

  test('before it took any audio: a key it does not know', async () => {
    const rig = rigOf({ fault: 'refuse_auth' })
    const opening = rig.adapter.open({ format: PCM16_16K, signal: openScope().signal, clock: rig.clock })
    await expect(opening).rejects.toMatchObject({ kind: 'auth' })
    await expect(opening).rejects.not.toThrow('SECRET')
  })

  test('that it does not begin', async () => {
    const rig = rigOf({ fault: 'accept_then_silence' })
    const opening = rig.adapter.open({ format: PCM16_16K, signal: openScope().signal, clock: rig.clock })
    const outcome = opening.catch((error) => error)
    await rig.clock.advance(1_500)
    expect(await outcome).toMatchObject({ kind: 'timeout' })
    await rig.clock.advance(1_000)
    await settled()
    expect(rig.open()).toBe(0)
  })

  test('that an utterance was too long for it', () => {
    const warning = { message: 'Warning', type: 'duration_limit_exceeded', reason: '' }
    expect(readMessage(JSON.stringify(warning), ' ')).toMatchObject({ type: 'failed' })
    expect(readMessage('{"message":"Warning","type":"idle_timeout","reason":""}', ' ')).toEqual({
      type: 'other',
    })
  })
})
