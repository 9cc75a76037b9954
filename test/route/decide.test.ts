import { describe, expect, test } from 'vitest'
import { planOf } from '../../src/budget/plan.ts'
import type { Route as PipelineRoute } from '../../src/config/pipeline.ts'
import { type Target as PipelineTarget, parseTarget } from '../../src/config/target.ts'
import { RoutingContext, type RoutingFacts } from '../../src/route/context.ts'
import { RuleCounts } from '../../src/route/counts.ts'
import { decide, usable } from '../../src/route/decide.ts'
import { explain } from '../../src/route/explain.ts'
import { render } from '../../src/route/render.ts'
import { compileRoutes } from '../../src/route/routes.ts'
import { FACTS, type Known, targetFacts } from './facts.ts'

const list = (...ids: string[]) => ({
  type: 'list' as const,
  targets: ids.map((id) => parseTarget(id)!),
  sort: [],
})

/** Typed as the pipeline's own: the shapes of `route/` must fit them. */
const ROUTES: readonly PipelineRoute[] = [
  { name: 'phone', when: 'session.wire == "twilio" && key.tier == "premium"', use: list('a/x'), hedge: null },
  { name: 'vip', when: 'metadata.vip == true', use: list('a/x'), hedge: null },
  {
    name: 'test',
    when: 'key.tier == "premium"',
    use: {
      type: 'experiment',
      experiment: 'greeting',
      sticky: 'session.user',
      variants: [
        { id: 'control', weight: 90, use: list('openai/gpt-4o-mini', 'local/smollm2') },
        { id: 'candidate', weight: 10, use: list('openai/gpt-4o', 'local/smollm2') },
      ],
    },
    hedge: null,
  },
  { name: 'any', when: null, use: list('local/smollm2'), hedge: null },
]

function compiled(routes: readonly PipelineRoute[] = ROUTES) {
  const { compiled, problems } = compileRoutes(routes, { stage: 'llm', targets: null })
  if (!compiled) throw new Error(problems.map(({ message }) => message).join())
  return compiled
}

function decided(facts: Partial<RoutingFacts> = {}, known: Readonly<Record<string, Known>> = {}) {
  const context = new RoutingContext({ ...FACTS, ...facts })
  const decision = decide(compiled(), {
    context,
    factsOf: (target: PipelineTarget) => targetFacts(known[target.id]),
    needs: { language: 'en', capabilities: ['tools'] },
    preference: { pin: null, slackMs: null },
  })
  return { context, decision }
}

describe('a decision', () => {
  test('takes the first route that holds, and its variant by the user', () => {
    const { decision } = decided()
    expect(decision.route?.name).toBe('test')
    expect(decision.assignment).toEqual({
      experiment: 'greeting',
      variant: 'control',
      share: 0.9,
      by: 'session.user',
      passedOver: [],
    })
    expect(usable(decision).map(({ model }) => model)).toEqual(['gpt-4o-mini', 'smollm2'])
  })

  test('gives every user the same variant at every turn, and some the other one', () => {
    const seen = new Set<string>()
    for (let i = 0; i < 60; i++) {
      const session = { ...FACTS.session, user: `user-${i}` }
      const [first, later] = [session, { ...session, id: 'sess_2', turns: 9 }].map(
        (one) => decided({ session: one }).decision.assignment?.variant,
      )
      expect(first).toBe(later)
      seen.add(first!)
    }
    expect(seen).toEqual(new Set(['control', 'candidate']))
  })

  test('falls to the route without a condition', () => {
    const { decision } = decided({ key: null })
    expect(decision.route?.name).toBe('any')
    expect(decision.assignment).toBeNull()
  })

  test('without any route that holds there is nobody to ask', () => {
    const only = compileRoutes([ROUTES[0]!], { stage: 'llm', targets: null }).compiled!
    const decision = decide(only, {
      context: new RoutingContext(FACTS),
      factsOf: () => targetFacts(),
      needs: { language: null, capabilities: [] },
      preference: { pin: null, slackMs: null },
    })
    expect(decision).toMatchObject({ route: null, candidates: [], trials: [false] })
    expect(render(explain(decision, new RoutingContext(FACTS), null))).toContain('no route')
  })

  test('rules that cannot be judged are counted by kind', () => {
    const counts = new RuleCounts()
    counts.add(decided().decision)
    counts.add(decided({ metadata: { vip: 'yes' } }).decision)
    counts.add(decided({ metadata: { vip: true } }).decision)
    expect(counts.read().get('llm/vip')).toEqual({
      matched: 1,
      passed: 1,
      failed: { missing: 1, type: 0, value: 0 },
    })
    expect(counts.read().get('llm/test')).toMatchObject({ matched: 2 })
    expect(counts.read().has('llm/any')).toBe(false)
  })
})

