/** Rules at work in a conversation: who calls and what is said decide who answers, stage by stage. */
import { beforeAll, expect, test } from 'vitest'
import { Health } from '../../src/attempt/health.ts'
import { PipelineRouter } from '../../src/attempt/router.ts'
import { traitsOf } from '../../src/attempt/traits.ts'
import { loadAudio } from '../../src/audio/convert.ts'
import { VirtualClock } from '../../src/clock.ts'
import { loadPipeline } from '../../src/config/pipeline-set.ts'
import { Pricing } from '../../src/price/pricing.ts'
import { Routing } from '../../src/session/routing.ts'
import { FakeLlm, FakeStt, FakeTts } from '../support/stages.ts'

beforeAll(loadAudio)

const PIPELINE = `
name: support
language: en
stt:
  routes:
    - { name: german, when: 'metadata.language == "de"', use: [a/de] }
    - { name: any, use: [a/any] }
llm:
  routes:
    - { name: premium, when: 'key.tier == "premium" && size(turn.text) > 20', use: [a/large, a/small] }
    - { name: broken, when: 'metadata.missing.deeper == 1', use: [a/never] }
    - name: test
      when: 'has(session.user)'
      experiment: greeting
      sticky: session.user
      variants:
        - { id: control, weight: 50, use: [a/control] }
        - { id: candidate, weight: 50, use: [{ target: a/candidate, params: { temperature: 0.3 } }] }
    - { name: any, use: [a/small, b/absent] }
tts:
  routes:
    - { name: any, use: [a/voice, a/other] }
`

function router(): PipelineRouter {
  const { loaded, problems } = loadPipeline(PIPELINE, 'support.yaml')
  if (!loaded || problems.some((p) => p.severity === 'error')) throw new Error(JSON.stringify(problems))
  const stt = new FakeStt()
  const provider = {
    name: 'a',
    stt: () => stt,
    llm: () => new FakeLlm(),
    tts: () => new FakeTts(),
    close: async () => {},
  }
  const providers = new Map([['a', provider]])
  const health = new Health({ clock: new VirtualClock(), traits: traitsOf(providers, new Pricing()) })
  return new PipelineRouter(loaded.pipeline, providers, health)
}

interface Caller {
  readonly tier?: string
  readonly metadata?: Readonly<Record<string, unknown>>
  readonly user?: string
  readonly minted?: Readonly<Record<string, unknown>>
}

function routing({ tier, metadata = {}, user, minted = {} }: Caller): Routing {
  const key = tier === undefined ? null : { id: 'k', attributes: { tier } }
  const origin = { wire: 'test', key, metadata, user: user ?? null, minted }
  return new Routing({
    router: router(),
    origin,
    sessionId: 'sess_1',
    clock: new VirtualClock(),
    voice: () => 'default',
    turnMs: 1500,
    language: () => 'en',
  })
}

const said = (text: string) => ({ messages: [{ role: 'user', text } as const] })
const models = (list: readonly { readonly model: string }[]) => list.map(({ model }) => model)

test('recognition is routed by what is known before a word was said', () => {
  expect(models(routing({ metadata: { language: 'de' } }).lineup(null).stt)).toEqual(['de'])
  expect(models(routing({}).lineup(null).stt)).toEqual(['any'])
})

test('the model is chosen by the key and the words, at every turn anew', () => {
  const premium = routing({ tier: 'premium' })
  expect(models(premium.lineup(said('Tell me everything about it')).llm)).toEqual(['large', 'small'])
  expect(models(premium.lineup(said('Hi')).llm)).toEqual(['small'])
  expect(models(routing({}).lineup(said('Tell me everything about it')).llm)).toEqual(['small'])
})

test('a client that claims a tier has none: the key decides', () => {
  const caller = routing({ metadata: { tier: 'premium' } })
  expect(models(caller.lineup(said('Tell me everything about it')).llm)).toEqual(['small'])
})

test('a user stays in one variant, with its parameters; users spread over both', () => {
  const variant = (user: string) => routing({ user }).lineup(said('Hi')).llm[0]
  const drawn = Array.from({ length: 40 }, (_, i) => variant(`user ${i}`)?.model)
  expect(new Set(drawn)).toEqual(new Set(['control', 'candidate']))
  expect(Array.from({ length: 40 }, (_, i) => variant(`user ${i}`)?.model)).toEqual(drawn)
  const candidate = Array.from({ length: 40 }, (_, i) => variant(`user ${i}`)).find(
    (c) => c?.model === 'candidate',
  )
  expect(candidate?.params).toEqual({ temperature: 0.3 })
})

test('the voice that the caller heard stays', () => {
  const caller = routing({})
  expect(models(caller.lineup(said('Hi')).tts)).toEqual(['voice', 'other'])
  caller.spokeWith('a/other')
  expect(models(caller.lineup(said('Hi')).tts)).toEqual(['other', 'voice'])
})

test('explain says of every rule what became of it, and calls nobody', () => {
  const facts = () => ({
    key: { id: 'k', attributes: { tier: 'premium' } },
    metadata: {},
    minted: {},
    session: { id: 's', wire: 'test', language: 'en', turns: 0, durationMs: 0, user: null },
    turn: () => ({ text: 'Hi', language: null, confidence: null }),
    request: null,
    inputTokens: () => 0,
    budget: { remainingMs: 1500, turnMs: 1500 },
    health: () => undefined,
    wallMs: 0,
  })
  const told = router().explain('llm', facts)
  expect(JSON.stringify(told)).toContain('premium')
  expect(JSON.stringify(told)).toContain('any')
})

test('metadata that a backend minted into a client secret wins over what the client says', () => {
  const caller = { metadata: { language: 'en' }, minted: { language: 'de' } }
  expect(models(routing(caller).lineup(null).stt)).toEqual(['de'])
  const claims = { metadata: { language: 'de' }, minted: { language: 'en' } }
  expect(models(routing(claims).lineup(null).stt)).toEqual(['any'])
})
