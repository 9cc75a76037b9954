/** A caller changes the language on recognisers of the cloud, there and back: doubles that speak their protocols, on the virtual clock. */
import { describe, expect, test } from 'vitest'
import { Health } from '../../src/attempt/health.ts'
import { PipelineRouter } from '../../src/attempt/router.ts'
import { traitsOf } from '../../src/attempt/traits.ts'
import { VirtualClock } from '../../src/clock.ts'
import { loadPipeline } from '../../src/config/pipeline-set.ts'
import { Pricing } from '../../src/price/pricing.ts'
import { createAssemblyAi } from '../../src/provider/assemblyai/index.ts'
import { createDeepgram } from '../../src/provider/deepgram/index.ts'
import { createElevenLabs } from '../../src/provider/elevenlabs/index.ts'
import { createSoniox } from '../../src/provider/soniox/index.ts'
import type { Provider } from '../../src/stage/provider.ts'
import { connectInMemory, type DoubleServer } from '../../src/testing/carrier/sockets.ts'
import { fakeAssemblyAi } from '../../src/testing/stt/assemblyai.ts'
import { fakeDeepgram } from '../../src/testing/stt/deepgram.ts'
import { FAKE_KEY, type HeardWord, type SttSessionRecord } from '../../src/testing/stt/double.ts'
import { fakeScribe } from '../../src/testing/stt/scribe.ts'
import { fakeSoniox } from '../../src/testing/stt/soniox.ts'
import { FakeLlm, FakeTts } from '../support/stages.ts'
import { Call } from './call.ts'

/** Three words or more make it the session's; one is of the turn alone. */
const TURNS = [
  { language: 'en', text: 'Hello to you there.' },
  { language: 'de', text: 'Ja.' },
  { language: 'de', text: 'Ich spreche jetzt deutsch.' },
  { language: 'en', text: 'And now English again.' },
] as const

describe.each([
  ['deepgram', 'nova-3', fakeDeepgram, createDeepgram],
  ['soniox', 'stt-rt-v5', fakeSoniox, createSoniox],
  ['elevenlabs', 'scribe_v2_realtime', fakeScribe, createElevenLabs],
  ['assemblyai', 'universal-streaming-multilingual', fakeAssemblyAi, createAssemblyAi],
] as const)('on %s', (name, model, makeDouble, create) => {
  test('model and voice follow in the same turn, and recognition goes on hearing both', async () => {
    const clock = new VirtualClock()
    const sessions: SttSessionRecord[] = []
    let turn: (typeof TURNS)[number] | undefined
    const server: DoubleServer = (request) => {
      const number = sessions.length
      const words: HeardWord[] = []
      // The newest connection hears what is said now, where its audio stands.
      const script = {
        answerMs: 80,
        get words() {
          if (turn && number === sessions.length - 1) {
            words.push(...wordsAt(sessions[number]!.audioMs + 300, turn.text, turn.language))
            turn = undefined
          }
          return words
        },
      }
      const double = makeDouble({ clock, script })
      const answer = double.server(request)
      if (typeof answer !== 'function') return answer
      return (peer) => {
        const open = answer(peer)
        sessions.push(...double.sessions)
        return open
      }
    }
    const { connect } = connectInMemory(server)
    const ears = create({ clock, note: () => {} }, { name, apiKey: FAKE_KEY, connect })
    const minds = {
      any: new FakeLlm({ answer: () => 'Fine.' }),
      german: new FakeLlm({ answer: () => 'Gut.' }),
    }
    const mouth = new FakeTts()
    const providers = new Map<string, Provider>([
      [name, ears],
      ['mind', { name: 'mind', llm: (one) => minds[one as keyof typeof minds], close: async () => {} }],
      ['mouth', { name: 'mouth', tts: () => mouth, close: async () => {} }],
    ])
    const { loaded } = loadPipeline(
      `
name: p
voice: v
stt: { routes: [{ name: any, use: [${name}/${model}] }] }
llm:
  routes:
    - { name: german, when: 'lang(turn.language, "de")', use: [mind/german] }
    - { name: any, use: [mind/any] }
tts: { routes: [{ name: any, use: [mouth/tts] }] }
voices: { v: { mouth: { id: anna, byLanguage: { de: heidi } } } }
`,
      'p.yaml',
    )
    const health = new Health({ clock, traits: traitsOf(providers, new Pricing()) })
    const call = await Call.open({
      clock,
      settings: { maxRevisions: 0 },
      router: () => new PipelineRouter(loaded!.pipeline, providers, health),
    })
    const spoken: unknown[] = []
    for (const one of TURNS) {
      turn = one
      await call.says(1_500)
      await call.wait(4_000)
      spoken.push([minds.any.requests.length, minds.german.requests.length, mouth.voices.at(-1)])
    }
    expect(spoken).toEqual([
      [1, 0, 'anna'],
      [1, 1, 'anna'],
      [1, 2, 'heidi'],
      [2, 2, 'anna'],
    ])
    expect((await call.records()).map((record) => [record.language, record.text.user])).toEqual(
      TURNS.map(({ language, text }) => [language, text]),
    )
    const closing = call.hangUp()
    await clock.advance(2_000)
    await closing
    expect(sessions.flatMap(({ mistakes }) => mistakes)).toEqual([])
  })
})

function wordsAt(fromMs: number, text: string, language: string): HeardWord[] {
  return text.split(' ').map((word, i, { length }) => {
    const startMs = fromMs + (i * 900) / length
    return { text: word, startMs, endMs: startMs + 700 / length, language }
  })
}
