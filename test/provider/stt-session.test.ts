/** A session's recogniser on the cloud adapters: what breaks under it is heard again from the ring. */
import { beforeAll, describe, expect, test } from 'vitest'
import { Health } from '../../src/attempt/health.ts'
import { loadAudio } from '../../src/audio/convert.ts'
import { PCM16_16K } from '../../src/audio/format.ts'
import { openScope } from '../../src/cancel.ts'
import { VirtualClock } from '../../src/clock.ts'
import { createAssemblyAi } from '../../src/provider/assemblyai/index.ts'
import { createDeepgram } from '../../src/provider/deepgram/index.ts'
import { createElevenLabs } from '../../src/provider/elevenlabs/index.ts'
import { createOpenAi } from '../../src/provider/openai/index.ts'
import { createSoniox } from '../../src/provider/soniox/index.ts'
import { createSpeechmatics } from '../../src/provider/speechmatics/index.ts'
import type { RecognitionEvent } from '../../src/session/events.ts'
import { Recogniser } from '../../src/session/recogniser.ts'
import { connectInMemory, type DoubleServer } from '../../src/testing/carrier/sockets.ts'
import { fakeAssemblyAi } from '../../src/testing/stt/assemblyai.ts'
import { fakeDeepgram } from '../../src/testing/stt/deepgram.ts'
import { FAKE_KEY, type SttScript } from '../../src/testing/stt/double.ts'
import { fakeOpenAiRealtime } from '../../src/testing/stt/openai-realtime.ts'
import { fakeScribe } from '../../src/testing/stt/scribe.ts'
import { fakeSoniox } from '../../src/testing/stt/soniox.ts'
import { fakeSpeechmatics } from '../../src/testing/stt/speechmatics.ts'
import { sound } from '../support/stages.ts'

beforeAll(loadAudio)

const WORDS = [
  { text: 'Hello', startMs: 100, endMs: 400 },
  { text: 'there.', startMs: 450, endMs: 900 },
]

describe.each([
  ['deepgram', fakeDeepgram, createDeepgram, 'nova-3'],
  ['assemblyai', fakeAssemblyAi, createAssemblyAi, 'u3-rt-pro'],
  ['soniox', fakeSoniox, createSoniox, 'stt-rt-v5'],
  ['elevenlabs', fakeScribe, createElevenLabs, 'scribe_v2_realtime'],
  ['openai', fakeOpenAiRealtime, createOpenAi, 'gpt-live-transcribe'],
  ['speechmatics', fakeSpeechmatics, createSpeechmatics, 'enhanced'],
] as const)('%s under a session', (name, makeDouble, create, model) => {
  /** `scripts`: one for each connection, the last for all that follow. */
  function begin(...scripts: SttScript[]) {
    const clock = new VirtualClock()
    let connections = 0
    const server: DoubleServer = (request) => {
      const script = scripts[Math.min(connections++, scripts.length - 1)]!
      return makeDouble({ clock, script: { words: WORDS, answerMs: 80, ...script } }).server(request)
    }
    const memory = connectInMemory(server)
    const settings = { name, apiKey: FAKE_KEY, connect: memory.connect }
    const adapter = create({ clock, note: () => {} }, settings).stt!(model)!
    const events: RecognitionEvent[] = []
    const attempts: string[] = []
    let audibleMs = 0
    const scope = openScope()
    const recogniser = new Recogniser({
      candidates: () => [{ adapter, provider: name, model, route: 'any' }],
      clock,
      health: new Health({ clock }),
      signal: scope.signal,
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
    const hear = async (toMs: number) => {
      while (audibleMs < toMs) {
        audibleMs += 20
        recogniser.hear()
        await clock.advance(20)
      }
    }
    return { clock, memory, events, attempts, recogniser, hear, scope, connections: () => connections }
  }

  test('a turn with a preview, and the next on the same connection', async () => {
    const { recogniser, hear, clock, events, connections, memory } = begin({})
    recogniser.listen('a', 0)
    await hear(1_000)
    recogniser.preview('a')
    await clock.advance(200)
    expect(events.at(-1)).toMatchObject({ type: 'partial', complete: true, text: 'Hello there.' })
    await hear(1_200)
    recogniser.finalize('a', 1_200)
    await clock.advance(600)
    expect(events.at(-1)).toMatchObject({ type: 'final', turn: 'a', text: 'Hello there.' })
    recogniser.listen('b', 1_200)
    await hear(2_000)
    recogniser.finalize('b', 2_000)
    await clock.advance(3_000)
    expect(events.at(-1)).toMatchObject({ type: 'final', turn: 'b', text: '' })
    expect(connections()).toBe(1)
    const closing = recogniser.close()
    await clock.advance(1_000)
    await closing
    expect(memory.open).toBe(0)
    expect(clock.pendingTimers).toBe(0)
  })

  test.each([
    ['drop_mid_stream', 'transient'],
    ['malformed_json', 'transient'],
    ['no_final', 'timeout'],
  ] as const)('%s: the whole utterance once more, on another connection', async (fault, kind) => {
    const { recogniser, hear, clock, events, attempts, connections } = begin({ fault, faultAtMs: 1_000 }, {})
    recogniser.listen('a', 0)
    await hear(980)
    recogniser.finalize('a', 1_000)
    await clock.advance(9_000)
    expect(events.filter(({ type }) => type === 'final')).toMatchObject([{ text: 'Hello there.' }])
    expect(attempts).toEqual(['first', `failed ${kind}`, 'retry', 'ok'])
    expect(connections()).toBe(2)
  })

  test('a connection that grew old between two turns costs nobody an attempt', async () => {
    const { recogniser, hear, clock, events, attempts, connections } = begin({})
    recogniser.listen('a', 0)
    await hear(1_000)
    recogniser.finalize('a', 1_000)
    await clock.advance(400_000)
    recogniser.listen('b', 1_000)
    await hear(2_000)
    recogniser.finalize('b', 2_000)
    await clock.advance(1_000)
    expect(events.filter(({ type }) => type === 'final')).toHaveLength(2)
    expect(attempts).toEqual(['first', 'ok', 'first', 'ok'])
    expect(connections()).toBe(2)
  })
})
