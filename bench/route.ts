/**
 * `npm run bench:route`: what a decision costs when the last of 10, and of 100, conditional routes matches, beside the
 * bare engine evaluating the same expressions on ready-made maps in the same run. The server's side makes its context anew
 * each time, as every turn does. Then the memory a target's statistics take. Ends by itself in a few seconds.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { celEnv, parse, plan } from '@bufbuild/cel'
import { NO_FILTER, type Target, type TargetFacts } from '../src/route/candidates.ts'
import { RoutingContext, type RoutingFacts } from '../src/route/context.ts'
import { decide } from '../src/route/decide.ts'
import { explain } from '../src/route/explain.ts'
import { LatencyBook } from '../src/route/latency.ts'
import { render } from '../src/route/render.ts'
import { chooseRoute, compileRoutes, type RouteShape } from '../src/route/routes.ts'
import { ms, printAim, printTable, printTitle, quantile, SHORT } from './report.ts'

const SAMPLES = SHORT ? 200 : 1000
/** Decisions a sample: a timer's own cost vanishes. */
const BATCH = 20

const FACTS: RoutingFacts = {
  key: { id: 'web', attributes: { tier: 'premium', region: 'eu' } },
  metadata: { language: 'fr', plan: 'gold' },
  minted: {},
  session: { id: 's', wire: 'realtime', language: 'fr', turns: 4, durationMs: 90_000, user: 'anna' },
  turn: () => ({ text: 'Bonjour, je voudrais changer ma réservation.', language: 'fr', confidence: 0.9 }),
  request: null,
  inputTokens: () => 800,
  budget: { remainingMs: 900, turnMs: 1500 },
  health: () => ({ p50Ms: 200, p95Ms: 500, errorRate: 0, open: false }),
  wallMs: 1_700_000_000_000,
}
/** The same facts as the bare engine takes them. */
const MAPS = {
  key: new Map(Object.entries({ id: 'web', tier: 'premium', region: 'eu' })),
  metadata: new Map(Object.entries({ language: 'fr', plan: 'gold' })),
  session: new Map<string, unknown>(
    Object.entries({ wire: 'realtime', language: 'fr', turns: 4n, user: 'anna' }),
  ),
  turn: new Map<string, unknown>(
    Object.entries({ text: FACTS.turn!().text, words: 6n, language: 'fr', confidence: 0.9 }),
  ),
  budget: new Map<string, unknown>(Object.entries({ remainingMs: 900n, turnMs: 1500n })),
} as unknown as Readonly<Record<string, never>>

/** None holds but the last. */
function conditions(count: number): string[] {
  const kinds = [
    (i: number) => `key.tier == "tier-${i}" && size(turn.text) > 200`,
    (i: number) => `metadata.language == "l${i}" || metadata.plan == "p${i}"`,
    (i: number) => `turn.words > ${100 + i} && session.wire == "twilio"`,
    (i: number) => `session.turns > ${50 + i} || budget.remainingMs < ${-i}`,
    (i: number) => `key.region == "r${i}" && turn.confidence < 0.5`,
  ]
  const all = Array.from({ length: count - 1 }, (_, i) => kinds[i % kinds.length]!(i))
  return [...all, 'key.tier == "premium" && session.turns > 3']
}

const targets: readonly Target[] = ['openai/gpt-4o', 'groq/llama', 'local/smollm2'].map((id) => ({
  id,
  provider: id.slice(0, id.indexOf('/')),
}))
const book = new LatencyBook()
const factsOf = ({ id }: Target): TargetFacts => ({
  latency: book.view('llm', id, 'fr', 0),
  priceUsd: 1,
  quality: null,
  inFlight: 0,
  circuit: 'closed',
  languages: 'any',
  capabilities: ['tools'],
})

printTitle('Routing: a decision', 'all')
const rows: string[][] = []
const ratios: { count: number; ratio: number }[] = []
for (const count of [10, 100]) measure(count)
printTable(['the last of', 'p50 µs', 'p95 µs', 'times bare'], rows)
for (const { count, ratio } of ratios) {
  printAim(
    `the last of ${count} within 1.3 times the bare engine at p50`,
    ratio <= 1.3 ? 'met' : 'missed',
    `${ms(ratio)} times`,
  )
}
memory()

function measure(count: number): void {
  const expressions = conditions(count)
  const env = celEnv()
  const bare = expressions.map((text) => plan(env, parse(text)))
  const shapes = expressions.map(
    (when, i): RouteShape => ({
      name: `route-${i}`,
      when,
      use: { type: 'list', targets, sort: ['latency', 'price'], filter: NO_FILTER },
    }),
  )
  const { compiled } = compileRoutes(shapes, { stage: 'llm', targets: null })
  if (!compiled) throw new Error('the routes do not compile')
  const ask = () => ({
    context: new RoutingContext(FACTS),
    factsOf,
    needs: { language: 'fr', capabilities: ['tools'] },
    preference: { pin: null, slackMs: 500 },
  })
  const subjects: readonly (readonly [string, () => unknown])[] = [
    ['bare engine', () => bare.findIndex((run) => run(MAPS) === true)],
    ['rules', () => chooseRoute(compiled, new RoutingContext(FACTS)).trials.length - 1],
    ['rules and candidates', () => decide(compiled, ask()).trials.length - 1],
    [
      'the same, explained',
      () => render(explain(decide(compiled, ask()), new RoutingContext(FACTS), null)).length,
    ],
  ]
  for (const [name, act] of subjects.slice(0, 3)) {
    if (act() !== count - 1) throw new Error(`${name} took another route`)
  }
  const times = timesOf(subjects.map(([, act]) => act))
  const floor = quantile(times[0]!, 0.5)
  subjects.forEach(([name], i) => {
    const p50 = quantile(times[i]!, 0.5)
    rows.push([`${count}: ${name}`, ms(p50), ms(quantile(times[i]!, 0.95)), ms(p50 / floor)])
    if (i === 1) ratios.push({ count, ratio: p50 / floor })
  })
}

/** Microseconds a call; the subjects take turns, so that what the machine does meets all alike. */
function timesOf(subjects: readonly (() => unknown)[]): number[][] {
  const times = subjects.map((): number[] => [])
  for (let sample = -SAMPLES / 5; sample < SAMPLES; sample++) {
    subjects.forEach((act, i) => {
      const since = performance.now()
      for (let n = 0; n < BATCH; n++) act()
      if (sample >= 0) times[i]!.push(((performance.now() - since) * 1000) / BATCH)
    })
  }
  return times
}

function memory(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const many = 1000
  collect()
  const before = process.memoryUsage()
  const full = new LatencyBook()
  for (let i = 0; i < many; i++) {
    full.record(
      {
        stage: 'llm',
        target: `provider/model-${i}`,
        language: 'en',
        outcome: 'ok',
        ms: 300,
        unitsPerSecond: 50,
      },
      i,
    )
  }
  collect()
  const after = process.memoryUsage()
  const bytes = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers
  console.log(
    `statistics of one target in one language: about ${(bytes / many / 1024).toFixed(1)} kB (${full.size} series)`,
  )
}
