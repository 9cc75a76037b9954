import { describe, expect, test } from 'vitest'
import { type Candidate, candidatesOf, type Filter, NO_FILTER } from '../../src/route/candidates.ts'
import { cachePin, preferred } from '../../src/route/prefer.ts'
import { type SortKey, sorted } from '../../src/route/sort.ts'
import { type Known, target, targetFacts } from './facts.ts'

const NOTHING = { language: null, capabilities: [] }

function list(
  known: Readonly<Record<string, Known>>,
  filter: Partial<Filter> = {},
  needs = NOTHING as Parameters<typeof candidatesOf>[2],
) {
  return candidatesOf(Object.keys(known).map(target), { ...NO_FILTER, ...filter }, needs, ({ id }) =>
    targetFacts(known[id]),
  )
}

const names = (candidates: readonly Candidate[]) =>
  candidates.filter(({ refused }) => refused === null).map(({ target: { id } }) => id)
const refusals = (candidates: readonly Candidate[]) =>
  Object.fromEntries(
    candidates.flatMap(({ target: { id }, refused }) => (refused === null ? [] : [[id, refused]])),
  )

describe('filters', () => {
  const known = { 'a/x': {}, 'a/y': { priceUsd: 5 }, 'b/z': { priceUsd: 1, capabilities: ['tools', 'json'] } }

  test('only and ignore take providers and targets', () => {
    expect(names(list(known, { only: ['a'] }))).toEqual(['a/x', 'a/y'])
    expect(names(list(known, { only: ['a/y', 'b'] }))).toEqual(['a/y', 'b/z'])
    expect(names(list(known, { ignore: ['a/x', 'b'] }))).toEqual(['a/y'])
  })

  test('capabilities of the route and of the request', () => {
    expect(names(list(known, { capabilities: ['json'] }))).toEqual(['b/z'])
    expect(refusals(list(known, {}, { language: null, capabilities: ['json'] }))).toEqual({
      'a/x': 'cannot do json',
      'a/y': 'cannot do json',
    })
    // Nobody can: a poor try is better than silence.
    expect(refusals(list(known, {}, { language: null, capabilities: ['prefill'] }))).toEqual({})
    expect(refusals(list(known, { capabilities: ['prefill'] }))).toEqual({
      'a/x': 'cannot do prefill',
      'a/y': 'cannot do prefill',
      'b/z': 'cannot do prefill',
    })
  })

  test('a highest price; an unknown price is too high', () => {
    expect(refusals(list(known, { maxPriceUsd: 2 }))).toEqual({
      'a/x': 'its price is not known, and there is a highest one',
      'a/y': 'costs 5, 2 at most',
    })
  })

  test('languages; when nobody speaks it, everybody may try', () => {
    const stt = { 'a/en': { languages: ['en'] }, 'b/de': { languages: ['de', 'pt-BR'] }, 'c/any': {} }
    const heard = (language: string, of: Readonly<Record<string, Known>> = stt) =>
      list(of, {}, { language, capabilities: [] })
    expect(names(heard('de-AT'))).toEqual(['b/de', 'c/any'])
    expect(names(heard('pt'))).toEqual(['b/de', 'c/any'])
    expect(refusals(heard('fi'))).toEqual({
      'a/en': 'does not say that it knows fi',
      'b/de': 'does not say that it knows fi',
    })
    const nobody = heard('fi', { 'a/en': { languages: ['en'] } })
    expect(names(nobody)).toEqual(['a/en'])
    expect(nobody[0]?.notes).toEqual(['does not say that it knows fi, nor does any other'])
  })
})

describe('sorting', () => {
  const by = (
    sort: readonly SortKey[],
    known: Readonly<Record<string, Known>>,
    key = 'sess_1',
    weights = {},
  ) => names(sorted(list(known), { sort, weights, key, name: 'route' }))
  const three = {
    'a/x': { p50Ms: 500, p95Ms: 600, priceUsd: 1, quality: 0.5, inFlight: 2, unitsPerSecond: 50 },
    'b/y': { p50Ms: 200, p95Ms: 2000, priceUsd: null, quality: 0.9, inFlight: 1, unitsPerSecond: null },
    'c/z': { p50Ms: 210, p95Ms: 800, priceUsd: 0.1, quality: null, inFlight: 0, unitsPerSecond: 90 },
  }

  test.each([
    [[], ['a/x', 'b/y', 'c/z']],
    [['latency'], ['b/y', 'c/z', 'a/x']],
    [['latency-p95'], ['a/x', 'c/z', 'b/y']],
    [['price'], ['c/z', 'a/x', 'b/y']],
    [['throughput'], ['c/z', 'a/x', 'b/y']],
    [['quality'], ['b/y', 'a/x', 'c/z']],
    [['least-busy'], ['c/z', 'b/y', 'a/x']],
    // 200 and 210 ms are the same for anybody's ear: the price decides.
    [
      ['latency', 'price'],
      ['c/z', 'b/y', 'a/x'],
    ],
  ] as const)('by %j', (sort, order) => {
    expect(by(sort, three)).toEqual(order)
  })

  test('weighted: by weight over conversations, the same within one', () => {
    const firsts: Record<string, number> = { 'a/x': 0, 'b/y': 0, 'c/z': 0 }
    for (let i = 0; i < 3000; i++) {
      const order = by(['weighted'], three, `sess_${i}`, { 'a/x': 3, 'c/z': 0 })
      expect(order).toHaveLength(3)
      expect(order.at(-1)).toBe('c/z')
      firsts[order[0]!]!++
    }
    expect(firsts['a/x']! / 3000).toBeCloseTo(0.75, 1)
    expect(by(['weighted'], three, 'sess_7')).toEqual(by(['weighted'], three, 'sess_7'))
  })
})

