import { describe, expect, test } from 'vitest'
import { ALAW_8K, MULAW_8K, PCM16_16K, PCM16_24K } from '../../src/audio/format.ts'
import { openScope } from '../../src/cancel.ts'
import { settled, VirtualClock } from '../../src/clock.ts'
import { patienceFor } from '../../src/listen/patience.ts'
import { createAssemblyAi } from '../../src/provider/assemblyai/index.ts'
import { turnRules } from '../../src/provider/assemblyai/turns.ts'
import { readMessage, reasonOf, streamUrl } from '../../src/provider/assemblyai/wire.ts'
import type { OwnTurns, SttEvent } from '../../src/stage/stt.ts'
import { connectInMemory } from '../../src/testing/carrier/sockets.ts'
import { fakeAssemblyAi } from '../../src/testing/stt/assemblyai.ts'
import { FAKE_KEY, type SttScript } from '../../src/testing/stt/double.ts'
import { sound } from '../support/stages.ts'
import { type MakeRig, type SttRig, sttContract, sttNetwork } from './stt-conformance.ts'
import { sttOverSockets } from './stt-sockets.ts'

const MODEL = 'universal-streaming-english'

function rigOf(script: SttScript, more: { readonly sessionMs?: number } = {}): SttRig {
  const clock = new VirtualClock()
  const double = fakeAssemblyAi({ clock, script, ...more })
  const memory = connectInMemory(double.server)
  const settings = { name: 'assemblyai', apiKey: FAKE_KEY, connect: memory.connect }
  const provider = createAssemblyAi({ clock, note: () => {} }, settings)
  return { adapter: provider.stt!(MODEL)!, clock, open: () => memory.open, sessions: double.sessions }
}
const make: MakeRig = (script) => rigOf(script)

sttContract('assemblyai', make)
sttNetwork('assemblyai', make, {
  force: 'ForceEndpoint',
  keepAlive: 'KeepAlive',
  goodbye: 'Terminate',
  formats: [PCM16_16K, MULAW_8K, PCM16_24K],
})
sttOverSockets('assemblyai', MODEL, fakeAssemblyAi, createAssemblyAi)

const OWN: OwnTurns = { eagerness: 'auto', minSilenceMs: 400, maxWaitMs: 4_000 }

