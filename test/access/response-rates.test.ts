import { expect, test } from 'vitest'
import { ResponseRates } from '../../src/access/response-rates.ts'
import { VirtualClock } from '../../src/clock.ts'

test('a key begins as many as it may, and one more with each part of the minute', async () => {
  const clock = new VirtualClock()
  const rates = new ResponseRates(clock, {
    limits: { responsesPerMinute: 3 },
    keys: [
      { id: 'busy', responsesPerMinute: 100 },
      { id: 'plain', responsesPerMinute: null },
    ],
  })
  expect(rates.allowance('web')).toEqual({ limit: 3, remaining: 3, resetMs: 0 })
  expect([1, 2, 3, 4].map(() => rates.take('web'))).toEqual([true, true, true, false])
  expect(rates.allowance('web')).toEqual({ limit: 3, remaining: 0, resetMs: 60_000 })
  expect(rates.take('other')).toBe(true)
  expect(rates.allowance('plain')?.limit).toBe(3)
  expect(rates.allowance('busy'), 'its own').toEqual({ limit: 100, remaining: 100, resetMs: 0 })
  await clock.advance(20_000)
  expect(rates.allowance('web')).toEqual({ limit: 3, remaining: 1, resetMs: 40_000 })
  expect([rates.take('web'), rates.take('web')]).toEqual([true, false])
})

test('without a limit there is nothing to tell', () => {
  const rates = new ResponseRates(new VirtualClock(), { limits: { responsesPerMinute: null }, keys: [] })
  for (let n = 0; n < 1_000; n++) expect(rates.take(null)).toBe(true)
  expect(rates.allowance(null)).toBeNull()
})
