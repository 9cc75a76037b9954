/** A pipeline's routes with providers behind them: what is present, what is asked first, what a dry run tells. */
import { expect, test } from 'vitest'
import { dryRunFacts, dryRunSchema } from '../../src/attempt/dry-run.ts'
import { Health } from '../../src/attempt/health.ts'
import type { Habits } from '../../src/attempt/lineup.ts'
import { PipelineRouter } from '../../src/attempt/router.ts'
import { traitsOf } from '../../src/attempt/traits.ts'
import { VirtualClock } from '../../src/clock.ts'
import { loadPipeline } from '../../src/config/pipeline-set.ts'
import { Pricing } from '../../src/price/pricing.ts'
import type { Provider } from '../../src/stage/provider.ts'
import { FakeLlm, FakeStt, FakeTts } from '../support/stages.ts'

const TEXT = `
name: p
stt: { routes: [{ name: any, use: [a/ears, absent/ears] }] }
llm:
  routes:
    - { name: long, when: 'turn.words > 3', use: [a/large] }
    - { name: any, use: [absent/model, a/small] }
tts: { routes: [{ name: any, use: [a/mouth] }] }
`

const clock = new VirtualClock()

function routerOf(text: string, providers: readonly Provider[]): PipelineRouter {
  const { loaded } = loadPipeline(text, 'p.yaml')
  if (!loaded) throw new Error('not loaded')
  const byName = new Map(providers.map((provider) => [provider.name, provider]))
  return new PipelineRouter(
    loaded.pipeline,
    byName,
    new Health({ clock, traits: traitsOf(byName, new Pricing()) }),
  )
}

const A: Provider = {
  name: 'a',
  stt: () => new FakeStt(),
  llm: () => new FakeLlm(),
  tts: () => new FakeTts(),
  close: async () => {},
}

const facts = (run: object) =>
  dryRunFacts(dryRunSchema.parse(run), {
    key: null,
    turnMs: 1500,
    wallMs: 1_700_000_000_000,
    health: new Health({ clock }),
  })

test('targets without a provider are left out, the order is the route’s', () => {
  const lineup = routerOf(TEXT, [A]).lineup(facts({ text: 'Hi' }), { voice: null })
  expect(lineup.llm.map(({ model, route }) => `${route} ${model}`)).toEqual(['any small'])
  expect(lineup.stt.map(({ model }) => model)).toEqual(['ears'])
})

test('before there are words the model of the route without a condition connects, the first whose circuit is not open', () => {
  const connected: string[] = []
  const b: Provider = {
    ...A,
    name: 'b',
    llm: (model) => Object.assign(new FakeLlm(), { warm: () => void connected.push(model) }),
  }
  const use = 'use: [absent/model, b/small, b/other]'
  const router = routerOf(TEXT.replace('use: [absent/model, a/small]', use), [A, b])
  const judged = router.health
  router.warm(facts({}))
  expect(connected).toEqual(['small'])
  const place = { stage: 'llm', target: 'b/small', credential: '' } as const
  const broken = { type: 'failed', kind: 'transient', retryAfterMs: undefined, ms: 1 } as const
  for (let i = 0; i < 20; i++) judged.admit(place, null)?.end(broken)
  expect(judged.circuit(place)).toBe('open')
  router.warm(facts({}))
  expect(connected).toEqual(['small', 'other'])
})

test('a stage is judged when it is asked for, and once', () => {
  let asked = 0
  const lineup = routerOf(TEXT, [A]).lineup(
    (stage) => {
      asked++
      return facts({})(stage)
    },
    { voice: null },
  )
  expect(asked).toBe(0)
  expect(lineup.tts).toBe(lineup.tts)
  expect(asked).toBe(1)
})

test('without any provider nothing can listen, and a dry run still tells the rules', () => {
  const router = routerOf(TEXT, [])
  expect(router.targets('stt')).toEqual([])
  const told = router.explain('llm', facts({ text: 'one two three four' }))
  expect(told.route).toBe('long')
  expect(told.rules.map(({ route, outcome }) => `${route} ${outcome}`)).toEqual([
    'long taken',
    'any not tried',
  ])
  expect(told.candidates.map(({ target }) => target)).toEqual(['a/large'])
})

test('a dry run refuses what it does not know', () => {
  expect(dryRunSchema.safeParse({ stage: 'vad' }).success).toBe(false)
  expect(dryRunSchema.safeParse({ secret: 1 }).success).toBe(false)
  expect(dryRunSchema.safeParse({ text: 'x'.repeat(20_000) }).success).toBe(false)
})

