import { describe, expect, test } from 'vitest'
import { ALAW_8K, MULAW_8K, PCM16_16K, PCM16_24K } from '../../src/audio/format.ts'
import { openScope } from '../../src/cancel.ts'
import { settled, VirtualClock } from '../../src/clock.ts'
import { patienceFor } from '../../src/listen/patience.ts'
import { createSoniox } from '../../src/provider/soniox/index.ts'
import { endpointRules } from '../../src/provider/soniox/turns.ts'
import { errorOf, readMessage, startMessage } from '../../src/provider/soniox/wire.ts'
import { wordsOf } from '../../src/provider/soniox/words.ts'
import type { OwnTurns, SttEvent } from '../../src/stage/stt.ts'
import { connectInMemory } from '../../src/testing/carrier/sockets.ts'
import { FAKE_KEY, type SttScript } from '../../src/testing/stt/double.ts'
import { fakeSoniox } from '../../src/testing/stt/soniox.ts'
import { sound } from '../support/stages.ts'
import { type MakeRig, sttContract, sttNetwork } from './stt-conformance.ts'
import { sttOverSockets } from './stt-sockets.ts'

const MODEL = 'stt-rt-v5'

function rigOf(script: SttScript) {
  const clock = new VirtualClock()
  const double = fakeSoniox({ clock, script })
  const memory = connectInMemory(double.server)
  const settings = { name: 'soniox', apiKey: FAKE_KEY, connect: memory.connect }
  const provider = createSoniox({ clock, note: () => {} }, settings)
  const open = () => memory.open
  return { adapter: provider.stt!(MODEL)!, clock, open, sessions: double.sessions, starts: double.starts }
}
const make: MakeRig = rigOf

sttContract('soniox', make)
sttNetwork('soniox', make, {
  force: 'finalize',
  keepAlive: 'keepalive',
  goodbye: 'end',
  unknown: { tokens: [], final_audio_proc_ms: 0, total_audio_proc_ms: 0, invented_later: [1] },
  formats: [PCM16_16K, MULAW_8K, PCM16_24K, ALAW_8K],
})
sttOverSockets('soniox', MODEL, fakeSoniox, createSoniox)

const OWN: OwnTurns = { eagerness: 'auto', minSilenceMs: 400, maxWaitMs: 4_000 }

