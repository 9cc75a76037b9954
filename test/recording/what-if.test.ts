/** Other rules on the same call: what would change is told, with what is known of each target, and nobody is called. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Health } from '../../src/attempt/health.ts'
import { PipelineRouter } from '../../src/attempt/router.ts'
import { VirtualClock } from '../../src/clock.ts'
import { loadPipeline } from '../../src/config/pipeline-set.ts'
import { run } from '../../src/main.ts'
import { readRecording } from '../../src/recording/read.ts'
import { recordSession } from '../../src/recording/session.ts'
import { whatIf } from '../../src/recording/what-if.ts'
import { MemoryContext } from '../command/memory-context.ts'
import { Call } from '../session/call.ts'
import { FakeLlm, FakeStt, FakeTts } from '../support/stages.ts'
import { KEEP } from './recorded.ts'

const RULES = (llm: string) => `
stt: { routes: [{ name: any, use: [fake/stt] }] }
llm:
  routes:
${llm}
tts: { routes: [{ name: any, use: [fake/tts] }] }
`
const BEFORE = `name: before${RULES(`
    - { name: refunds, when: 'turn.text.contains("money")', use: [fake/big, absent/big] }
    - { name: any, use: [fake/small, fake/big] }`)}`
const AFTER = `name: after${RULES(`
    - { name: long, when: 'turn.words > 6', use: [fake/big] }
    - { name: any, use: [absent/big, new/model, fake/small] }`)}`

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-what-if-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))
const write = (name: string, text: string) => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}
const pipelineOf = (text: string) => loadPipeline(text, 'a.yaml').loaded!.pipeline

/** A question of four words, and one that speaks of money. */
async function twoTurns(): Promise<string> {
  const clock = new VirtualClock()
  const lines: string[] = []
  const llm = new FakeLlm({ firstTokenMs: 40 })
  const stages = {
    stt: new FakeStt({ words: ['What is the time?', 'I want my money back.'] }),
    tts: new FakeTts(),
  }
  const fake = {
    name: 'fake',
    stt: () => stages.stt,
    llm: () => llm,
    tts: () => stages.tts,
    close: async () => {},
  }
  const price: Readonly<Record<string, number>> = { 'fake/small': 0.2, 'fake/big': 3 }
  const traits = (_: string, id: string) =>
    ({ priceUsd: price[id] ?? null, quality: null, languages: 'any', capabilities: [] }) as const
  const pipeline = pipelineOf(BEFORE)
  const router = new PipelineRouter(pipeline, new Map([['fake', fake]]), new Health({ clock, traits }))
  const call = await Call.open({
    ...stages,
    llm,
    clock,
    settings: { maxRevisions: 0 },
    begin(options) {
      const sink = { write: (line: string) => void lines.push(line), close: async () => {} }
      const book = { ...options.book, pipeline: pipeline.name }
      const session = recordSession({ ...options, router, book }, pipeline, KEEP, sink)
      clock.alsoSettle(session.idle)
      return session
    },
  })
  await call.says(600)
  await call.wait(6000)
  await call.says(600)
  await call.wait(6000)
  expect(call.count('responseDone')).toBe(2)
  await call.hangUp()
  return `${lines.join('\n')}\n`
}

const llmOf = (text: string, other: string) =>
  whatIf(readRecording(text), pipelineOf(other)).filter(({ stage }) => stage === 'llm')

test('the rules it was recorded with change nothing, and are judged as they were', async () => {
  const judgements = whatIf(readRecording(await twoTurns()), pipelineOf(BEFORE))
  expect(new Set(judgements.map(({ stage }) => stage))).toEqual(new Set(['stt', 'llm', 'tts']))
  expect(judgements.every(({ verdict, rules }) => verdict === 'same' && rules === 'as recorded')).toBe(true)
})

test('other rules: route and targets of each turn, what they cost, how fast they are thought to be', async () => {
  const [time, money] = llmOf(await twoTurns(), AFTER)
  expect(time).toMatchObject({
    turn: 1,
    verdict: 'changed',
    recorded: { route: 'any', targets: ['fake/small', 'fake/big'], priceUsd: 0.2 },
    other: { route: 'any', targets: ['new/model', 'fake/small'], priceUsd: null, from: 'prior' },
  })
  // Of `absent/big` the second turn tells that the server had no adapter for it.
  expect(money).toMatchObject({ turn: 2, recorded: { route: 'refunds', targets: ['fake/big'], priceUsd: 3 } })
})

test('an experiment: the variant the caller would be in', async () => {
  const text = await twoTurns()
  const other = `name: trial${RULES(`
    - name: any
      sticky: session.id
      variants: [{ id: a, weight: 99, use: [fake/small] }, { id: b, weight: 1, use: [fake/big] }]`)}`
  expect(llmOf(text, other).map((one) => one.other.variant)).toEqual(['a', 'a'])
})

test('by the command: a table, and the same as JSON', async () => {
  const file = write('call.jsonl', await twoTurns())
  const after = write('after.yaml', AFTER)
  const context = new MemoryContext()
  expect(await run(['replay', file, '--pipeline', after], context)).toBe(0)
  expect(context.out).toContain('decisions of before: 2 would change with after')
  expect(context.out).toMatch(/1 +llm +any: fake\/small, fake\/big +any: .*new\/model, fake\/small +/)
  expect(context.out).toContain('$0.2 → ? a million tokens')
  const lacking = new MemoryContext()
  const redacted = write('user.jsonl', (await twoTurns()).replace('"redact":[]', '"redact":["user"]'))
  expect(await run(['replay', redacted, '--pipeline', after], lacking)).toBe(0)
  expect(lacking.out).toContain('The recording lacks user: rules that read those are judged without.')
  const json = new MemoryContext()
  expect(await run(['replay', file, '--pipeline', after, '--json'], json)).toBe(0)
  expect(JSON.parse(json.out)).toHaveLength(whatIf(readRecording(await twoTurns()), pipelineOf(AFTER)).length)
})

test('by the command: the same, or the first difference and exit code 1', async () => {
  const text = await twoTurns()
  const good = new MemoryContext()
  expect(await run(['replay', write('good.jsonl', text)], good)).toBe(0)
  expect(good.out).toMatch(/^same: \d+ outputs, 2 turns\n$/)

  const bad = new MemoryContext()
  const changed = text.replace(
    '"type":"final","text":"What is the time?"',
    '"type":"final","text":"What is the tide?"',
  )
  expect(await run(['replay', write('bad.jsonl', changed)], bad)).toBe(1)
  expect(bad.out).toMatch(/^differs: after \d+ outputs, \d turns/)
  expect(bad.out).toMatch(/ {2}at [\d.]+ ms, line \d+\n {2}recorded: .*\n {2}replayed: .*\n/)

  const none = new MemoryContext()
  expect(await run(['replay', write('none.jsonl', 'hello')], none)).toBe(1)
  expect(none.err).toContain('none.jsonl: line 1: this is no recording of a session')
  expect(await run(['replay', join(folder, 'nowhere.jsonl')], none)).toBe(1)
  expect(none.err).toContain('cannot be read: ENOENT')
})
