/** One target by several keys of its provider: who is asked first, who when a key fails, and what is known of each. */
import { describe, expect, test } from 'vitest'
import { byTarget, keyIdsOf } from '../../src/attempt/credentials.ts'
import { Health } from '../../src/attempt/health.ts'
import { HedgeShare } from '../../src/attempt/hedge-share.ts'
import { PipelineRouter } from '../../src/attempt/router.ts'
import { traitsOf } from '../../src/attempt/traits.ts'
import { VirtualClock } from '../../src/clock.ts'
import { loadPipeline } from '../../src/config/pipeline-set.ts'
import { Pricing } from '../../src/price/pricing.ts'
import { keyedProvider } from '../../src/provider/keyed.ts'
import type { Provider } from '../../src/stage/provider.ts'
import { FACTS } from '../route/facts.ts'
import { FakeLlm } from '../support/stages.ts'
import { type Fake, fake, type Step, says, World } from './targets.ts'

const PIPELINE = `
name: p
stt: { routes: [{ name: any, use: [none/x] }] }
llm: { routes: [{ name: any, use: [a/m, b/m] }] }
tts: { routes: [{ name: any, use: [none/x] }] }
`

function provider(name: string): Provider {
  return { name, llm: () => new FakeLlm(), close: async () => {} }
}

function routerOf(keys: readonly { readonly id: string; readonly weight: number }[]) {
  const clock = new VirtualClock()
  const providers = new Map([
    ['a', keyedProvider(keys, () => provider('a'))],
    ['b', provider('b')],
  ])
  const health = new Health({
    clock,
    traits: traitsOf(providers, new Pricing()),
    keyIds: keyIdsOf(providers),
  })
  const { loaded } = loadPipeline(PIPELINE, 'p.yaml')
  const { pipeline } = loaded!
  const router = new PipelineRouter(pipeline, providers, health)
  const asked = (id: string, user: string | null = null) => {
    const facts = { ...FACTS, session: { ...FACTS.session, id, user } }
    const { llm } = router.lineup(() => facts, { voice: null })
    return llm.map(({ provider: name, credential }) =>
      credential === undefined ? name : `${name}:${credential}`,
    )
  }
  return { router, health, clock, asked }
}

const TWO = [
  { id: 'one', weight: 3 },
  { id: 'two', weight: 1 },
]

describe('which key', () => {
  test('all keys of a target come before the next target', () => {
    const { asked } = routerOf(TWO)
    const [first, second, third] = asked('s1')
    expect([first, second].sort()).toEqual(['a:one', 'a:two'])
    expect(third).toBe('b')
  })

  test('of 10,000 sessions each key gets its share', () => {
    const { asked } = routerOf(TWO)
    let one = 0
    for (let i = 0; i < 10_000; i++) if (asked(`session-${i}`)[0] === 'a:one') one++
    // Three standard deviations of 10,000 draws at 3:1 are 130.
    expect(Math.abs(one - 7_500)).toBeLessThan(130)
  })

  test('a session keeps its key, and so does a user through all sessions', () => {
    const { asked } = routerOf(TWO)
    const first = asked('s7')
    for (let i = 0; i < 10; i++) expect(asked('s7')).toEqual(first)
    const users = new Set(Array.from({ length: 50 }, (_, i) => asked(`s${i}`, 'ann')[0]))
    expect(users.size).toBe(1)
  })

  test('a third key takes sessions from the others, and moves none between these', () => {
    const before = routerOf(TWO)
    const after = routerOf([...TWO, { id: 'three', weight: 1 }])
    for (let i = 0; i < 500; i++) {
      const [was] = before.asked(`s${i}`)
      const [is] = after.asked(`s${i}`)
      expect([was, 'a:three']).toContain(is)
    }
  })

  test('one whose circuit is open stands behind the others, for stages that ask without asking for leave', () => {
    const { asked, health } = routerOf(TWO)
    const first = asked('s1')[0] as string
    lose(health, first.slice(2))
    expect(asked('s1')[1]).toBe(first)
  })
})

function lose(health: Health, credential: string): void {
  const ticket = health.admit({ stage: 'llm', target: 'a/m', credential }, null)
  ticket?.end({ type: 'failed', kind: 'auth', retryAfterMs: undefined, ms: 5 })
}

