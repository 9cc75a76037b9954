/** One conversation, one observation; a variant that is surely worse is stopped, and only its users move. */
import { expect, test } from 'vitest'
import { Health } from '../../src/attempt/health.ts'
import { PipelineRouter } from '../../src/attempt/router.ts'
import { Snapshots } from '../../src/attempt/snapshots.ts'
import { traitsOf } from '../../src/attempt/traits.ts'
import { VirtualClock } from '../../src/clock.ts'
import { loadPipeline, PipelineSet } from '../../src/config/pipeline-set.ts'
import { ExperimentBook, type Exposure, type TurnFacts } from '../../src/experiment/book.ts'
import { Pricing } from '../../src/price/pricing.ts'
import type { RoutingFacts } from '../../src/route/context.ts'
import { FakeLlm } from '../support/stages.ts'

const TURN: TurnFacts = {
  firstAudioMs: 800,
  costUsd: 0.001,
  interrupted: 'no',
  outcome: 'said',
  degraded: 'no',
}
const PLAN = {
  name: 'greeting',
  variants: ['control', 'candidate'],
  guardrails: [{ metric: 'errorRate', worseBy: 0.02, minConversations: 100 }],
} as const

function talk(
  book: ExperimentBook,
  session: string,
  variant: string,
  turns: readonly Partial<TurnFacts>[],
): void {
  for (const turn of turns) {
    book.exposed(session, [{ experiment: 'greeting', variant }])
    book.turn(session, { ...TURN, ...turn })
  }
  book.closed(session)
}

function metric(book: ExperimentBook, variant: string, name: string) {
  const one = book.get('greeting')?.variants.find((v) => v.variant === variant)
  return one?.metrics.find((m) => m.metric === name)
}

test('a conversation of many turns weighs as much as one of a single turn', () => {
  const book = new ExperimentBook()
  book.load([PLAN])
  talk(book, 'a', 'control', [{ firstAudioMs: 1000 }])
  talk(book, 'b', 'control', Array(50).fill({ firstAudioMs: 500 }))
  expect(metric(book, 'control', 'firstAudioMs')).toMatchObject({ conversations: 2, mean: 750 })
  expect(book.get('greeting')?.variants[0]).toMatchObject({ role: 'control', conversations: 2, turns: 51 })
})

test('turns that nobody was exposed in, and superseded ones, are none of it; a conversation keeps its first variant', () => {
  const told: Exposure[] = []
  const book = new ExperimentBook({ onExposed: (one) => told.push(one) })
  book.load([PLAN])
  book.turn('never', TURN)
  book.closed('never')
  book.exposed('a', [{ experiment: 'greeting', variant: 'candidate' }])
  book.exposed('a', [{ experiment: 'greeting', variant: 'control' }])
  book.turn('a', { ...TURN, outcome: 'superseded' })
  book.turn('a', { ...TURN, interrupted: 'yes' })
  book.closed('a')
  book.closed('a')
  book.turn('a', TURN)
  expect(told).toEqual([{ experiment: 'greeting', variant: 'candidate' }])
  expect(metric(book, 'candidate', 'interruptionRate')).toMatchObject({ conversations: 1, mean: 1 })
  expect(book.get('greeting')?.variants).toHaveLength(1)
})

test('feedback counts once a conversation, replaces, and may come late', () => {
  const book = new ExperimentBook()
  book.load([PLAN])
  talk(book, 'a', 'control', [{}])
  expect(book.feedback('a', 'turn_1', -1)).toBe(true)
  expect(book.feedback('a', 'turn_1', 1)).toBe(true)
  expect(book.feedback('a', 'turn_2', 0)).toBe(true)
  expect(metric(book, 'control', 'feedback')).toMatchObject({ conversations: 1, mean: 0.5 })
  expect(book.feedback('unknown', 'turn_1', 1)).toBe(false)
})

