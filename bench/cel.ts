/**
 * `npm run bench:cel`: the decision for a CEL engine, made again: the official conformance data, habits that matter to a
 * server, an evil regular expression, speed. Ends by itself in about half a minute.
 */
import { spawnWorker } from '../src/spawn.ts'
import { passed, valueCases } from './cel/conformance.ts'
import { ENGINES, type Engine, plain } from './cel/engines.ts'
import { printTable, printTitle } from './report.ts'

const NAMES = ENGINES.map(({ name }) => name)

printTitle('CEL: three engines', 'all')
conformance()
habits()
await evil()
speed()

function conformance(): void {
  const cases = valueCases()
  const results = ENGINES.map((engine) => passed(engine, cases))
  const sections = [...new Set(cases.map(({ section }) => section))]
  const rows = sections.map((section) => [
    section,
    ...results.map((result) => String(result.get(section) ?? 0)),
    String(cases.filter((one) => one.section === section).length),
  ])
  const total = (result: ReadonlyMap<string, number>) => [...result.values()].reduce((sum, n) => sum + n, 0)
  printTable(
    ['official tests passed', ...NAMES, 'of'],
    [...rows, ['all', ...results.map((result) => String(total(result))), String(cases.length)]],
  )
}

function habits(): void {
  const context = { region: 'eu-west', metadata: { tier: 'the caller’s own' } }
  const asked = [
    'region.startsWith("eu")',
    'true || missing',
    '5 / 2',
    'metadata.nothing == 1',
    'metadata.constructor',
  ]
  printTable(
    ['expression', ...NAMES],
    asked.map((expression) => [expression, ...ENGINES.map((engine) => told(engine, expression, context))]),
  )
}

function told(engine: Engine, expression: string, context: Readonly<Record<string, unknown>>): string {
  try {
    const value = engine.compile(expression)(context)
    return typeof value === 'function' ? 'a JavaScript function' : JSON.stringify(plain(value)).slice(0, 40)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return message.includes('the caller') ? 'error that quotes the context' : 'error'
  }
}

async function evil(): Promise<void> {
  const rows = []
  for (const { name } of ENGINES) {
    rows.push([name, await timed(name, 'text.matches("^(a+)+$")', `${'a'.repeat(30)}!`, 5000)])
  }
  printTable(['matches("^(a+)+$") on 30 a and a !', 'time'], rows)
}

function timed(engine: string, expression: string, text: string, mostMs: number): Promise<string> {
  const worker = spawnWorker(import.meta.url, './cel/evil', { workerData: { engine, expression, text } })
  return new Promise((resolve, reject) => {
    let since = 0
    let limit: NodeJS.Timeout | undefined
    const end = (result: string) => {
      clearTimeout(limit)
      void worker.terminate().then(() => resolve(result))
    }
    worker.on('error', reject)
    worker.on('message', (message: 'ready' | { value: string }) => {
      if (message === 'ready') {
        since = performance.now()
        limit = setTimeout(() => end(`still busy after ${mostMs} ms: ended`), mostMs)
      } else if (message.value === 'refused') end('not supported')
      else end(`${(performance.now() - since).toFixed(1)} ms`)
    })
  })
}

function speed(): void {
  const expressions = [
    'key.tier == "premium" && size(turn.text) > 200',
    'metadata.language == "de" || metadata.language == "at"',
    'turn.words < 12 && turn.complexity < 0.4',
    'session.turns > 3 && budget.remainingMs < 500',
    '!(key.region == "eu") && session.wire == "twilio"',
  ]
  const context = (map: (entries: Record<string, unknown>) => unknown) => ({
    key: map({ tier: 'premium', region: 'eu' }),
    metadata: map({ language: 'fr' }),
    turn: map({ text: 'x'.repeat(220), words: 40, complexity: 0.5 }),
    session: map({ turns: 4, wire: 'realtime' }),
    budget: map({ remainingMs: 900 }),
  })
  const rows = ENGINES.map((engine) => {
    const asMaps =
      engine.name === 'cel-js'
        ? (entries: object) => entries
        : (entries: object) => new Map(Object.entries(entries))
    const bound = context(asMaps)
    const programs = expressions.map((expression) => engine.compile(expression))
    const round = () => {
      for (const program of programs) program(bound)
    }
    for (let i = 0; i < 5000; i++) round()
    const rounds = 30_000
    const before = process.cpuUsage()
    for (let i = 0; i < rounds; i++) round()
    const { user, system } = process.cpuUsage(before)
    const perSecond = (rounds * expressions.length) / ((user + system) / 1e6)
    return [engine.name, `${Math.round(perSecond / 1000)} k`]
  })
  printTable(['five rules, parsed before', 'evaluations a CPU-second'], rows)
}
