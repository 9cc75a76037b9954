import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { verdict, waterfall } from '../../src/command/talk/waterfall.ts'
import { makePaint } from '../../src/command/terminal.ts'
import type { AttemptRecord, TurnRecord } from '../../src/trace/record.ts'

const plain = makePaint('plain')

function attempt(facts: Partial<AttemptRecord>): AttemptRecord {
  return {
    stage: 'llm',
    provider: 'local',
    model: 'scripted',
    status: 'ok',
    startMs: 0,
    firstOutputMs: null,
    endMs: null,
    kind: null,
    hedge: false,
    reason: 'first',
    costUsd: null,
    ...facts,
  }
}

function turn(facts: Partial<TurnRecord> = {}): TurnRecord {
  return {
    id: 'turn_1',
    sessionId: 'sess_1',
    keyId: null,
    wire: 'realtime',
    pipeline: 'default',
    startedAt: '2026-11-23T00:00:00.000Z',
    revision: 1,
    responseIds: ['resp_1'],
    experiments: [],
    route: {},
    marks: { committed: 500, firstAudioSent: 700 },
    endedBy: 'silence',
    language: null,
    attempts: [
      attempt({ stage: 'stt', model: 'moonshine-tiny', startMs: 100, firstOutputMs: 300, endMs: 300 }),
      attempt({ startMs: 500, firstOutputMs: 550, endMs: 600 }),
      attempt({ stage: 'tts', model: 'flite', startMs: 600, firstOutputMs: 690, endMs: 1400 }),
    ],
    budget: { turnMs: 1000, actualMs: 700, brokenBy: null, degraded: [] },
    heard: null,
    text: { user: null, said: null },
    underruns: 0,
    costUsd: null,
    outcome: 'said',
    ...facts,
  }
}

test('a turn within its budget, as a picture', () => {
  const lines = waterfall(turn(), { columns: 100, paint: plain })
  expect(`\n${lines.join('\n')}\n`).toMatchInlineSnapshot(`
    "
      silence, end of turn      ███████████████████████                       ┊     500 ms
      stt local/moonshine-tiny      ░░░░░░░░░                                 ┊     100 → 300 ms
      llm local/scripted                               ░░██                   ┊     500 → 600 ms
      tts local/flite                                      ░░░░██████████████████›  600 → 1,400 ms
      first audio                                               ◆             ┊     700 ms
                                0 ms     200 ms   400 ms   600 ms    800 ms   1,000 ms
    "
  `)
})

test('waiting and giving look different, and the first audio stands where it belongs', () => {
  const [, stt, llm, tts, first] = waterfall(turn(), { columns: 100, paint: plain }).map((line) =>
    line.slice(28),
  )
  expect(stt).toMatch(/^ +░+ *┊/)
  expect(llm).toMatch(/░+█+/)
  expect(tts).toMatch(/░+█+›/)
  expect(first?.indexOf('◆')).toBeGreaterThan(llm?.lastIndexOf('█') ?? 0)
})

test('a failed attempt and its fallback say so', () => {
  const record = turn({
    attempts: [
      attempt({ status: 'failed', kind: 'timeout', startMs: 0, endMs: 400 }),
      attempt({
        provider: 'openai',
        model: 'gpt-x',
        reason: 'fallback',
        startMs: 400,
        firstOutputMs: 500,
        endMs: 600,
      }),
    ],
  })
  const text = waterfall(record, { columns: 100, paint: plain }).join('\n')
  expect(text).toContain('(failed: timeout)')
  expect(text).toContain('(fallback)')
})

test('speculation that began before the end of speech is drawn from the edge', () => {
  const record = turn({ attempts: [attempt({ startMs: -2_000, firstOutputMs: 100, endMs: 200 })] })
  expect(waterfall(record, { columns: 100, paint: plain })[1]).toContain('‹░')
})

test('a guess on words that changed is told from the answer that was spoken', () => {
  const guess = { reason: 'revision 1', startMs: 230, firstOutputMs: 340, endMs: 400 }
  const record = (firstToken: number) =>
    turn({
      marks: { committed: 500, llmFirstToken: firstToken, firstAudioSent: 700 },
      attempts: [
        attempt(guess),
        attempt({ reason: 'revision 1', startMs: 510, firstOutputMs: 560, endMs: 600 }),
      ],
    })
  const [, dropped, spoken] = waterfall(record(560), { columns: 100, paint: plain })
  expect(dropped).toContain('(begun early, dropped)')
  expect(spoken).toMatch(/510 → 600 ms$/)
  expect(waterfall(record(340.5), { columns: 100, paint: plain })[1]).toContain('(begun early)')
})

describe('the verdict', () => {
  test('within the budget tells what was to spare', () => {
    expect(verdict(turn(), plain)).toBe(
      'First audio 700 ms after the end of speech; the budget is 1,000 ms: 300 ms to spare.',
    )
  })

  test('over the budget names the stage and the help', () => {
    const budget = { turnMs: 1000, actualMs: 1500, brokenBy: 'llm', degraded: ['filler'] } as const
    expect(verdict(turn({ budget }), plain)).toBe(
      'First audio 1,500 ms after the end of speech; the budget is 1,000 ms: 500 ms over, broken by llm. Helped by: filler.',
    )
  })

  test('a turn that was never heard has no figure', () => {
    const budget = { turnMs: 1000, actualMs: null, brokenBy: null, degraded: [] }
    expect(verdict(turn({ budget }), plain)).toContain('No audio was sent')
  })
})

test('any record at all is drawn with every chart in one width', () => {
  const ms = fc.double({ min: -60_000, max: 600_000, noNaN: true })
  const maybe = fc.option(ms, { nil: null })
  const someAttempt = fc.record({
    stage: fc.constantFrom('stt' as const, 'llm' as const, 'tts' as const),
    status: fc.constantFrom('running' as const, 'ok' as const, 'failed' as const, 'cancelled' as const),
    startMs: ms,
    firstOutputMs: maybe,
    endMs: maybe,
    model: fc.string({ maxLength: 60 }),
  })
  fc.assert(
    fc.property(
      fc.array(someAttempt, { maxLength: 5 }),
      maybe,
      fc.nat(60_000),
      ms,
      (attempts, actualMs, turnMs, at) => {
        const record = turn({
          attempts: attempts.map(attempt),
          marks: { committed: at, firstAudioSent: at, interrupted: at },
          budget: { turnMs, actualMs, brokenBy: null, degraded: [] },
        })
        const lines = waterfall(record, { columns: 100, paint: plain })
        // Two spaces, the label, the chart, two spaces, then the figures.
        for (const line of lines.slice(0, -1)) expect(line.slice(78, 80)).toBe('  ')
        expect(lines.at(-1)?.length).toBeLessThanOrEqual(110)
      },
    ),
  )
})