test('a variant that is surely worse is stopped once; the control never is', () => {
  const stopped: unknown[] = []
  const book = new ExperimentBook({ onStopped: (one, stop) => stopped.push([one.variant, stop.metric]) })
  book.load([PLAN])
  for (let n = 0; n < 600; n++) {
    talk(book, `c${n}`, 'control', [{ outcome: n % 50 === 0 ? 'failed' : 'said' }])
    talk(book, `t${n}`, 'candidate', [{ outcome: n % 4 === 0 ? 'failed' : 'said' }])
    if (n === 90) expect(stopped).toEqual([])
  }
  expect(stopped).toEqual([['candidate', 'errorRate']])
  expect(book.isStopped({ experiment: 'greeting', variant: 'candidate' })).toBe(true)
  expect(book.isStopped({ experiment: 'greeting', variant: 'control' })).toBe(false)
  expect(metric(book, 'candidate', 'errorRate')?.difference?.sure).toBe('worse')
  expect(metric(book, 'candidate', 'firstAudioMs')?.difference?.sure).toBe('open')
})

test('what is kept is bounded, whoever calls', () => {
  const book = new ExperimentBook()
  book.load([PLAN])
  for (let n = 0; n < 12_000; n++) talk(book, `s${n}`, 'control', [{}])
  expect(book.feedback('s0', 't', 1)).toBe(false)
  expect(book.feedback('s11999', 't', 1)).toBe(true)
  for (let n = 0; n < 500; n++) book.exposed(`x${n}`, [{ experiment: `e${n}`, variant: 'v' }])
  for (let n = 0; n < 500; n++) book.closed(`x${n}`)
  expect(book.read().length).toBeLessThanOrEqual(201)
})

const PIPELINE = `
name: p
default: true
llm:
  routes:
    - name: test
      experiment: greeting
      sticky: session.user
      guardrails: [{ metric: errorRate, worseBy: 0.02 }]
      variants:
        - { id: control, weight: 50, use: [a/control] }
        - { id: candidate, weight: 30, use: [a/candidate] }
        - { id: third, weight: 20, use: [a/third] }
`

function loaded() {
  const { loaded: one, problems } = loadPipeline(PIPELINE, 'p.yaml')
  if (!one) throw new Error(JSON.stringify(problems))
  return one.pipeline
}

function routing(experiments?: ExperimentBook) {
  const pipeline = loaded()
  const providers = new Map([['a', { name: 'a', llm: () => new FakeLlm(), close: async () => {} }]])
  const clock = new VirtualClock()
  const health = new Health({ clock, traits: traitsOf(providers, new Pricing()) })
  const router = new PipelineRouter(pipeline, providers, health, experiments ? { experiments } : {})
  const facts = (user: string) => (): RoutingFacts =>
    ({
      key: null,
      metadata: {},
      minted: {},
      session: { id: 's', wire: 'test', language: null, turns: 1, durationMs: 0, user },
      turn: null,
      request: null,
      inputTokens: () => 0,
      health: () => undefined,
      budget: { turnMs: 1500, remainingMs: 1500 },
      wallMs: 0,
    }) as unknown as RoutingFacts
  return (user: string, exposed = new Map<string, string>()) =>
    router.lineup(facts(user), { voice: null, exposed }).exposure?.('llm')?.variant
}

test('who had the stopped variant is dealt among the others; nobody else moves, and who talks already keeps it', () => {
  const book = new ExperimentBook()
  const snapshots = new Snapshots(new Map(), new Health({ clock: new VirtualClock() }), { experiments: book })
  const pipeline = loaded()
  snapshots.load(new PipelineSet(new Map([['p', pipeline]]), pipeline, [], []))
  const [before, after] = [routing(), routing(book)]
  for (let n = 0; n < 400; n++) {
    talk(book, `c${n}`, 'control', [{}])
    talk(book, `t${n}`, 'candidate', [{ outcome: n % 3 === 0 ? 'failed' : 'said' }])
  }
  const moved = new Map<string, number>()
  for (let n = 0; n < 3000; n++) {
    const [was, is] = [before(`user ${n}`), after(`user ${n}`)]
    if (was !== 'candidate') expect(is).toBe(was)
    else moved.set(is ?? '', (moved.get(is ?? '') ?? 0) + 1)
    expect(after(`user ${n}`, new Map([['greeting', was ?? '']]))).toBe(was)
  }
  expect([...moved.keys()].sort()).toEqual(['control', 'third'])
  // 50 to 20, as the weights that are left.
  expect((moved.get('control') ?? 0) / (moved.get('third') ?? 1)).toBeGreaterThan(2)
})
