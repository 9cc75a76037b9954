/**
 * The embedded models at work. Run: `npm run bench:local`, some minutes; `-- --short` for less than one.
 *
 * A caller on a socket speaks human recordings whose ends were read off by hand, in real time, with a silence window of
 * 500 ms. A turn's time runs from the last sample of speech to the first audio of the answer: Silero, Moonshine tiny,
 * the model, flite. Then more and more callers at once, on all cores, until they have to wait.
 */
import type { GeneratorApi, TalkOptions, TalkResult } from './harness/generator.ts'
import { startProcess } from './harness/process.ts'
import type { ServerApi } from './harness/server.ts'
import { mB, ms, printAim, printTable, printTitle, quantile, SHORT } from './report.ts'

const SILENCE_MS = 500
const AIM_MS = SILENCE_MS + 100
/** A turn's budget: who has to wait longer says "hello?". */
const BUDGET_MS = 1500
const MODELS = SHORT ? (['scripted'] as const) : (['scripted', 'smollm2'] as const)
const turnsEach = SHORT ? 3 : 15
const callers = SHORT ? [4] : [4, 8, 16, 24, 32, 40, 48]

printTitle('The embedded models: end of speech → first audio, ms', 'all')
const server = startProcess<ServerApi>('server', { core: null, nodeArgs: ['--expose-gc'] })
const generator = startProcess<GeneratorApi>('generator', { core: null })
const pipelines = MODELS.flatMap((model) => [`local-${model}-on`, `local-${model}-off`])
const { url, advice } = await server.call('start', {
  models: 'local',
  vad: 'silero',
  stages: { sttMs: 0, llmMs: 0, ttsMs: 0, answerMs: 0 },
  pipelines,
  turnsKept: 10_000,
})
for (const line of advice) console.log(line)
const talk: TalkOptions = {
  url,
  pipeline: pipelines[0]!,
  format: 'pcm16',
  clips: ['ten-of-clubs', 'seven-of-clubs', 'amiable'],
  sessions: 1,
  silenceMs: SILENCE_MS,
  leadMs: null,
  turnsEach,
  limitMs: 180_000,
  pauseMs: [300, 900],
  spreadMs: 500,
  playback: 'skipped',
  afterwards: 'hang up',
  frames: 'first',
}
const loaded = await server.call('sample', { heap: 'clean' })

/** Of the answers that came. */
function waits({ turns }: TalkResult): number[] {
  return turns.flatMap(({ firstAudioAt, speechEndAt }) =>
    Number.isNaN(firstAudioAt) ? [] : [firstAudioAt - speechEndAt],
  )
}

const rows: string[][] = []
let scriptedMedian = Number.NaN
for (const pipeline of pipelines) {
  await generator.call('talk', { ...talk, pipeline, turnsEach: SHORT ? 1 : 3 })
  const result = await generator.call('talk', { ...talk, pipeline })
  const records = (await server.call('records', null)).filter((one) => one.pipeline === pipeline)
  const took = waits(result)
  const p50 = quantile(took, 0.5)
  if (pipeline === 'local-scripted-on') scriptedMedian = p50
  const mark = (name: 'committed' | 'sttFinal' | 'llmFirstToken' | 'firstSentence' | 'ttsFirstAudio') =>
    ms(quantile(records.flatMap((one) => one.marks[name] ?? []).slice(0, took.length), 0.5))
  rows.push([
    pipeline.replace('local-', 'local/').replace(/-(on|off)$/, ', speculation $1'),
    `${took.length} of ${turnsEach}`,
    ms(p50),
    ms(quantile(took, 0.95)),
    mark('committed'),
    mark('sttFinal'),
    mark('llmFirstToken'),
    mark('firstSentence'),
    mark('ttsFirstAudio'),
  ])
}
const worked = await server.call('sample', { heap: 'clean' })
printTable(
  ['model', 'answers', 'p50', 'p95', '│ committed', 'final', 'first token', 'sentence', 'voice'],
  rows,
)
console.log('right of the line: medians of the turn records, from the end of speech as the detector heard it')
console.log(
  `memory of the process: ${mB(loaded.rssBytes)} when all models are loaded, ${mB(worked.rssBytes)} after these turns\n`,
)

const crowd: string[][] = []
let most = 0
for (const sessions of callers) {
  const before = await server.call('sample', { heap: 'as it is' })
  const each = SHORT ? 2 : 4
  const options = { ...talk, sessions, turnsEach: each, spreadMs: 3500 }
  const result = await generator.call('talk', options)
  const after = await server.call('sample', { heap: 'as it is' })
  const took = waits(result)
  const [p50, p95] = [quantile(took, 0.5), quantile(took, 0.95)]
  const share = (after.cpuMs - before.cpuMs) / (after.atMs - before.atMs)
  const answered = `${took.length} of ${sessions * each}`
  crowd.push([String(sessions), answered, ms(p50), ms(p95), share.toFixed(2), mB(after.rssBytes)])
  if (took.length < sessions * each || p95 > BUDGET_MS) break
  most = sessions
}
await server.call('close', null)
await Promise.all([server.stop(), generator.stop()])
printTable(['callers at once', 'answers', 'p50', 'p95', 'cores busy', 'RSS'], crowd)
console.log('local/scripted; every caller speaks about half of the time, the others do not wait for it')
printAim(
  `with local/scripted the median within the window plus 100 ms (${AIM_MS} ms)`,
  scriptedMedian <= AIM_MS ? 'met' : 'missed',
  `${ms(scriptedMedian)} ms`,
)
console.log(`callers at once before 95 % of answers need more than the budget of ${BUDGET_MS} ms: ${most}`)