async function listen(script: SttScript, own: { readonly ownTurns?: OwnTurns } = {}) {
  const rig = rigOf(script)
  const { clock } = rig
  const stream = await rig.adapter.open({ format: PCM16_16K, signal: openScope().signal, clock, ...own })
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

const token = (text: string, start_ms: number, end_ms: number, is_final = false) => ({
  text,
  start_ms,
  end_ms,
  confidence: 1,
  is_final,
})
const message = (...tokens: readonly object[]) => ({
  tokens,
  final_audio_proc_ms: 0,
  total_audio_proc_ms: 0,
})

describe('soniox asks', () => {
  const request = { model: MODEL, format: MULAW_8K, language: 'en-US', hints: ['Parley'] }

  test('for the format, the language, the terms, and no end of turn', () => {
    expect(JSON.parse(startMessage({ ...request, endpoints: undefined }))).toEqual({
      model: MODEL,
      audio_format: 'mulaw',
      sample_rate: 8_000,
      num_channels: 1,
      enable_language_identification: true,
      enable_endpoint_detection: false,
      language_hints: ['en'],
      context: { terms: ['Parley'] },
    })
  })

  test.each([
    ['high', 0.5, 2_000],
    ['auto', 0, 3_000],
    ['medium', 0, 3_000],
    ['low', -0.5, 3_000],
  ] as const)('to end turns itself, %s', (eagerness, sensitivity, maxDelayMs) => {
    const { minSilenceMs, maxWaitMs } = patienceFor(eagerness, 500)
    const own = { eagerness, minSilenceMs, maxWaitMs }
    expect(endpointRules(own, MODEL)).toEqual({ maxDelayMs, sensitivity })
    expect(endpointRules(own, 'stt-rt-v4')).toEqual({ maxDelayMs })
    expect(endpointRules(own, 'stt-rt-preview')).toEqual({})
  })

  test('its key travels with the connection, not in the first message', async () => {
    const { starts, stream } = await listen({})
    await settled()
    expect(starts).toHaveLength(1)
    expect(JSON.stringify(starts)).not.toContain(FAKE_KEY)
    void stream.close()
  })

  test('nothing of its voices', () => {
    const settings = { name: 'soniox', apiKey: FAKE_KEY }
    const provider = createSoniox({ clock: new VirtualClock(), note: () => {} }, settings)
    expect(provider.stt?.('tts-rt-v1')).toBeUndefined()
  })
})

describe('soniox’s tokens', () => {
  test('are joined to words: a piece without a space belongs to the word before', () => {
    const one = (text: string, startMs: number, endMs: number) => ({
      text,
      startMs,
      endMs,
      confidence: 1,
      language: undefined,
    })
    const tokens = [one('Beau', 0, 10), one('ti', 10, 20), one('ful', 20, 30), one('.', 30, 30)]
    expect(wordsOf([...tokens, one(' ', 30, 40), one('Day', 40, 50), one(' out', 60, 70)])).toEqual([
      { text: 'Beautiful.', startMs: 0, endMs: 30 },
      { text: 'Day', startMs: 40, endMs: 50 },
      { text: 'out', startMs: 60, endMs: 70 },
    ])
  })

  test('a word whose halves are settled by two messages is one word', async () => {
    const steps = [
      { atAudioMs: 400, send: message(token(' Beau', 100, 200, true), token('tif', 200, 300)) },
      { atAudioMs: 500, send: message(token('tiful', 200, 350, true)) },
    ]
    const { hear, stream, events, clock } = await listen({ steps })
    await hear(600)
    expect(events.map((event) => (event.type === 'partial' ? [event.stable, event.text] : []))).toEqual([
      ['Beau', 'Beautif'],
      ['Beautiful', 'Beautiful'],
    ])
    stream.finalize()
    await clock.advance(100)
    expect(events.at(-1)).toMatchObject({
      type: 'final',
      text: 'Beautiful',
      words: [{ text: 'Beautiful', startMs: 100, endMs: 350 }],
      confidence: 1,
    })
    void stream.close()
  })

  test('guessed and taken back: nothing is left of it in the final', async () => {
    const steps = [
      { atAudioMs: 300, send: message(token(' um', 100, 200)) },
      { atAudioMs: 500, send: message() },
    ]
    const { hear, stream, events, clock } = await listen({ steps })
    await hear(600)
    expect(events[0]).toMatchObject({ type: 'partial', text: 'um', stable: '' })
    stream.finalize()
    await clock.advance(100)
    expect(events.at(-1)).toEqual({ type: 'final', text: '' })
    void stream.close()
  })

  test('of a translation are nobody’s words', () => {
    const tokens = [{ text: ' Hallo', is_final: true, translation_status: 'translation' }]
    expect(readMessage(JSON.stringify(message(...tokens)))).toMatchObject({ settled: [] })
  })

  test.each([
    [message({ start_ms: 0, end_ms: 1, is_final: true })],
    [message({ text: 'a', is_final: true })],
    [{ tokens: {} }],
    [{ something: 'else' }],
  ])('not as documented: %o', (fields) => {
    expect(() => readMessage(JSON.stringify(fields))).toThrow(/no (text|time|list)|without tokens/)
  })

  test('said without an end for minutes are given up piece by piece, none lost', async () => {
    const words = Array.from({ length: 1_500 }, (_, i) => ({
      text: `w${i}`,
      startMs: i * 100,
      endMs: i * 100 + 80,
    }))
    const { hear, stream, events, clock } = await listen({ words })
    await hear(150_000)
    stream.finalize()
    await clock.advance(100)
    const final = events.at(-1)
    expect(final?.type === 'final' && final.text).toBe(words.map(({ text }) => text).join(' '))
    void stream.close()
  })
})

describe('soniox ends turns', () => {
  const hello = { text: 'hello', startMs: 100, endMs: 400, endsTurn: 0.9 }
  const ends = (events: readonly SttEvent[]) => events.filter(({ type }) => type === 'endOfTurn')

  test('by what was said, and the final is there as soon as it is asked for', async () => {
    const { hear, stream, events, sessions } = await listen(
      { words: [hello], answerMs: 100 },
      { ownTurns: OWN },
    )
    await hear(600)
    // A preview asks nothing: to force an answer would end the turn.
    stream.preview()
    await hear(400)
    expect(ends(events)).toEqual([{ type: 'endOfTurn', text: 'hello' }])
    stream.finalize()
    await settled()
    expect(events.at(-1)).toMatchObject({ type: 'final', text: 'hello' })
    expect(sessions[0]).toMatchObject({ messages: [], mistakes: [] })
    void stream.close()
  })

  test('after the longest delay, and never before', async () => {
    const words = [{ text: 'hello', startMs: 100, endMs: 400 }]
    const { hear, stream, events } = await listen({ words }, { ownTurns: OWN })
    await hear(3_300)
    expect(ends(events)).toEqual([])
    await hear(200)
    expect(ends(events)).toHaveLength(1)
    void stream.close()
  })

  test('that we ended ourselves: its answer to that is no judgement', async () => {
    const { hear, stream, events, sessions, clock } = await listen(
      { words: [hello], answerMs: 100 },
      { ownTurns: OWN },
    )
    await hear(420)
    stream.finalize()
    await clock.advance(200)
    expect(events.at(-1)).toMatchObject({ type: 'final', text: 'hello' })
    expect(sessions[0]?.messages).toEqual(['finalize'])
    await hear(1_000)
    expect(ends(events)).toEqual([])
    void stream.close()
  })

  test('not at all where the session does', async () => {
    const { hear, stream, events } = await listen({ words: [hello] })
    await hear(5_000)
    expect(ends(events)).toEqual([])
    void stream.close()
  })
})

describe('soniox’s sessions end', () => {
  test('planned, before the 300 minutes that it takes at most', async () => {
    const { hear, clock, stream, failure } = await listen({})
    for (let minute = 0; minute < 299; minute++) {
      await hear(20)
      stream.discard()
      await clock.advance(58_000)
    }
    expect(failure()).toBeUndefined()
    for (let more = 0; more < 30; more++) {
      await hear(20)
      stream.discard()
      await clock.advance(30_000)
    }
    expect(failure()).toMatchObject({ kind: 'expired' })
  })

  test.each([
    [400, undefined, 'bad_request'],
    [401, undefined, 'auth'],
    [402, undefined, 'quota'],
    [403, undefined, 'auth'],
    [408, undefined, 'expired'],
    [429, 'limit_exceeded', 'rate'],
    [429, 'project_monthly_budget_exhausted', 'quota'],
    [400, 'max_duration_reached', 'expired'],
    [500, undefined, 'transient'],
    [503, 'service_unavailable', 'transient'],
    [undefined, undefined, 'transient'],
  ] as const)('code %s %s: %s', (code, name, kind) => {
    expect(errorOf(code, name).kind).toBe(kind)
  })

  test('in its own words, which are not passed on', async () => {
    const steps = [{ atAudioMs: 100, send: { error_code: 500, error_message: `secret ${FAKE_KEY}` } }]
    const { hear, failure } = await listen({ steps })
    await hear(200)
    expect(failure()).toMatchObject({ kind: 'transient' })
    expect(String(failure())).not.toContain('secret')
  })
})
