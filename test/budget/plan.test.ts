import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AttainmentBook } from '../../src/budget/attainment.ts'
import { expectedInMs, planOf, remainingMs, slackMs } from '../../src/budget/plan.ts'
import { windowMs } from '../../src/budget/window.ts'

const STAGES = [
  { stage: 'stt', p50Ms: 100 },
  { stage: 'llm', p50Ms: 400 },
  { stage: 'tts', p50Ms: 200 },
] as const

/** The caller stopped speaking at 10,000 on the clock. */
const plan = planOf({ turnMs: 1500, zeroAt: 10_000, endpointMs: 500, stages: STAGES })

describe('the plan', () => {
  test('has one absolute deadline, and a latest moment for each stage', () => {
    expect(plan).toMatchObject({ deadlineAt: 11_500, expectedMs: 1200, spareMs: 300 })
    expect(plan.stages.map(({ startMs, endMs, latestMs }) => [startMs, endMs, latestMs])).toEqual([
      [500, 600, 900],
      [600, 1000, 1300],
      [1000, 1200, 1500],
    ])
  })

  test('slack is the deadline less now less the medians of the later stages', () => {
    expect(slackMs(plan, 'stt', 10_500)).toBe(11_500 - 10_500 - 600)
    expect(slackMs(plan, 'llm', 10_600)).toBe(11_500 - 10_600 - 200)
    expect(slackMs(plan, 'tts', 11_000)).toBe(500)
    expect(remainingMs(plan, 11_000)).toBe(500)
  })

  test('what a stage saves the next may use, what it wastes the next has not', () => {
    expect(slackMs(plan, 'llm', 10_510)).toBe(790)
    expect(slackMs(plan, 'llm', 11_400)).toBe(-100)
  })

  test('the shares of the parts sum to the budget', () => {
    const ms = fc.integer({ min: 0, max: 4000 })
    fc.assert(
      fc.property(ms, ms, fc.array(ms, { minLength: 3, maxLength: 3 }), (turnMs, endpointMs, medians) => {
        const { shares } = planOf({
          turnMs,
          zeroAt: 0,
          endpointMs,
          stages: STAGES.map(({ stage }, i) => ({ stage, p50Ms: medians[i]! })),
        })
        const { endpoint, stt, llm, tts } = shares
        expect(endpoint + stt + llm + tts).toBeCloseTo(turnMs)
        expect(Math.min(endpoint, stt, llm, tts)).toBeGreaterThanOrEqual(0)
      }),
    )
  })

  test('the first audio is expected after this stage and the later ones; overdue, at any moment', () => {
    expect(expectedInMs(plan, 'llm', 10_600, 10_700)).toBe(500)
    expect(expectedInMs(plan, 'tts', 11_000, 11_150)).toBe(50)
    expect(expectedInMs(plan, 'llm', 10_600, 11_100)).toBe(0)
  })
})

describe('how long one attempt may wait', () => {
  const facts = { slackMs: 1000, p50Ms: 300, p95Ms: 700, nextP50Ms: 200 }

  test('as long as leaves the next one its median', () => {
    expect(windowMs(facts)).toBe(800)
  })

  test('no longer than twice its p95, however roomy the budget', () => {
    expect(windowMs({ ...facts, slackMs: 10_000 })).toBe(1400)
  })

  test('never less than its own median and a half, nor than a connection takes', () => {
    expect(windowMs({ ...facts, slackMs: 100 })).toBe(450)
    expect(windowMs({ ...facts, slackMs: -500, p50Ms: 20, p95Ms: 50 })).toBe(300)
  })

  test('the last one is waited for beyond the budget, but not for ever', () => {
    expect(windowMs({ ...facts, nextP50Ms: null })).toBe(6000)
    expect(windowMs({ ...facts, slackMs: -500, nextP50Ms: null })).toBe(4500)
    expect(windowMs({ ...facts, slackMs: -9000, nextP50Ms: null })).toBe(450)
    expect(windowMs({ ...facts, nextP50Ms: null, patienceMs: 15_000 })).toBe(15_000)
  })

  test('a window that ran out is doubled the next time, to tell a slow target from a silent one', () => {
    const windows = [0, 1, 2, 3].map((timeouts) => windowMs({ ...facts, timeouts }))
    expect(windows).toEqual([800, 1600, 3000, 3000])
  })
})

describe('attainment', () => {
  test('counts kept and broken turns by route, and those that owed nothing not at all', () => {
    const book = new AttainmentBook()
    book.add({ route: 'any', actualMs: 900, brokenBy: null })
    book.add({ route: 'any', actualMs: 2900, brokenBy: 'llm' })
    book.add({ route: 'any', actualMs: null, brokenBy: 'stt' })
    book.add({ route: 'any', actualMs: null, brokenBy: null })
    expect(book.read().get('any')).toEqual({
      turns: 3,
      kept: 1,
      brokenBy: { endpoint: 0, stt: 1, llm: 1, tts: 0 },
    })
  })
})