async function listen(rig: SttRig, own: { readonly ownTurns?: OwnTurns } = {}) {
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

const HELLO = [{ text: 'hello', startMs: 100, endMs: 400 }]

describe('assemblyai asks', () => {
  const turns = turnRules(undefined)
  const query = { model: MODEL, format: MULAW_8K, language: 'en', hints: ['Parley'], turns }

  test('for the format, raw turns, heartbeats, and to be told when a turn ends', () => {
    const url = new URL(streamUrl('wss://streaming.assemblyai.com', query)!)
    expect(url.pathname).toBe('/v3/ws')
    expect(Object.fromEntries(url.searchParams)).toEqual({
      speech_model: MODEL,
      encoding: 'pcm_mulaw',
      sample_rate: '8000',
      format_turns: 'false',
      end_of_turn_confidence_threshold: '1',
      min_turn_silence: '5000',
      max_turn_silence: '5000',
      session_heartbeat: 'true',
      keyterms_prompt: '["Parley"]',
    })
  })

  test.each([
    ['high', '0.4', '200', '2000'],
    ['auto', '0.4', '400', '4000'],
    ['medium', '0.4', '400', '4000'],
    ['low', '0.7', '600', '8000'],
  ] as const)('to end turns itself, %s', (eagerness, confidence, least, longest) => {
    const { minSilenceMs, maxWaitMs } = patienceFor(eagerness, 500)
    const own = turnRules({ eagerness, minSilenceMs, maxWaitMs })
    const { searchParams } = new URL(streamUrl('wss://x', { ...query, turns: own })!)
    expect(searchParams.get('end_of_turn_confidence_threshold')).toBe(confidence)
    expect(searchParams.get('min_turn_silence')).toBe(least)
    expect(searchParams.get('max_turn_silence')).toBe(longest)
  })

  test('for a language where the model can be steered', () => {
    const url = streamUrl('wss://x', { ...query, model: 'universal-3-5-pro', language: 'de-CH' })!
    expect(new URL(url).searchParams.get('language_codes')).toBe('["de"]')
  })

  test('not for A-law', async () => {
    const { adapter, clock } = make({})
    const opening = adapter.open({ format: ALAW_8K, signal: openScope().signal, clock })
    await expect(opening).rejects.toMatchObject({ kind: 'bad_request' })
  })
})

describe('assemblyai ends turns', () => {
  const hello = { text: 'hello', startMs: 100, endMs: 400, endsTurn: 0.9 }
  const ends = (events: readonly SttEvent[]) => events.filter(({ type }) => type === 'endOfTurn')

  test('by what was said, and the final is there as soon as it is asked for', async () => {
    const rig = make({ words: [hello], answerMs: 100 })
    const { hear, stream, events, sessions } = await listen(rig, { ownTurns: OWN })
    await hear(600)
    // A preview asks nothing: to force an answer would end the turn.
    stream.preview()
    await hear(200)
    expect(ends(events)).toEqual([])
    await hear(200)
    expect(ends(events)).toEqual([{ type: 'endOfTurn', text: 'hello' }])
    stream.finalize()
    await settled()
    expect(events.at(-1)).toMatchObject({ type: 'final', text: 'hello' })
    expect(sessions[0]).toMatchObject({ messages: [], mistakes: [] })
    void stream.close()
  })

  test('by silence alone after the longest wait, and never before', async () => {
    const { hear, stream, events } = await listen(make({ words: HELLO }), { ownTurns: OWN })
    await hear(4_300)
    expect(ends(events)).toEqual([])
    await hear(200)
    expect(ends(events)).toHaveLength(1)
    void stream.close()
  })

  test('a pause that it notices is a probable end, told once; more words take it back', async () => {
    const words = [HELLO[0]!, { text: 'there', startMs: 1_500, endMs: 1_800 }]
    const { hear, stream, events } = await listen(make({ words }), { ownTurns: OWN })
    await hear(1_400)
    const eager = () => events.filter(({ type }) => type === 'eagerEnd')
    expect(eager()).toMatchObject([{ text: HELLO[0]!.text }])
    await hear(350)
    expect(events.at(-1)).toMatchObject({ type: 'partial', complete: false })
    await hear(500)
    expect(eager()).toMatchObject([{ text: HELLO[0]!.text }, { text: `${HELLO[0]!.text} there` }])
    expect(ends(events)).toEqual([])
    void stream.close()
  })

  test('as one utterance when the caller goes on after all', async () => {
    const words = [hello, { text: 'there', startMs: 1_200, endMs: 1_500, endsTurn: 0.9 }]
    const { hear, stream, events } = await listen(make({ words }), { ownTurns: OWN })
    await hear(2_100)
    expect(ends(events)).toMatchObject([{ text: 'hello' }, { text: 'hello there' }])
    stream.finalize()
    await settled()
    expect(events.at(-1)).toMatchObject({ type: 'final', text: 'hello there' })
    void stream.close()
  })

  test('that we ended ourselves: its answer to that is no judgement', async () => {
    const rig = make({ words: [hello], answerMs: 100 })
    const { hear, stream, events, sessions, clock } = await listen(rig, { ownTurns: OWN })
    await hear(700)
    stream.finalize()
    await clock.advance(200)
    expect(events.at(-1)).toMatchObject({ type: 'final', text: 'hello' })
    expect(sessions[0]?.messages).toEqual(['ForceEndpoint'])
    await hear(1_000)
    expect(ends(events)).toEqual([])
    void stream.close()
  })

  test('too late for one that is over: the next does not end by it', async () => {
    const late = {
      type: 'Turn',
      turn_order: 1,
      turn_is_formatted: false,
      end_of_turn: true,
      transcript: 'yes',
      words: [{ text: 'yes', start: 500, end: 650, confidence: 0.9, word_is_final: true }],
    }
    const words = [hello, { text: 'next', startMs: 1_000, endMs: 1_300 }]
    const steps = [{ atAudioMs: 1_600, send: late }]
    const { hear, stream, events } = await listen(make({ words, steps }), { ownTurns: OWN })
    await hear(700)
    stream.finalize()
    await hear(1_000)
    expect(events.filter(({ type }) => type === 'final')).toMatchObject([{ text: 'hello' }])
    expect(events.at(-1)).toMatchObject({ type: 'eagerEnd', text: 'next' })
    expect(ends(events)).toEqual([])
    void stream.close()
  })
})

describe('assemblyai is given audio as it wants it', () => {
  test('telephone frames of 20 ms, gathered to at least 50 ms, the last one filled with silence', async () => {
    const { hear, stream, sessions, clock } = await listen(make({ words: HELLO }))
    await hear(500)
    stream.finalize()
    await clock.advance(100)
    expect(sessions[0]?.framesMs).toEqual([...Array(8).fill(60), 50])
    expect(sessions[0]?.mistakes).toEqual([])
    void stream.close()
  })

  test('a replay of 10 s at twice real time, and the end forced after the last of it', async () => {
    const rig = make({ words: [...HELLO, { text: 'world', startMs: 9_000, endMs: 9_500 }] })
    const { stream, events, clock, sessions } = await listen(rig)
    stream.write(sound(PCM16_16K, 10_000, 'speech'))
    stream.finalize()
    await clock.advance(4_000)
    expect(sessions[0]?.audioMs).toBeGreaterThan(8_000)
    expect(sessions[0]?.messages).toEqual([])
    await clock.advance(1_000)
    expect(sessions[0]).toMatchObject({ audioMs: 10_000, messages: ['ForceEndpoint'], mistakes: [] })
    expect(events.at(-1)).toMatchObject({ type: 'final', text: 'hello world' })
    void stream.close()
  })

  test('more than a minute that it has not taken is an end', async () => {
    const { stream, clock, failure, open } = await listen(make({}))
    for (let s = 0; s < 62; s++) stream.write(sound(PCM16_16K, 1_000, 'speech'))
    await clock.advance(0)
    expect(failure()).toMatchObject({ kind: 'transient' })
    await clock.advance(1_000)
    expect(open()).toBe(0)
    expect(clock.pendingTimers).toBe(0)
  })
})

describe('assemblyai’s sessions end', () => {
  test('planned: half a minute before, while nobody speaks', async () => {
    const { clock, failure, open } = await listen(rigOf({}, { sessionMs: 55_000 }))
    await clock.advance(24_900)
    expect(failure()).toBeUndefined()
    await clock.advance(1_200)
    expect(failure()).toMatchObject({ kind: 'expired' })
    expect(open()).toBe(0)
  })

  test('not in the middle of a sentence, but right after it', async () => {
    const words = [{ text: 'long', startMs: 28_000, endMs: 29_000 }]
    const { hear, stream, clock, events, failure } = await listen(rigOf({ words }, { sessionMs: 55_000 }))
    await hear(30_000)
    expect(failure()).toBeUndefined()
    stream.finalize()
    await clock.advance(100)
    expect(events.at(-1)).toMatchObject({ type: 'final', text: 'long' })
    expect(failure()).toMatchObject({ kind: 'expired' })
  })

  test('after a minute without a word: every second is paid for', async () => {
    const { clock, failure, sessions } = await listen(make({}))
    await clock.advance(58_000)
    expect(failure()).toBeUndefined()
    await clock.advance(12_000)
    expect(failure()).toMatchObject({ kind: 'expired' })
    expect(sessions[0]?.messages).toEqual([...Array(5).fill('KeepAlive'), 'Terminate'])
  })
})

describe('assemblyai may say nothing to a forced end', () => {
  test('a pause after a preview: what is known is the final', async () => {
    const { hear, stream, clock, events } = await listen(make({ words: HELLO }))
    await hear(600)
    stream.preview()
    await clock.advance(50)
    await hear(300)
    stream.finalize()
    await clock.advance(460)
    expect(events.at(-1)).toMatchObject({ type: 'final', text: 'hello' })
    void stream.close()
  })

  test('a cough: an empty final as soon as a heartbeat says that there was no speech', async () => {
    const { hear, stream, clock, events } = await listen(make({}))
    await hear(600)
    stream.finalize()
    await clock.advance(1_300)
    expect(events).toEqual([])
    await clock.advance(100)
    expect(events).toEqual([{ type: 'final', text: '' }])
    void stream.close()
  })

  test('speech of which no word came: it has longer', async () => {
    // Half-spoken words are heard as speech, and are no words yet.
    const words = [{ text: 'mmmh', startMs: 300, endMs: 2_000 }]
    const { hear, stream, clock, events } = await listen(make({ words }))
    await hear(600)
    stream.finalize()
    await clock.advance(4_400)
    expect(events).toEqual([])
    await clock.advance(200)
    expect(events).toEqual([{ type: 'final', text: '' }])
    void stream.close()
  })
})

test('a turn that comes again, formatted, is the same turn', async () => {
  const turn = (text: string, formatted: boolean) => ({
    type: 'Turn',
    turn_order: 0,
    turn_is_formatted: formatted,
    end_of_turn: true,
    end_of_turn_confidence: 1,
    transcript: text,
    words: [{ start: 100, end: 400, text, confidence: 0.9, word_is_final: true }],
  })
  const steps = [
    { onMessage: 'ForceEndpoint', send: turn('hello', false) },
    { onMessage: 'ForceEndpoint', send: turn('Hello.', true), afterMs: 50 },
  ]
  const { hear, stream, clock, events } = await listen(make({ steps: [...steps] }))
  await hear(600)
  stream.preview()
  await clock.advance(10)
  await hear(100)
  stream.finalize()
  await clock.advance(500)
  expect(events.filter(({ type }) => type === 'final')).toMatchObject([{ text: 'hello' }])
  void stream.close()
})

describe('assemblyai’s messages', () => {
  test('the words that will not change are the stable text', () => {
    const words = [
      { start: 10.4, end: 20, text: 'one', confidence: 1, word_is_final: true },
      { start: 20, end: 30.6, text: 'tw', confidence: 0.5, word_is_final: false },
    ]
    const turn = {
      type: 'Turn',
      turn_order: 3,
      transcript: 'one tw',
      words,
      end_of_turn: false,
      language_code: 'en',
    }
    expect(readMessage(JSON.stringify(turn))).toEqual({
      type: 'Turn',
      order: 3,
      text: 'one tw',
      endOfTurn: false,
      isFormatted: false,
      pausedAfter: '',
      stable: 'one',
      words: [
        { text: 'one', startMs: 10, endMs: 20 },
        { text: 'tw', startMs: 20, endMs: 31 },
      ],
      confidence: 0.75,
      language: 'en',
    })
  })

  test.each([
    [{ transcript: 'a', words: [] }],
    [{ turn_order: 0, words: [] }],
    [{ turn_order: 0, transcript: 'a', words: {} }],
    [{ turn_order: 0, transcript: 'a', words: [{ text: 'a', start: '0', end: 1 }] }],
  ])('not as documented: %o', (fields) => {
    expect(() => readMessage(JSON.stringify({ type: 'Turn', ...fields }))).toThrow(/is no /)
  })

  test.each([
    [4001, 'auth'],
    [1008, 'auth'],
    [4002, 'quota'],
    [4003, 'quota'],
    [3009, 'rate'],
    [4029, 'rate'],
    [4102, 'rate'],
    [3006, 'bad_request'],
    [3007, 'bad_request'],
    [4000, 'bad_request'],
    [4101, 'bad_request'],
    [3008, 'expired'],
    [4008, 'expired'],
    [4031, 'expired'],
    [3005, 'transient'],
    [1006, 'transient'],
    [4030, 'transient'],
    [4103, 'transient'],
    [undefined, 'transient'],
  ])('code %s: %s', (code, kind) => {
    expect(reasonOf(code).kind).toBe(kind)
  })

  test('a refusal at the door, told apart by its words, which are not passed on', () => {
    const error = reasonOf(1008, 'Unauthorized connection: Too many concurrent sessions')
    expect(error.kind).toBe('rate')
    expect(error.message).not.toContain('Unauthorized')
  })
})