describe('compiling routes', () => {
  test('says where in the list and where in the condition', () => {
    const { compiled: none, problems } = compileRoutes(
      [
        { ...ROUTES[0]!, when: 'key.tier = "x"' },
        { ...ROUTES[1]!, when: 'metadata.a && turn.txt == ""' },
        ROUTES[3]!,
      ],
      { stage: 'llm', targets: null },
    )
    expect(none).toBeNull()
    expect(problems).toEqual([
      { severity: 'error', path: [0, 'when'], offset: 9, message: 'one = is no comparison: write ==' },
      {
        severity: 'error',
        path: [1, 'when'],
        offset: 18,
        message: 'turn.txt is not known; did you mean text?',
      },
    ])
  })

  test('warns of routes never reached and of weights that are no percentages', () => {
    const odd = structuredClone(ROUTES[2]!) as { use: { variants: { weight: number }[] } } & PipelineRoute
    odd.use.variants[0]!.weight = 30
    const { compiled: fine, problems } = compileRoutes([{ ...ROUTES[1]!, when: null }, odd, ROUTES[3]!], {
      stage: 'llm',
      targets: null,
    })
    expect(fine).not.toBeNull()
    expect(problems.map(({ severity, path, message }) => `${severity} ${path.join('.')} ${message}`)).toEqual(
      [
        'warning 0 vip has no condition, so the routes after it are never taken',
        'warning 1.variants the weights sum to 40, not 100: taken as control 75 %, candidate 25 %',
      ],
    )
  })
})

describe('explain', () => {
  const plan = planOf({
    turnMs: 1500,
    zeroAt: 0,
    endpointMs: 500,
    stages: [
      { stage: 'stt', p50Ms: 120 },
      { stage: 'llm', p50Ms: 400 },
      { stage: 'tts', p50Ms: 150 },
    ],
  })
  const { decision, context } = decided(
    {},
    { 'openai/gpt-4o-mini': { circuit: 'open' }, 'local/smollm2': { p50Ms: 80 } },
  )
  const told = explain(decision, context, plan)

  test('tells every rule with its outcome and why, every candidate with its figures, the plan', () => {
    expect(told.rules.map(({ route, outcome, reason }) => [route, outcome, reason])).toEqual([
      ['phone', 'no', 'session.wire == "twilio" is false'],
      ['vip', 'failed', 'metadata.vip is missing'],
      ['test', 'taken', 'key.tier == "premium" is true'],
      ['any', 'not tried', 'an earlier route was taken'],
    ])
    expect(
      told.candidates.map(({ target, place, circuit, p50Ms, reasons }) => [
        target,
        place,
        circuit,
        p50Ms,
        reasons,
      ]),
    ).toEqual([
      ['local/smollm2', 1, 'closed', 80, []],
      ['openai/gpt-4o-mini', 2, 'open', 300, ['its circuit is open: last resort']],
    ])
    expect(told.plan?.stages[1]).toEqual({ stage: 'llm', p50Ms: 400, startMs: 620, latestMs: 1350 })
    expect(JSON.parse(JSON.stringify(told))).toEqual(told)
  })

  test('as text', () => {
    expect(render(told)).toBe(`llm: route test, greeting: variant control (90 %, by session.user)

rules
  · phone: session.wire == "twilio" && key.tier == "premium"
      no: session.wire == "twilio" is false
  ! vip: metadata.vip == true
      failed: metadata.vip is missing
  → test: key.tier == "premium"
      taken: key.tier == "premium" is true
    any (not tried)

targets
  1  local/smollm2       p50 80 ms   p95 240 ms  50 samples  closed
  2  openai/gpt-4o-mini  p50 300 ms  p95 900 ms  50 samples  open      its circuit is open: last resort

plan: 1500 ms from the end of speech, first audio expected at 1170 ms, 330 ms to spare
  silence  0 to 500 ms
  stt      from 500 ms, takes 120 ms, done by 950 ms at the latest
  llm      from 620 ms, takes 400 ms, done by 1350 ms at the latest
  tts      from 1020 ms, takes 150 ms, done by 1500 ms at the latest
`)
  })

  test('holds nothing of what the caller said or is', () => {
    const hidden = { ...FACTS, metadata: { vip: 'Xq7' }, session: { ...FACTS.session, user: 'Xq7' } }
    const secret = decided(hidden)
    expect(JSON.stringify(explain(secret.decision, secret.context, null))).not.toContain('Xq7')
  })
})
