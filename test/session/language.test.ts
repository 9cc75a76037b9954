/** The caller switches the language in the middle of a call: who hears, thinks and speaks follows. */
import { expect, test } from 'vitest'
import { Health } from '../../src/attempt/health.ts'
import { PipelineRouter } from '../../src/attempt/router.ts'
import { traitsOf } from '../../src/attempt/traits.ts'
import { VirtualClock } from '../../src/clock.ts'
import { loadPipeline } from '../../src/config/pipeline-set.ts'
import { Pricing } from '../../src/price/pricing.ts'
import type { Provider } from '../../src/stage/provider.ts'
import type { SttEvent } from '../../src/stage/stt.ts'
import { FakeLlm, FakeStt, FakeTts } from '../support/stages.ts'
import { Call } from './call.ts'

const PIPELINE = `
name: p
stt:
  routes:
    - { name: german, when: 'lang(session.language, "de")', use: [ears/german] }
    - { name: any, use: [ears/any] }
llm:
  routes:
    - { name: german, when: 'lang(session.language, "de")', use: [mind/german] }
    - { name: any, use: [mind/any] }
tts: { routes: [{ name: any, use: [mouth/english, mouth/german] }] }
`

/** A recogniser that tells the language of each utterance. */
class Linguist extends FakeStt {
  readonly languages: readonly string[]
  readonly hints: (string | undefined)[] = []
  constructor(words: readonly string[], languages: readonly string[]) {
    super({ words })
    this.languages = languages
  }

  override async open(options: Parameters<FakeStt['open']>[0] & { language?: string }) {
    this.hints.push(options.language)
    const stream = await super.open(options)
    const { languages } = this
    const events = (async function* () {
      let n = 0
      for await (const event of { [Symbol.asyncIterator]: () => FakeStreamEvents(stream) }) {
        yield event.type === 'final' ? { ...event, language: languages[n++ % languages.length] } : event
      }
    })()
    return Object.assign(Object.create(stream) as typeof stream, {
      write: stream.write.bind(stream),
      preview: stream.preview.bind(stream),
      finalize: stream.finalize.bind(stream),
      discard: stream.discard.bind(stream),
      close: stream.close.bind(stream),
      [Symbol.asyncIterator]: () => events,
    })
  }
}

function FakeStreamEvents(stream: AsyncIterable<SttEvent>): AsyncIterator<SttEvent> {
  return stream[Symbol.asyncIterator]()
}

function voiceOf(language: string): FakeTts {
  const voice = new FakeTts()
  Object.assign(voice, { id: `mouth/${language}`, caps: { ...voice.caps, languages: [language] } })
  return voice
}

test('recognition, model, instructions and voice follow; one foreign word does not', async () => {
  const ears = {
    any: new Linguist(['hello to you there', 'ja', 'ich spreche jetzt deutsch'], ['en', 'de', 'de']),
    german: new Linguist(['und so weiter bitte'], ['de']),
  }
  const minds = { any: new FakeLlm({ answer: () => 'Fine.' }), german: new FakeLlm({ answer: () => 'Gut.' }) }
  const mouths = { english: voiceOf('en'), german: voiceOf('de') }
  const pick =
    <T>(table: Record<string, T>) =>
    (model: string) =>
      table[model]
  const provider = (name: string, offers: Partial<Provider>): [string, Provider] => [
    name,
    { name, close: async () => {}, ...offers },
  ]
  const providers = new Map([
    provider('ears', { stt: pick<FakeStt>(ears) }),
    provider('mind', { llm: pick<FakeLlm>(minds) }),
    provider('mouth', { tts: pick<FakeTts>(mouths) }),
  ])
  const { loaded, problems } = loadPipeline(PIPELINE, 'p.yaml')
  if (!loaded) throw new Error(JSON.stringify(problems))
  const clock = new VirtualClock()
  const health = new Health({ clock, traits: traitsOf(providers, new Pricing()) })
  const call = await Call.open({
    clock,
    settings: { maxRevisions: 0 },
    router: () => new PipelineRouter(loaded.pipeline, providers, health),
  })
  const turn = async () => {
    await call.says()
    await call.wait(3000)
  }
  await turn()
  await turn()
  expect([mouths.english.said.length, mouths.german.said.length]).toEqual([2, 0])
  expect(minds.any.requests).toHaveLength(2)
  await turn()
  // The third was still heard by the first recogniser; what it heard decides the rest of the turn.
  expect(minds.german.requests).toHaveLength(1)
  const [system] = minds.german.requests[0]?.messages ?? []
  expect(system?.text).toBe('Be brief.\n\nThe caller speaks German now. Answer in German.')
  expect(mouths.german.said).toEqual(['Gut.'])
  await turn()
  expect(ears.german.utterances).toBe(1)
  expect(ears.german.hints).toEqual(['de'])
  expect(mouths.german.said).toEqual(['Gut.', 'Gut.'])
  expect(minds.any.requests[0]?.messages[0]?.text).toBe('Be brief.')
  await call.hangUp()
  expect(call.clock.pendingTimers).toBe(0)
})
