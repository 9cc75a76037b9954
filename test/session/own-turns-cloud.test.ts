/** Whole calls on recognisers of the cloud that end turns: doubles that speak their protocols, on the virtual clock. */
import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../../src/clock.ts'
import { createAssemblyAi } from '../../src/provider/assemblyai/index.ts'
import { createDeepgram } from '../../src/provider/deepgram/index.ts'
import { createSoniox } from '../../src/provider/soniox/index.ts'
import { connectInMemory, type DoubleServer } from '../../src/testing/carrier/sockets.ts'
import { fakeAssemblyAi } from '../../src/testing/stt/assemblyai.ts'
import { FAKE_KEY, type SttScript, type SttSessionRecord } from '../../src/testing/stt/double.ts'
import { fakeFlux } from '../../src/testing/stt/flux.ts'
import { fakeSoniox } from '../../src/testing/stt/soniox.ts'
import { FakeLlm, type FakeStt } from '../support/stages.ts'
import { Call } from './call.ts'
import { SETTINGS } from './story.ts'

const WORDS = [
  { text: 'Hello', startMs: 100, endMs: 700 },
  { text: 'there.', startMs: 800, endMs: 1_400, endsTurn: 0.9 },
]

describe.each([
  ['assemblyai', fakeAssemblyAi, createAssemblyAi, 'universal-streaming-english', 3_100],
  ['deepgram', fakeFlux, createDeepgram, 'flux-general-en', 1_600],
  ['soniox', fakeSoniox, createSoniox, 'stt-rt-v5', 3_100],
] as const)('a call on %s', (name, makeDouble, create, model, nextMs) => {
  /** `scripts`: one for each connection. */
  async function speaking(...scripts: SttScript[]) {
    const clock = new VirtualClock()
    const sessions: (readonly SttSessionRecord[])[] = []
    const server: DoubleServer = (request) => {
      const script = scripts[Math.min(sessions.length, scripts.length - 1)]!
      const double = makeDouble({ clock, script: { words: WORDS, answerMs: 80, ...script } })
      sessions.push(double.sessions)
      return double.server(request)
    }
    const memory = connectInMemory(server)
    const settings = { name, apiKey: FAKE_KEY, connect: memory.connect }
    const adapter = create({ clock, note: () => {} }, settings).stt!(model)!
    const call = await Call.open({
      clock,
      stt: adapter as unknown as FakeStt,
      llm: new FakeLlm({ firstTokenMs: 100 }),
      settings: { turnDetection: { ...SETTINGS.turnDetection!, type: 'semantic_vad', eagerness: 'auto' } },
      endOfTurn: { judge: async () => ({ probability: 0.95, by: 'model' }) },
    })
    await call.speak(1_500)
    const end = async () => {
      await call.wait(8_000)
      const closing = call.hangUp()
      await clock.advance(2_000)
      await closing
      expect(sessions.flat().flatMap(({ mistakes }) => mistakes)).toEqual([])
      expect([memory.open, clock.pendingTimers]).toEqual([0, 0])
      return { connections: sessions.length, record: (await call.records())[0]! }
    }
    return { call, end }
  }

  test('its word ends the turn, and its words are there at once', async () => {
    const { call, end } = await speaking({})
    await call.silent(1_000)
    expect(call.types).toContain('speechStopped')
    const { record, connections } = await end()
    expect(record).toMatchObject({ endedBy: 'recogniser', text: { user: 'Hello there.' }, outcome: 'said' })
    expect(record.marks.committed).toBeLessThan(600)
    expect(record.marks.sttFinal! - record.marks.committed!).toBeLessThan(50)
    expect(connections).toBe(1)
  })

  test('an unfinished sentence is waited for, and both halves are one turn', async () => {
    // The double of Flux counts no silence in its script.
    const more = { text: 'friend.', startMs: nextMs, endMs: nextMs + 500, endsTurn: 0.9 }
    const words = [WORDS[0]!, { ...WORDS[1]!, endsTurn: 0 }, more]
    const { call, end } = await speaking({ words })
    await call.silent(1_500)
    expect(call.types).not.toContain('speechStopped')
    await call.speak(700)
    await call.silent(1_000)
    const { record } = await end()
    expect(record).toMatchObject({ endedBy: 'recogniser', text: { user: 'Hello there. friend.' } })
    expect(call.count('committed')).toBe(1)
  })

  test('lost in the pause, it is replaced: our judge ends the turn, the words are heard again', async () => {
    const lost = { fault: 'drop_mid_stream', faultAtMs: 1_600 } as const
    const { call, end } = await speaking({ ...lost }, {})
    await call.silent(1_500)
    const { record, connections } = await end()
    expect(record).toMatchObject({ endedBy: 'model', text: { user: 'Hello there.' } })
    expect(connections).toBe(2)
  })
})
