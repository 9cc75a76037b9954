import { describe, expect, test } from 'vitest'
import { clocksOf } from './one-clock.ts'
import { readSources } from './sources.ts'

/** The clock and the scope themselves; and the page, which lives in a browser. */
const isExempt = (path: string) =>
  path === 'clock.ts' || path === 'cancel.ts' || path.startsWith('console/web/')

test('time is read and waited for through the one clock, signals are derived by the one scope', () => {
  const sources = readSources().filter((source) => !isExempt(source.path))
  expect(sources.flatMap(clocksOf)).toEqual([])
})

describe('the checker finds', () => {
  test.each([
    ['Date.now()', 'Date.now'],
    ['const at = new Date()', 'new Date()'],
    ['Date()', 'Date'],
    ['setTimeout(() => {}, 5)', 'setTimeout'],
    ['setInterval(() => {}, 5)', 'setInterval'],
    ['globalThis.setTimeout(() => {}, 5)', 'globalThis.setTimeout'],
    ['performance.now()', 'performance.now'],
    ["performance['now']()", 'performance.now'],
    ['const { now } = { now: Date.now }', 'Date.now'],
    ['process.hrtime.bigint()', 'process.hrtime'],
    ['AbortSignal.timeout(5)', 'AbortSignal.timeout'],
    ['AbortSignal.any([])', 'AbortSignal.any'],
    ['new AbortController()', 'new AbortController'],
    ["import { setTimeout } from 'node:timers/promises'", 'node:timers/promises'],
    ["import { performance } from 'node:perf_hooks'", 'performance'],
  ])('%s', (text, used) => {
    expect(clocksOf({ path: 'a.ts', text: `\n${text}` })).toEqual([`a.ts:2 uses ${used}`])
  })

  test.each([
    'const day = new Date(wallMs).toISOString()',
    'clock.setTimer(5, () => {})',
    "const text = 'Date.now()' // setTimeout(f, 1)",
    "import { monitorEventLoopDelay } from 'node:perf_hooks'",
    'clock.now()',
    'type T = ReturnType<typeof setTimeout>',
  ])('nothing in: %s', (text) => {
    expect(clocksOf({ path: 'a.ts', text })).toEqual([])
  })
})