describe('what overrules the order', () => {
  const known = { 'a/slow': { p50Ms: 900 }, 'b/mid': { p50Ms: 400 }, 'c/fast': { p50Ms: 100 } }
  const NONE = { pin: null, slackMs: null }

  test('nothing, as long as the first one’s median fits', () => {
    expect(names(preferred(list(known), NONE))).toEqual(['a/slow', 'b/mid', 'c/fast'])
    // Its p95 would not: 2,700 ms.
    expect(names(preferred(list(known), { ...NONE, slackMs: 900 }))).toEqual(['a/slow', 'b/mid', 'c/fast'])
  })

  test('then the next one that fits, not the fastest', () => {
    const order = preferred(list(known), { ...NONE, slackMs: 500 })
    expect(names(order)).toEqual(['b/mid', 'a/slow', 'c/fast'])
    expect(order[0]?.notes).toEqual(['faster: 400 ms fit the 500 ms left'])
  })

  test('and if none fits, the fastest', () => {
    expect(names(preferred(list(known), { ...NONE, slackMs: -20 }))).toEqual(['c/fast', 'a/slow', 'b/mid'])
    expect(names(preferred(list({ 'a/x': { p50Ms: 900 } }), { ...NONE, slackMs: 1 }))).toEqual(['a/x'])
  })

  test('an open circuit is the last resort, a half-open one keeps its place', () => {
    const broken = {
      ...known,
      'a/slow': { p50Ms: 900, circuit: 'open' },
      'b/mid': { p50Ms: 400, circuit: 'halfOpen' },
    } as const
    const order = preferred(list(broken), NONE)
    expect(names(order)).toEqual(['b/mid', 'c/fast', 'a/slow'])
    expect(order.at(-1)?.notes).toEqual(['its circuit is open: last resort'])
  })

  test('the prompt cache keeps a conversation where it is, unless the circuit is open or time presses', () => {
    const pin = cachePin({ target: 'b/mid', tokens: 4000, ageMs: 20_000 })
    expect(names(preferred(list(known), { pin, slackMs: 500 }))).toEqual(['b/mid', 'a/slow', 'c/fast'])
    expect(names(preferred(list(known), { pin, slackMs: 200 }))[0]).toBe('c/fast')
    const open = { ...known, 'b/mid': { p50Ms: 400, circuit: 'open' } } as const
    expect(names(preferred(list(open), { pin, slackMs: null }))).toEqual(['a/slow', 'c/fast', 'b/mid'])
  })

  test('no cache is made of a short prompt, and none is left after five idle minutes', () => {
    expect(cachePin(null)).toBeNull()
    expect(cachePin({ target: 'b/mid', tokens: 1000, ageMs: 0 })).toBeNull()
    expect(cachePin({ target: 'b/mid', tokens: 2000, ageMs: 300_001 })).toBeNull()
  })

  test('the voice stays, whatever the time; only its open circuit moves it', () => {
    const pin = { target: 'a/slow', why: 'voice' } as const
    expect(names(preferred(list(known), { pin, slackMs: 50 }))[0]).toBe('a/slow')
    const open = { ...known, 'a/slow': { circuit: 'open' } } as const
    expect(names(preferred(list(open), { pin, slackMs: null }))).toEqual(['b/mid', 'c/fast', 'a/slow'])
  })

  test('a pin that is not in the list, or refused, holds nobody', () => {
    const pin = { target: 'd/gone', why: 'voice' } as const
    expect(names(preferred(list(known), { pin, slackMs: null }))).toEqual(['a/slow', 'b/mid', 'c/fast'])
    const refused = list(known, { ignore: ['b'] })
    const order = preferred(refused, { pin: { target: 'b/mid', why: 'cache' }, slackMs: null })
    expect(order.map((one) => one.target.id)).toEqual(['a/slow', 'c/fast', 'b/mid'])
  })
})
