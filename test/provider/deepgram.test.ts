import { describe, expect, test } from 'vitest'
import { ALAW_8K, MULAW_8K, PCM16_16K, PCM16_24K } from '../../src/audio/format.ts'
import { openScope } from '../../src/cancel.ts'
import { VirtualClock } from '../../src/clock.ts'
import { createDeepgram } from '../../src/provider/deepgram/index.ts'
import { listenUrl, readMessage, reasonOf } from '../../src/provider/deepgram/wire.ts'
import type { SttEvent } from '../../src/stage/stt.ts'
import { connectInMemory } from '../../src/testing/carrier/sockets.ts'
import { fakeDeepgram } from '../../src/testing/stt/deepgram.ts'
import { FAKE_KEY, type SttScript } from '../../src/testing/stt/double.ts'
import { sound } from '../support/stages.ts'
import { type MakeRig, sttContract, sttNetwork } from './stt-conformance.ts'
import { sttOverSockets } from './stt-sockets.ts'

const make: MakeRig = (script) => {
  const clock = new VirtualClock()
  const double = fakeDeepgram({ clock, script })
  const memory = connectInMemory(double.server)
  const settings = { name: 'deepgram', apiKey: FAKE_KEY, connect: memory.connect }
  const provider = createDeepgram({ clock, note: () => {} }, settings)
  return { adapter: provider.stt!('nova-3')!, clock, open: () => memory.open, sessions: double.sessions }
}

sttContract('deepgram', make)
sttNetwork('deepgram', make, {
  force: 'Finalize',
  keepAlive: 'KeepAlive',
  goodbye: 'CloseStream',
  formats: [PCM16_16K, MULAW_8K, PCM16_24K, ALAW_8K],
})
sttOverSockets('deepgram', 'nova-3', fakeDeepgram, createDeepgram)

/** A stream of `script`, and what comes out of it. */
async function listen(script: SttScript) {
  const rig = make(script)
  const { clock } = rig
  const stream = await rig.adapter.open({ format: PCM16_16K, signal: openScope().signal, clock })
  const events: SttEvent[] = []
  const ended = (async () => {
    for await (const event of stream) events.push(event)
  })()
  ended.catch(() => {})
  const hear = async (ms: number) => {
    for (let at = 0; at < ms; at += 20) {
      stream.write(sound(PCM16_16K, 20, 'speech'))
      await clock.advance(20)
    }
  }
  return { ...rig, stream, events, ended, hear }
}

describe('deepgram asks', () => {
  test('for the model, the format and the language, with hints as key terms', () => {
    const url = new URL(
      listenUrl('wss://api.deepgram.com', {
        model: 'nova-3',
        format: MULAW_8K,
        language: 'de-CH',
        hints: ['Zürich', 'R&D'],
        endpointingMs: 300,
      }),
    )
    expect(url.pathname).toBe('/v1/listen')
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      model: 'nova-3',
      encoding: 'mulaw',
      sample_rate: '8000',
      language: 'de-CH',
      interim_results: 'true',
      endpointing: '300',
    })
    expect(url.searchParams.getAll('keyterm')).toEqual(['Zürich', 'R&D'])
  })
})

describe('deepgram keeps a session alive', () => {
  test('with keep-alives every 4 s, but first with some silence, for without audio they do not count', async () => {
    const { clock, sessions, stream } = await listen({})
    await clock.advance(12_100)
    expect(sessions[0]?.framesMs).toEqual([100])
    expect(sessions[0]?.messages).toEqual(['KeepAlive', 'KeepAlive'])
    void stream.close()
  })

  test('and needs none while the caller speaks', async () => {
    const { hear, sessions, stream } = await listen({})
    await hear(9_000)
    expect(sessions[0]?.messages).toEqual([])
    void stream.close()
  })
})

describe('deepgram may keep quiet about what it finds too little', () => {
  test('the final comes at once where a result may leave that much out', async () => {
    const words = [{ text: 'Yes.', startMs: 0, endMs: 300 }]
    const { hear, stream, clock, events } = await listen({ words })
    await hear(400)
    stream.preview()
    await clock.advance(20)
    expect(events.at(-1)).toMatchObject({ type: 'partial', complete: true, text: 'Yes.' })
    // 40 ms more is no noticeable amount; it lies within what a result may leave out.
    await hear(40)
    stream.finalize()
    await clock.advance(0)
    expect(events.at(-1)).toMatchObject({ type: 'final', text: 'Yes.' })
  })

  test('nothing known of a short sound: it is waited for longer, then it was nothing', async () => {
    const { hear, stream, clock, events } = await listen({ fault: 'no_final' })
    await hear(400)
    stream.finalize()
    await clock.advance(1_700)
    expect(events).toEqual([])
    await clock.advance(200)
    expect(events).toEqual([{ type: 'final', text: '' }])
  })

  test('a short yes on a slow day', async () => {
    const words = [{ text: 'Yes.', startMs: 0, endMs: 150 }]
    const { hear, stream, clock, events } = await listen({ words, answerMs: 900 })
    await hear(180)
    stream.finalize()
    await clock.advance(1_000)
    expect(events.at(-1)).toMatchObject({ type: 'final', text: 'Yes.' })
  })

  test('a pause after a preview: what is known is the final, after 450 ms', async () => {
    const words = [{ text: 'Yes.', startMs: 0, endMs: 300 }]
    const { hear, stream, clock, events } = await listen({ words, answerMs: 2_000 })
    await hear(400)
    stream.preview()
    await clock.advance(2_100)
    await hear(140)
    stream.finalize()
    await clock.advance(440)
    expect(events.at(-1)).toMatchObject({ type: 'partial', complete: true, text: 'Yes.' })
    await clock.advance(20)
    expect(events.at(-1)).toMatchObject({ type: 'final', text: 'Yes.' })
  })
})

