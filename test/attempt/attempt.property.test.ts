import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HedgeShare } from '../../src/attempt/hedge-share.ts'
import { listenersOf } from '../../src/cancel.ts'
import { type Call, type Fake, opener, type Reader, type Step, World } from './targets.ts'

/** Every item says which call it is from and where it stands in it: `b#3:0`; keep-alives begin with `~`. */
const isUseful = (item: string) => !item.startsWith('~')

const say = (afterMs: fc.Arbitrary<number>) => afterMs.map((ms): Step => ({ say: 'word', afterMs: ms }))
const soon = fc.integer({ min: 0, max: 120 })
const words = fc.array(say(soon), { minLength: 1, maxLength: 4 })
const keepAlives = fc.array(
  soon.map((ms): Step => ({ say: '~', afterMs: ms })),
  { maxLength: 5 },
)
const refusal = fc.oneof(
  fc
    .constantFrom('auth', 'quota', 'bad_request', 'transient', 'expired', 'cancelled', 'malformed')
    .chain((fail) => soon.map((afterMs): Step => ({ fail: fail as 'auth' | 'malformed', afterMs }))),
  fc.record({ fail: fc.constant('rate' as const), retryAfterMs: fc.integer({ min: 0, max: 4000 }) }),
  fc.record({
    fail: fc.constant('bad_request' as const),
    declined: fc.constantFrom('context_overflow', 'content_refusal'),
  }) as fc.Arbitrary<Step>,
)
const hang = fc.constant<Step>({ hang: true })
const joined = (...parts: fc.Arbitrary<readonly Step[]>[]) =>
  fc.tuple(...parts).map((lists) => lists.flat() as readonly Step[])
const list = (step: fc.Arbitrary<Step>) => step.map((one) => [one])

/** Refuse or rate-limit; silence; keep-alives only; slow first; drip; stall; drop; malformed; late after cancel. */
const script = fc.oneof(
  { weight: 4, arbitrary: joined(keepAlives, words) },
  list(refusal),
  list(hang),
  keepAlives,
  joined(list(say(fc.integer({ min: 200, max: 4000 }))), words),
  joined(words, list(say(fc.integer({ min: 1000, max: 2500 }))), words),
  joined(words, keepAlives, list(hang)),
  joined(words, list(refusal)),
  joined(words, list(fc.integer({ min: 1, max: 9000 }).map((afterMs): Step => ({ deaf: 'word', afterMs })))),
  list(fc.integer({ min: 1, max: 9000 }).map((afterMs): Step => ({ deaf: 'word', afterMs }))),
)

const targets = fc
  .array(script, { minLength: 1, maxLength: 4 })
  .map((scripts) =>
    scripts.map((one, i): Fake => ({ provider: 'abcd'[i] as string, model: 'm', script: one })),
  )

const turn = fc.record({
  targets,
  startMs: fc.integer({ min: 0, max: 20_000 }),
  hedgeAfterMs: fc.option(fc.integer({ min: 0, max: 600 })),
  slackMs: fc.option(fc.integer({ min: -500, max: 2500 })),
  endMs: fc.option(fc.integer({ min: 1, max: 8000 })),
  insteadOf: fc.option(targets),
  leave: fc.option(
    fc.record({ how: fc.constantFrom('cancel', 'return'), afterMs: fc.integer({ min: 0, max: 3000 }) }),
  ),
})

interface Told {
  readonly reader: Reader
  readonly calls: readonly Call[]
  readonly scripts: ReadonlyMap<string, readonly Step[]>
}

