import { describe, expect, test } from 'vitest'
import { Health, type Place } from '../../src/attempt/health.ts'
import { attempt } from '../../src/attempt/run.ts'
import { listenersOf, openScope } from '../../src/cancel.ts'
import { VirtualClock } from '../../src/clock.ts'
import { fake, opener, says, World } from './targets.ts'

const place = (target: string): Place => ({ stage: 'llm', target, credential: '' })
const ok = (firstUsefulMs: number) => ({ type: 'ok', firstUsefulMs, unitsPerSecond: null }) as const

describe('facts for decisions', () => {
  test('are learned from attempts, by language, beside what the adapter says', () => {
    const clock = new VirtualClock()
    const traits = { priceUsd: 3, quality: 0.8, languages: ['de'], capabilities: ['tools'] }
    const health = new Health({ clock, traits: (_, target) => (target === 'a/m' ? traits : undefined) })
    for (let i = 0; i < 50; i++) health.admit(place('a/m'), 'de')?.end(ok(200))
    const running = health.admit(place('a/m'), 'de')
    const facts = health.factsOf('llm', 'de')({ id: 'a/m', provider: 'a' })
    expect(facts).toMatchObject({ ...traits, inFlight: 1, circuit: 'closed' })
    expect(facts.latency).toMatchObject({ from: 'language', errorRate: 0 })
    expect(Math.abs(facts.latency.p50Ms - 200)).toBeLessThan(20)
    running?.end(ok(200))
    running?.end(ok(200))
    expect(health.factsOf('llm', 'de')({ id: 'a/m', provider: 'a' }).inFlight).toBe(0)
  })

  test('the routing context knows who was asked or is offered, and nobody else', () => {
    const health = new Health({ clock: new VirtualClock() })
    const ticket = health.admit(place('a/m'), null)
    ticket?.end({ type: 'failed', kind: 'auth', retryAfterMs: undefined, ms: 10 })
    const of = health.health('llm', null)
    expect(of('a/m')).toMatchObject({ open: true })
    expect(of('a/m')?.errorRate).toBeGreaterThan(0)
    expect(of('b/m')).toBeUndefined()
  })

  test('what is ours or planned is no error of the target', () => {
    const health = new Health({ clock: new VirtualClock() })
    for (const kind of ['bad_request', 'expired', 'cancelled'] as const) {
      for (let i = 0; i < 10; i++) {
        health.admit(place('a/m'), null)?.end({ type: 'failed', kind, retryAfterMs: undefined, ms: 5 })
      }
    }
    for (let i = 0; i < 10; i++) {
      health.admit(place('a/m'), null)?.end({ type: 'cut', firstUsefulMs: null, ms: 5, unitsPerSecond: null })
    }
    expect(health.latency(place('a/m'), null)).toMatchObject({ errorRate: 0, from: 'prior' })
    const [counts] = [...health.read()]
    expect(counts).toMatchObject({
      started: 40,
      ok: 0,
      cut: 10,
      failed: { bad_request: 10, expired: 10, cancelled: 10 },
      inFlight: 0,
    })
  })

  test('each credential has its own circuit', () => {
    const health = new Health({ clock: new VirtualClock() })
    const mine = { ...place('a/m'), credential: 'mine' }
    health.admit(mine, null)?.end({ type: 'failed', kind: 'quota', retryAfterMs: undefined, ms: 5 })
    expect(health.circuit(mine)).toBe('open')
    expect(health.circuit(place('a/m'))).toBe('closed')
    health.configured('b')
    expect(health.circuit(mine)).toBe('open')
    health.configured()
    expect(health.circuit(mine)).toBe('closed')
  })
})

describe('nothing grows', () => {
  test('with the number of targets: the longest unused is forgotten, not one that is off or busy', () => {
    const health = new Health({ clock: new VirtualClock() })
    const busy = health.admit(place('busy/m'), null)
    health.admit(place('off/m'), null)?.end({ type: 'failed', kind: 'auth', retryAfterMs: undefined, ms: 1 })
    for (let i = 0; i < 5000; i++) health.admit(place(`t${i}/m`), null)?.end(ok(10))
    const kept = [...health.read()]
    expect(kept).toHaveLength(2000)
    expect(health.circuit(place('off/m'))).toBe('open')
    expect(kept.find(({ target }) => target === 'busy/m')?.inFlight).toBe(1)
    busy?.end(ok(10))
  })

  test('10,000 attempts under one signal leave no listener and no timer', async () => {
    const world = new World()
    const { signal } = world.session
    const scripts = [
      [fake('a', ...says('one two', 1))],
      [fake('b', { fail: 'expired' }), fake('a', ...says('one', 1))],
      [fake('c', { say: '' }), fake('a', ...says('one', 1), { fail: 'bad_request' })],
      [fake('d', { hang: true }), fake('a', ...says('one', 1))],
    ]
    for (let round = 0; round < 50; round++) {
      const readers = Array.from({ length: 150 }, (_, i) => world.start(scripts[i % 4]!))
      await world.clock.advance(1)
      // Some leave early, at a useful item or before it.
      readers.forEach((reader, i) => {
        if (i % 7 === 0) void reader.run.return()
      })
      for (let i = 0; i < 20; i++) await world.clock.advance(500)
      expect(readers.filter(({ outcome }) => outcome === 'running')).toEqual([])
      expect(listenersOf(signal)).toBe(0)
    }
    expect(world.log.rows.length).toBeGreaterThan(10_000)
    expect(world.log.rows.filter(({ status }) => status === 'running')).toEqual([])
    expect(world.clock.pendingTimers).toBe(0)
    expect(world.inFlight).toBe(0)
  })

  test('a run that nobody reads holds nothing', () => {
    const clock = new VirtualClock()
    const session = openScope()
    const health = new Health({ clock })
    const options = { stage: 'llm', clock, health, isUseful: () => true, signal: session.signal } as const
    attempt({ ...options, candidates: [fake('a')], open: opener(clock, []) })
    expect(listenersOf(session.signal)).toBe(0)
    expect([...health.read()]).toEqual([])
  })
})