test('what attempts taught is known to rules, until the configuration changes', () => {
  const text = `
name: p
llm:
  routes:
    - { name: off, when: 'health["a/large"].open', use: [a/small] }
    - { name: any, use: [a/large, a/small] }
`
  const router = routerOf(text, [A])
  const place = { stage: 'llm', target: 'a/large', credential: '' } as const
  const stated = dryRunFacts(dryRunSchema.parse({}), {
    key: null,
    turnMs: 1500,
    wallMs: 0,
    health: router.health,
  })
  expect(router.lineup(stated, { voice: null }).llm.map(({ route }) => route)).toEqual(['any', 'any'])
  router.health.admit(place, null)?.end({ type: 'failed', kind: 'auth', retryAfterMs: undefined, ms: 1 })
  expect(router.lineup(stated, { voice: null }).llm.map(({ route }) => route)).toEqual(['off'])
  router.health.configured()
  expect(router.lineup(stated, { voice: null }).llm.map(({ route }) => route)).toEqual(['any', 'any'])
})

test('a route’s hedge comes with its models, one share for all sessions; other routes have none', () => {
  const text = `
name: p
llm:
  routes:
    - { name: long, when: 'turn.words > 3', use: [a/large, a/small], hedge: { after: p95, maxShare: 0.2 } }
    - { name: any, use: [a/small] }
`
  const router = routerOf(text, [A])
  const hedgeOf = (said: string) => router.lineup(facts({ text: said }), { voice: null }).llmHedge
  expect(hedgeOf('one two three four')?.after).toBe('p95')
  expect(hedgeOf('one two three four')?.share.maxShare).toBe(0.2)
  expect(hedgeOf('one two three four')?.share).toBe(hedgeOf('five six seven eight')?.share)
  expect(hedgeOf('Hi')).toBeNull()
})

const PRICES = new Pricing(
  { 'a/dear': { usdPerMillionInputTokens: 10 }, 'a/cheap': { usdPerMillionInputTokens: 1 } },
  { 'a/dear': 0.9, 'a/cheap': 0.4 },
)

function priced(use: string, more = ''): PipelineRouter {
  const { loaded } = loadPipeline(`name: p\nllm: { routes: [{ name: any, use: ${use}${more} }] }\n`, 'p.yaml')
  if (!loaded) throw new Error('not loaded')
  const byName = new Map([['a', A]])
  const health = new Health({ clock, traits: traitsOf(byName, PRICES) })
  return new PipelineRouter(loaded.pipeline, byName, health, { pricing: PRICES })
}
const order = (router: PipelineRouter, habits: Habits = { voice: null }, run: object = {}) =>
  router.lineup(facts(run), habits).llm.map(({ model }) => model)

test.each([
  ['{ from: [a/dear, a/cheap, a/unknown], sort: [price] }', ['cheap', 'dear', 'unknown']],
  ['{ from: [a/cheap, a/unknown, a/dear], sort: [quality] }', ['dear', 'cheap', 'unknown']],
  ['{ from: [a/dear, a/cheap, a/unknown], maxPriceUsd: 5 }', ['cheap']],
  ['{ from: [a/dear, a/cheap], only: [a/cheap] }', ['cheap']],
  ['{ from: [a/dear, a/cheap], ignore: [a/dear] }', ['cheap']],
  ['{ from: [a/dear, a/cheap], capabilities: [prefill] }', []],
  ['{ from: [a/dear, a/cheap], sort: [weighted], weights: { a/dear: 0, a/cheap: 1 } }', ['cheap', 'dear']],
])('a list %s is asked in the order %j', (use, expected) => {
  expect(order(priced(use))).toEqual(expected)
})

test('the model that holds the conversation’s prompt cache is asked first, while it is worth it', () => {
  const router = priced('[a/dear, a/cheap]')
  const cache = { target: 'a/cheap', tokens: 4000, ageMs: 60_000 }
  expect(order(router, { voice: null, cache })).toEqual(['cheap', 'dear'])
  expect(order(router, { voice: null, cache: { ...cache, tokens: 200 } })).toEqual(['dear', 'cheap'])
  expect(order(router, { voice: null, cache: { ...cache, ageMs: 600_000 } })).toEqual(['dear', 'cheap'])
  router.health.admit({ stage: 'llm', target: 'a/cheap', credential: '' }, null)?.end({
    type: 'failed',
    kind: 'auth',
    retryAfterMs: undefined,
    ms: 1,
  })
  expect(order(router, { voice: null, cache })).toEqual(['dear', 'cheap'])
})

test('lists that are asked instead come with the route’s models, those without a provider left out', () => {
  const more = ', onContextOverflow: [a/long, absent/long], onContentRefusal: [a/frank]'
  const { llmInsteadOf } = priced('[a/cheap]', more).lineup(facts({}), { voice: null })
  const models = Object.entries(llmInsteadOf ?? {}).map(([why, list]) => [
    why,
    list.map(({ model }) => model),
  ])
  expect(models).toEqual([
    ['context_overflow', ['long']],
    ['content_refusal', ['frank']],
  ])
})