describe('what is known of a target with several keys', () => {
  test('it is open when all its keys are, to rules, to routing and to metrics', () => {
    const { health } = routerOf(TWO)
    const told = () => ({
      rule: health.health('llm', null)('a/m')?.open,
      routing: health.factsOf('llm', null)({ id: 'a/m', provider: 'a' }).circuit,
      metrics: [...byTarget(health)].map(({ target, circuit }) => `${target} ${circuit}`),
    })
    lose(health, 'one')
    expect(told()).toEqual({ rule: false, routing: 'closed', metrics: ['a/m closed'] })
    expect(health.circuit({ stage: 'llm', target: 'a/m', credential: 'one' })).toBe('open')
    lose(health, 'two')
    expect(told()).toEqual({ rule: true, routing: 'open', metrics: ['a/m open'] })
  })
})

const keyed = (credential: string, ...script: readonly Step[]): Fake & { readonly credential: string } => ({
  ...fake('a', ...script),
  credential,
})
const b = fake('b', ...says('of b', 10))

describe('a key that fails', () => {
  test.each(['auth', 'quota', 'rate'] as const)(
    '%s: the next key of the same target is asked',
    async (kind) => {
      const world = new World()
      const reader = await world.read([keyed('one', { fail: kind }), keyed('two', ...says('of two', 10)), b])
      expect(reader.text).toBe('of two')
      expect(
        reader.run.attempts.map(({ candidate }) => (candidate as { credential?: string }).credential),
      ).toEqual(['one', 'two'])
      const circuit = (credential: string) =>
        world.health.circuit({ stage: 'llm', target: 'a/m', credential })
      expect([circuit('one'), circuit('two')]).toEqual(['open', 'closed'])
    },
  )

  test('where no other target may be asked, another key may', async () => {
    const goesOn = () => false
    const world = new World()
    const two = keyed('two', ...says('of two', 10))
    expect((await world.read([keyed('one', { fail: 'quota' }), two, b], { goesOn })).text).toBe('of two')
    const down = await new World().read([keyed('one', { fail: 'transient' }), two, b], { goesOn })
    expect(down.failed.attempts).toHaveLength(1)
  })

  test('when all keys of a target are refused, the next target is asked', async () => {
    const world = new World()
    const reader = await world.read([keyed('one', { fail: 'auth' }), keyed('two', { fail: 'quota' }), b])
    expect(reader.text).toBe('of b')
    expect(world.asked).toBe('a a b')
    // Nobody asks them again.
    expect((await world.read([keyed('one'), keyed('two'), b])).text).toBe('of b')
    expect(world.asked).toBe('a a b b')
  })
})

describe('a target that fails, whatever the key', () => {
  test('transient: the next target is asked, its other keys after all targets', async () => {
    const world = new World()
    const down = fake('b', { fail: 'transient' })
    const reader = await world.read([
      keyed('one', { fail: 'transient' }),
      keyed('two', ...says('of two', 10)),
      down,
    ])
    expect(reader.text).toBe('of two')
    expect(world.asked).toBe('a b a')
  })

  test('a request that it calls bad is not sent again with another key', async () => {
    const world = new World()
    const reader = await world.read([
      keyed('one', { fail: 'bad_request' }),
      keyed('two', ...says('of two', 10)),
      b,
    ])
    expect(reader.text).toBe('of b')
    expect(world.asked).toBe('a b')
  })

  test('a hedge asks another target, since another key would wait for the same machine', async () => {
    const world = new World()
    const hedge = { after: { ms: 100 }, share: new HedgeShare(1) }
    const reader = await world.read([keyed('one', { hang: true }), keyed('two', { hang: true }), b], {
      hedge,
    })
    expect(reader.text).toBe('of b')
    expect(world.asked).toBe('a b')
  })

  test('what broke in the middle goes on with another target', async () => {
    const world = new World()
    const reader = await world.read([
      keyed('one', ...says('so far', 10), { fail: 'transient' }),
      keyed('two'),
      b,
    ])
    expect(reader.failed.brokenAfterUseful?.remaining.map(({ provider: name }) => name)).toEqual(['b', 'a'])
  })
})
