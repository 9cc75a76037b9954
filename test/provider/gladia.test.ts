import { describe, expect, test } from 'vitest'
import { ALAW_8K, MULAW_8K, PCM16_16K, PCM16_24K } from '../../src/audio/format.ts'
import { Cancelled, openScope } from '../../src/cancel.ts'
import { settled, VirtualClock } from '../../src/clock.ts'
import { createGladia } from '../../src/provider/gladia/index.ts'
import { FORCE_MS } from '../../src/provider/gladia/stream.ts'
import { closedBy, readMessage, sessionUrl } from '../../src/provider/gladia/wire.ts'
import type { SttEvent } from '../../src/stage/stt.ts'
import { MemoryDispatcher } from '../../src/testing/carrier/http-memory.ts'
import { connectInMemory } from '../../src/testing/carrier/sockets.ts'
import { FAKE_KEY, type SttScript } from '../../src/testing/stt/double.ts'
import { type FakeGladiaOptions, fakeGladia } from '../../src/testing/stt/gladia.ts'
import { sound } from '../support/stages.ts'
import { type MakeRig, sttContract, sttNetwork } from './stt-conformance.ts'
import { sttOverSockets } from './stt-sockets.ts'

const MODEL = 'solaria-1'

function rigOf(script: SttScript, more: Pick<FakeGladiaOptions, 'speech'> = {}) {
  const clock = new VirtualClock()
  const double = fakeGladia({ clock, script, ...more })
  const memory = connectInMemory(double.server)
  const dispatcher = new MemoryDispatcher(double.http)
  const settings = { name: 'gladia', apiKey: FAKE_KEY, connect: memory.connect, dispatcher }
  const provider = createGladia({ clock, note: () => {} }, settings)
  const open = () => memory.open + dispatcher.open
  return { adapter: provider.stt!(MODEL)!, clock, open, sessions: double.sessions, asked: double.asked }
}
const make: MakeRig = (script) => rigOf(script)

sttContract('gladia', make)
sttNetwork('gladia', make, {
  force: ({ silentMs = 0 }) => Math.floor(silentMs / FORCE_MS),
  keepAlive: ({ silentMs = 0 }) => silentMs >= FORCE_MS + 100,
  goodbye: 'stop_recording',
  forceMs: FORCE_MS,
  formats: [PCM16_16K, MULAW_8K, ALAW_8K],
})
sttOverSockets('gladia', MODEL, fakeGladia, createGladia)

async function listen(script: SttScript, more: Pick<FakeGladiaOptions, 'speech'> = {}) {
  const rig = rigOf(script, more)
  const { clock } = rig
  const scope = openScope()
  const stream = await rig.adapter.open({ format: PCM16_16K, signal: scope.signal, clock })
  const events: SttEvent[] = []
  let failure: unknown
  void (async () => {
    for await (const event of stream) events.push(event)
  })().catch((error) => {
    failure = error
  })
  const hear = async (ms: number, kind: 'speech' | 'silence' = 'speech') => {
    for (let at = 0; at < ms; at += 20) {
      stream.write(sound(PCM16_16K, 20, kind))
      await clock.advance(20)
    }
  }
  const finals = () => events.flatMap((event) => (event.type === 'final' ? [event.text] : []))
  return { ...rig, stream, events, hear, finals, failure: () => failure }
}

describe('gladia asks', () => {
  test('for a session with what it needs and no more, and shows its key there alone', async () => {
    const { adapter, clock, asked, sessions } = rigOf({})
    const { signal } = openScope()
    const stream = await adapter.open({
      format: MULAW_8K,
      signal,
      clock,
      language: 'de-CH',
      hints: ['Parley'],
    })
    expect(asked).toEqual([
      {
        encoding: 'wav/ulaw',
        bit_depth: 8,
        sample_rate: 8000,
        channels: 1,
        model: MODEL,
        endpointing: 0.1,
        maximum_duration_without_endpointing: 15,
        language_config: { languages: ['de'] },
        realtime_processing: {
          custom_vocabulary: true,
          custom_vocabulary_config: { vocabulary: ['Parley'] },
        },
        messages_config: {
          receive_partial_transcripts: true,
          receive_final_transcripts: true,
          receive_speech_events: true,
          receive_acknowledgments: true,
          receive_errors: true,
          receive_pre_processing_events: false,
          receive_realtime_processing_events: false,
          receive_post_processing_events: false,
          receive_lifecycle_events: false,
        },
      },
    ])
    expect(sessions[0]?.url.href).toBe('wss://api.gladia.io/v2/live?token=token-1')
    void stream.close()
  })

  test('not for 24 kHz', async () => {
    const { adapter, clock, asked } = rigOf({})
    const opening = adapter.open({ format: PCM16_24K, signal: openScope().signal, clock })
    await expect(opening).rejects.toMatchObject({ kind: 'bad_request', stage: 'stt' })
    expect(asked).toEqual([])
  })

  test('nobody else: an address in the clear is not taken where the key was not', () => {
    const body = JSON.stringify({ id: '1', url: 'ws://elsewhere.test/v2/live?token=x' })
    expect(() => sessionUrl(body, 'wss:')).toThrow('Gladia gave no address')
    expect(sessionUrl(body, 'ws:')).toBe('ws://elsewhere.test/v2/live?token=x')
    for (const wrong of ['{', '{}', '[]', '{"url":"file:///etc"}']) {
      expect(() => sessionUrl(wrong, 'ws:')).toThrow('Gladia gave no address')
    }
  })

  test('and is aborted while the session is made: nothing is connected', async () => {
    const rig = rigOf({ fault: 'hang_on_connect' })
    const scope = openScope()
    const opening = rig.adapter.open({ format: PCM16_16K, signal: scope.signal, clock: rig.clock })
    const outcome = opening.catch((error) => error)
    await rig.clock.advance(100)
    scope.cancel('hangup')
    expect(await outcome).toEqual(new Cancelled('hangup'))
    expect(rig.open()).toBe(0)
    expect(rig.clock.pendingTimers).toBe(0)
  })
})

