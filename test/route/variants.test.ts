import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hashText, percentOf, unit } from '../../src/route/hash.ts'
import { stickyKey } from '../../src/route/sticky.ts'
import { drawOf, sharesOf } from '../../src/route/variants.ts'
import { FACTS } from './facts.ts'

const variants = (weights: Readonly<Record<string, number>>) =>
  Object.entries(weights).map(([id, weight]) => ({ id, weight }))

describe('a million users', () => {
  const USERS = 1_000_000
  const before = drawOf('greeting', variants({ control: 90, candidate: 10 }))
  const elsewhere = drawOf('greeting', variants({ control: 90, candidate: 10 }))
  const after = drawOf('greeting', variants({ control: 80, candidate: 20 }))

  test('have the same variant on every instance; 10 → 20 moves 10 % and nobody else', () => {
    let candidates = 0
    let moved = 0
    let movedBack = 0
    let differ = 0
    for (let i = 0; i < USERS; i++) {
      const user = `user-${i}`
      const was = before.pick(user)
      const is = after.pick(user)
      if (elsewhere.pick(user) !== was) differ++
      candidates += was
      if (was === 0 && is === 1) moved++
      if (was === 1 && is === 0) movedBack++
    }
    expect({ differ, movedBack }).toEqual({ differ: 0, movedBack: 0 })
    // Five standard deviations of a fair draw are 0.15 %.
    expect(Math.abs(candidates / USERS - 0.1)).toBeLessThan(0.0015)
    expect(Math.abs(moved / USERS - 0.1)).toBeLessThan(0.0015)
  })
})

describe('assignment', () => {
  test('never changes: these were drawn once', () => {
    const draw = drawOf('greeting', variants({ a: 1, b: 1, c: 1 }))
    const drawn = ['anna', 'bert', 'cleo', 'Dörte', '+4315551234', ''].map((user) => draw.pick(user))
    expect(drawn).toEqual([2, 1, 1, 1, 0, 0])
    expect([percentOf('anna', 'rollout'), percentOf('bert', 'rollout')]).toEqual([61.4834, 63.8411])
  })

  test('a user moves only towards a variant whose weight rose against their own’s', () => {
    const weights = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 4, maxLength: 4 })
    fc.assert(
      fc.property(
        weights,
        weights,
        fc.array(fc.string(), { minLength: 50, maxLength: 50 }),
        (old, now, users) => {
          const name = (w: readonly number[]) => w.map((weight, i) => ({ id: `v${i}`, weight }))
          const [before, after] = [drawOf('x', name(old)), drawOf('x', name(now))]
          for (const user of users) {
            const [from, to] = [before.pick(user), after.pick(user)]
            if (from < 0 || to < 0 || from === to) continue
            expect(now[to]! * old[from]!).toBeGreaterThanOrEqual(old[to]! * now[from]!)
          }
        },
      ),
      { numRuns: 200 },
    )
  })

  test('a new variant takes only what it gets, from everybody in proportion', () => {
    const before = drawOf('x', variants({ a: 50, b: 50 }))
    const after = drawOf('x', variants({ a: 40, b: 40, c: 20 }))
    const taken = [0, 0]
    for (let i = 0; i < 20_000; i++) {
      const [from, to] = [before.pick(`u${i}`), after.pick(`u${i}`)]
      if (from !== to) {
        expect(to).toBe(2)
        taken[from]!++
      }
    }
    expect(taken[0]! / 20_000).toBeCloseTo(0.1, 1)
    expect(taken[1]! / 20_000).toBeCloseTo(0.1, 1)
  })

  test('one experiment says nothing of the next', () => {
    const one = drawOf('one', variants({ a: 50, b: 50 }))
    const two = drawOf('two', variants({ a: 50, b: 50 }))
    const both = Array.from({ length: 10_000 }, (_, i) => one.pick(`u${i}`) + two.pick(`u${i}`))
    expect(both.filter((n) => n === 2).length / 10_000).toBeCloseTo(0.25, 1)
  })

  test('weight 0 gets nobody; all 0 gives none', () => {
    const draw = drawOf('x', variants({ a: 0, b: 1 }))
    expect(new Set(Array.from({ length: 1000 }, (_, i) => draw.pick(`u${i}`)))).toEqual(new Set([1]))
    expect(drawOf('x', variants({ a: 0 })).pick('anna')).toBe(-1)
    expect(draw.order('anna')).toEqual([1])
  })

  test('numbers are spread evenly, whatever the keys look like', () => {
    const salt = hashText('salt')
    for (const key of [
      (i: number) => String(i),
      (i: number) => `+4366${i * 7}`,
      (i: number) => 'x'.repeat(i % 500) + i,
    ]) {
      const bins = new Array<number>(20).fill(0)
      for (let i = 0; i < 20_000; i++) bins[Math.floor(unit(hashText(key(i)), salt) * 20)]!++
      // Chi squared with 19 degrees of freedom passes 50 once in 7,000 fair draws.
      const chi = bins.reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0)
      expect(chi).toBeLessThan(50)
    }
  })

  test('weights that are no percentages are told', () => {
    expect(sharesOf(variants({ a: 90, b: 10 }))).toEqual({ shares: [0.9, 0.1], note: null })
    expect(sharesOf(variants({ a: 2, b: 1 })).note).toBe(
      'the weights sum to 3, not 100: taken as a 66.67 %, b 33.33 %',
    )
  })
})

describe('what an assignment sticks to', () => {
  test.each([
    ['session.user', 'anna', 'session.user'],
    ['session.id', 'sess_1', 'session.id'],
    ['key.id', 'web', 'key.id'],
    ['key.tier', 'premium', 'key.tier'],
    ['metadata.account', 'acc_1', 'metadata.account'],
    ['metadata.seats', '3', 'metadata.seats'],
    ['metadata.deep.a.b', '1', 'metadata.deep.a.b'],
    ['metadata.nothing', 'sess_1', 'session.id'],
    ['metadata.deep', 'sess_1', 'session.id'],
    ['metadata.constructor', 'sess_1', 'session.id'],
    [null, 'anna', 'session.user'],
  ])('%s', (path, key, by) => {
    expect(stickyKey(path, FACTS)).toEqual({ key, by })
  })
})