test('one target from its start, or one error that names all attempts; circuits and counts add up', async () => {
  const tally = { end: 0, broken: 0, failed: 0, left: 0, hedged: 0 }
  await fc.assert(
    fc.asyncProperty(
      fc.array(turn, { minLength: 1, maxLength: 8 }),
      fc.constantFrom(0.1, 0.5, 1),
      async (turns, maxShare) => {
        const world = new World()
        const { clock, session } = world
        const share = new HedgeShare(maxShare)
        const all: Call[] = []
        let number = 0
        const runs: Told[] = []
        for (const { targets, startMs, hedgeAfterMs, slackMs, endMs, insteadOf, leave } of turns) {
          const calls: Call[] = []
          const scripts = new Map<string, readonly Step[]>()
          clock.setTimer(startMs, () => {
            const beginsAt = clock.now()
            const reader = world.start(targets, {
              isUseful,
              isProgress: isUseful,
              insteadOf: insteadOf ? { context_overflow: insteadOf, content_refusal: insteadOf } : {},
              hedge: hedgeAfterMs === null ? null : { after: { ms: hedgeAfterMs }, share },
              ...(slackMs !== null && {
                budget: {
                  slackMs: () => slackMs - (clock.now() - beginsAt),
                  ...(endMs !== null && { endAt: beginsAt + endMs }),
                },
              }),
              open: (target, { signal }) => {
                const name = `${target.provider}#${number++}`
                let index = 0
                const tagged = target.script.map((step): Step => {
                  if ('say' in step)
                    return { ...step, say: step.say === '~' ? `~${name}` : `${name}:${index++}` }
                  return 'deaf' in step ? { ...step, deaf: `${name}:${index++}` } : step
                })
                scripts.set(name, tagged)
                const stream = opener(clock, calls)({ ...target, script: tagged }, { signal })
                all.push(calls.at(-1) as Call)
                return stream
              },
            })
            runs.push({ reader, calls, scripts })
            if (leave?.how === 'return') clock.setTimer(leave.afterMs, () => void reader.run.return())
          })
        }
        const cancel = turns.find(({ leave }) => leave?.how === 'cancel')?.leave
        // One signal for all turns: a hang-up, late enough to hit some of them.
        if (cancel) clock.setTimer(10_000 + cancel.afterMs, () => session.cancel('hangup'))
        await clock.advance(200_000)

        for (const run of runs) {
          judge(run)
          const { outcome, run: attempts } = run.reader
          if (outcome === 'end') tally.end++
          else if (!(outcome instanceof Error) || outcome.name === 'Cancelled') tally.left++
          else if (run.reader.failed.brokenAfterUseful) tally.broken++
          else tally.failed++
          if (attempts.attempts.some(({ reason }) => reason === 'hedge')) tally.hedged++
        }
        expect(clock.pendingTimers).toBe(0)
        expect(world.inFlight).toBe(0)
        expect(listenersOf(session.signal)).toBe(0)
        sums(world, all)
        const { calls, hedges } = share.read()
        expect(hedges).toBeLessThanOrEqual(calls * maxShare + 1e-6)
      },
    ),
    { numRuns: 400 },
  )
  // Every way to end was among them, or nothing was tested.
  for (const count of Object.values(tally)) expect(count).toBeGreaterThan(20)
}, 120_000)

/** What a reader may have got. */
function judge({ reader, calls, scripts }: Told): void {
  const { outcome, run } = reader
  const useful = reader.got.filter(isUseful)
  expect(outcome).not.toBe('running')
  expect(run.attempts.some((one) => one.outcome === 'running')).toBe(false)
  const from = new Set(reader.got.map((item) => item.replace(/^~|:.*$/g, '')))
  expect(from.size).toBeLessThanOrEqual(1)
  const [name] = [...from]
  const script = scripts.get(name ?? '') ?? []
  const items = script.flatMap((step) => ('say' in step ? [step.say] : 'deaf' in step ? [step.deaf] : []))
  expect(reader.got).toEqual(items.slice(0, reader.got.length))
  if (useful.length > 0) expect(run.chosen?.provider).toBe(name?.[0])
  if (outcome === 'end' && calls.every(({ abortedAt }) => abortedAt === null)) {
    // To its very end, unless the reader left.
    expect(reader.got).toHaveLength(items.length)
    expect(script.some((step) => 'fail' in step || 'hang' in step)).toBe(false)
  }
  if (!(outcome instanceof Error) || outcome.name === 'Cancelled') return
  const { failed } = reader
  expect(failed.attempts).toBe(run.attempts)
  if (!failed.brokenAfterUseful) {
    for (const { candidate } of failed.attempts) expect(failed.message).toContain(`${candidate.provider}/m`)
  }
  if (failed.brokenAfterUseful) {
    expect(useful.length).toBeGreaterThan(0)
    expect(failed.brokenAfterUseful.candidate.provider).toBe(name?.[0])
  } else expect(reader.got).toEqual([])
}

/** Log, health and upstream calls tell one story. */
function sums(world: World, calls: readonly Call[]): void {
  const { rows } = world.log
  const places = [...world.health.read()]
  const total = (pick: (one: (typeof places)[number]) => number) =>
    places.reduce((sum, one) => sum + pick(one), 0)
  const failures = total(({ failed }) => Object.values(failed).reduce((sum, n) => sum + n, 0))
  expect(rows.filter(({ status }) => status === 'running')).toEqual([])
  expect(total(({ started }) => started)).toBe(rows.length)
  expect(total(({ ok }) => ok)).toBe(rows.filter(({ status }) => status === 'ok').length)
  expect(total(({ cut }) => cut)).toBe(rows.filter(({ status }) => status === 'cancelled').length)
  expect(failures).toBe(rows.filter(({ status }) => status.startsWith('failed')).length)
  expect(calls.length).toBeLessThanOrEqual(rows.length)
  // What still ran upstream when we were through with it was told to end.
  for (const call of calls) expect(call.closed).toBe(true)
  // Whose credentials were refused is never asked again.
  for (const refused of rows.filter(({ status }) => status === 'failed auth')) {
    const later = rows.filter(
      ({ target, startAt }) => target === refused.target && startAt > (refused.endAt ?? 0),
    )
    expect(later).toEqual([])
  }
}