describe('gladia hears', () => {
  const word = (text: string, startMs: number) => ({ text, startMs, endMs: startMs + 300 })

  test('what it settled at a breath is the beginning of the utterance', async () => {
    const words = [word('one', 100), word('two', 900)]
    const { hear, stream, events, finals, clock, sessions } = await listen({ words, answerMs: 80 })
    await hear(800)
    expect(events.at(-1)).toMatchObject({ type: 'partial', text: 'one', stable: 'one' })
    await hear(600)
    stream.finalize()
    await clock.advance(100)
    expect(finals()).toEqual(['one two'])
    expect(sessions[0]?.mistakes).toEqual([])
    void stream.close()
  })

  test('the final at once, when a pause has settled all and nobody was heard since', async () => {
    const { hear, stream, finals } = await listen({ words: [word('one', 100)], answerMs: 80 })
    await hear(400)
    await hear(500, 'silence')
    stream.finalize()
    await settled()
    expect(finals()).toEqual(['one'])
    void stream.close()
  })

  test('that somebody speaks by the words alone, where it is not told', async () => {
    const words = [word('one', 100), word('two', 700)]
    const { hear, stream, events, clock } = await listen({ words, answerMs: 600 }, { speech: 'untold' })
    await hear(1_300)
    expect(events.at(-1)).toMatchObject({ type: 'partial', text: 'one' })
    await clock.advance(300)
    stream.finalize()
    await clock.advance(600)
    expect(events.at(-1)).toMatchObject({
      type: 'final',
      text: 'one two',
      words: [{ text: 'one' }, { text: 'two' }],
    })
    void stream.close()
  })

  test('nothing from a session that takes no audio: that is no silence', async () => {
    const { hear, stream, finals, clock, failure } = await listen({
      fault: 'accept_then_silence',
      faultAtMs: 20,
    })
    await hear(400)
    stream.finalize()
    await clock.advance(6_000)
    expect(finals()).toEqual([])
    expect(failure()).toMatchObject({ kind: 'timeout' })
  })

  test('a word that began before the end, though its final is slow: it is waited for', async () => {
    const words = [word('one', 100), word('two', 900)]
    const { hear, stream, finals, clock } = await listen({ words, answerMs: 1_400 })
    await hear(1_200)
    stream.finalize()
    await clock.advance(1_200)
    expect(finals()).toEqual([])
    await clock.advance(300)
    expect(finals()).toEqual(['one two'])
    void stream.close()
  })
})

describe('gladia heard a noise', () => {
  const event = (type: string, time: number) => ({
    type,
    session_id: 's',
    created_at: '',
    data: { time, channel: 0 },
  })

  test('that it took for speech and found no word in: an empty final, and the next utterance has its own', async () => {
    const steps = [
      { atAudioMs: 200, send: event('speech_start', 0.1) },
      { atAudioMs: 500, send: event('speech_end', 0.4) },
    ]
    const words = [{ text: 'one', startMs: 1_500, endMs: 1_800 }]
    const { hear, stream, finals, clock } = await listen({ words, steps, answerMs: 80 })
    await hear(600)
    stream.finalize()
    await clock.advance(1_300)
    expect(finals()).toEqual([])
    await clock.advance(600)
    expect(finals()).toEqual([''])
    await hear(1_600)
    stream.finalize()
    await clock.advance(100)
    expect(finals()).toEqual(['', 'one'])
    void stream.close()
  })

  test('that does not end: nobody waits for it for ever', async () => {
    const steps = [{ atAudioMs: 200, send: event('speech_start', 0.1) }]
    const { hear, stream, finals, clock } = await listen({ steps })
    await hear(600)
    stream.finalize()
    await clock.advance(4_400)
    expect(finals()).toEqual([])
    await clock.advance(200)
    expect(finals()).toEqual([''])
    void stream.close()
  })
})

describe('gladia says what went wrong', () => {
  test.each([
    [1006, 'transient'],
    [4403, 'expired'],
    [4429, 'rate'],
    [4500, 'transient'],
  ])('a close with %d is %s', (code, kind) => {
    expect(closedBy({ code, reason: 'SECRET' })).toEqual({
      kind,
      message: `Gladia closed the connection (${code})`,
    })
  })

  test('audio that it did not take', () => {
    const refused = { type: 'audio_chunk', acknowledged: false, error: { message: 'x' }, data: null }
    expect(readMessage(JSON.stringify(refused))).toEqual({ type: 'failed' })
  })
})