test('a long sentence settles piece by piece; its end of turn is told, and ends nothing of ours', async () => {
  const words = [
    { text: 'First', startMs: 0, endMs: 400 },
    { text: 'then', startMs: 1_000, endMs: 1_300 },
    { text: 'more.', startMs: 1_300, endMs: 1_600 },
  ]
  const { hear, stream, clock, events } = await listen({ words })
  await hear(2_400)
  expect(events.filter(({ type }) => type === 'endOfTurn')).toEqual([
    { type: 'endOfTurn', text: 'First' },
    { type: 'endOfTurn', text: 'First then more.' },
  ])
  expect(events.at(-2)).toMatchObject({ type: 'partial', stable: 'First then more.', complete: false })
  stream.finalize()
  await clock.advance(500)
  expect(events.at(-1)).toMatchObject({ type: 'final', text: 'First then more.' })
  const [final] = events.filter((event) => event.type === 'final')
  expect(final?.words?.map(({ startMs }) => startMs)).toEqual([0, 1_000, 1_300])
  expect(final?.confidence).toBeCloseTo(0.98)
})

describe('deepgram’s messages', () => {
  const channel = (alternative: object) => ({ alternatives: [alternative] })
  const hello = {
    transcript: ' hello ',
    confidence: 0.5,
    words: [{ word: 'hello', start: 1.2345, end: 1.6 }],
  }

  test('seconds become whole milliseconds', () => {
    const results = { type: 'Results', start: 1.1, duration: 0.7, is_final: true, channel: channel(hello) }
    expect(readMessage(JSON.stringify(results))).toEqual({
      type: 'Results',
      startMs: 1100,
      endMs: 1800,
      text: 'hello',
      confidence: 0.5,
      language: undefined,
      words: [{ text: 'hello', startMs: 1235, endMs: 1600 }],
      isFinal: true,
      speechFinal: false,
    })
  })

  test('the language it found, the written form of a word', () => {
    const words = [{ word: 'ja', punctuated_word: 'Ja.', start: 0, end: 1 }]
    const best = { ...hello, words, languages: ['de', 'en'] }
    const results = { type: 'Results', start: 0, duration: 1, channel: channel(best) }
    expect(readMessage(JSON.stringify(results))).toMatchObject({ language: 'de', words: [{ text: 'Ja.' }] })
  })

  test('an end of speech with nothing heard is legal', () => {
    const results = {
      type: 'Results',
      start: 0,
      duration: 1,
      speech_final: true,
      channel: { alternatives: [] },
    }
    expect(readMessage(JSON.stringify(results))).toMatchObject({ text: '', words: [], speechFinal: true })
  })

  test.each([
    [{ start: 'soon', duration: 1 }],
    [{ start: 0 }],
    [{ start: 0, duration: 1, channel: channel({ transcript: 5, words: [] }) }],
    [{ start: 0, duration: 1, channel: channel({ transcript: 'a', words: ['a'] }) }],
    [
      {
        start: 0,
        duration: 1,
        channel: channel({ transcript: 'a', words: [{ word: 'a', start: null, end: 1 }] }),
      },
    ],
  ])('not as documented: %o', (fields) => {
    expect(() => readMessage(JSON.stringify({ type: 'Results', ...fields }))).toThrow(/is no /)
  })

  test.each([
    [1011, 'NET-0001: nothing came', 'expired'],
    [1011, 'NET-0000', 'transient'],
    [1008, 'DATA-0000: not audio', 'bad_request'],
    [1008, '', 'bad_request'],
    [1006, '', 'transient'],
    [1000, '', 'transient'],
  ])('closed with %d %s: %s', (code, reason, kind) => {
    const error = reasonOf({ code, reason })
    expect(error.kind).toBe(kind)
    expect(error.message).not.toContain('nothing came')
  })
})
