/**
 * How many telephone calls one core carries. Run: `npm run bench:calls`, some minutes; `-- --short` for half a minute;
 * `-- --calls 300` for one step; `-- --profile NAME` writes `NAME-300.cpuprofile`.
 *
 * One server process on one core, its detector's thread with it; Twilio's side on the other. Each call streams µ-law in real time:
 * speaks three seconds (human speech), hears an answer of four from scripted stages, gives back its marks, pauses. Then all hang up.
 */
import type { CallsApi, LoadOptions } from './calls/generator.ts'
import { share, watch } from './harness/gauges.ts'
import { startProcess } from './harness/process.ts'
import type { Sample, ServerApi } from './harness/server.ts'
import { kB, ms, option, printAim, printTable, printTitle, quantile, SHORT } from './report.ts'

const STAGES = { sttMs: 60, llmMs: 150, ttsMs: 60, answerMs: 4000 }
/** `TWILIO_CAPS.leadMs`. */
const LEAD_MS = 1_000
const AIM_CALLS = 300
const steps = option('calls')?.split(',').map(Number) ?? (SHORT ? [30] : [100, 200, 300, 400, 500])
const turns = SHORT ? 2 : 5

interface Step {
  readonly calls: number
  readonly frames: number
  readonly late: number
  readonly dry: number
  readonly worstMs: number
  readonly incomplete: number
  readonly busy: number
  readonly mainBusy: number
  readonly rssEach: number
  readonly waitedP50: number
  readonly waitedP95: number
  readonly left: string
}

async function step(calls: number): Promise<Step> {
  const server = startProcess<ServerApi>('server', { core: 0, nodeArgs: ['--expose-gc'] })
  const generator = startProcess<CallsApi>('../calls/generator', { core: 1 })
  const { url } = await server.call('start', {
    models: 'bench',
    vad: 'silero',
    stages: STAGES,
    pipelines: ['bench'],
    turnsKept: 100,
    settings: 'telephony: { twilio: {} }\n',
  })
  const load: LoadOptions = {
    url,
    calls: Math.min(10, calls),
    turns: 1,
    answerMs: STAGES.answerMs,
    leadMs: LEAD_MS,
    pauseMs: [300, 1500],
    spreadMs: 1_000,
    limitMs: 30_000,
  }
  // A few calls compile the code and fill what is kept for ever.
  await generator.call('load', load)
  await generator.call('hangUp', null)
  const before = await server.call('sample', { heap: 'clean' })
  const profile = option('profile')
  if (profile) await server.call('startProfile', null)
  const gauges = watch(() => server.call('sample', { heap: 'as it is' }))
  const result = await generator.call('load', {
    ...load,
    calls,
    turns,
    spreadMs: 9_000,
    limitMs: 20_000 + turns * 10_000,
  })
  const samples = await gauges.stop()
  if (profile) await server.call('stopProfile', { file: `${profile}-${calls}.cpuprofile` })
  await generator.call('hangUp', null)
  const after = await server.call('sample', { heap: 'clean' })
  const objects = await server.call('objects', null)
  await server.call('close', null)
  await Promise.all([server.stop(), generator.stop()])
  const { frames, late, dry, worstMs } = result.lateness
  console.log(
    `${calls} calls: ${result.answers} answers, ${frames} frames; ${result.incomplete} calls cut short; generator at worst ${ms(result.ownLatenessMs)} ms late`,
  )
  const settled = samples.slice(4, -1)
  return {
    calls,
    frames,
    late,
    dry,
    worstMs,
    incomplete: result.incomplete,
    busy: share(settled, 'cpuMs'),
    mainBusy: share(settled, 'mainCpuMs'),
    rssEach: (Math.max(...samples.map((one) => one.rssBytes)) - before.rssBytes) / calls,
    waitedP50: quantile(result.waitedMs, 0.5),
    waitedP95: quantile(result.waitedMs, 0.95),
    left: leftovers(after, objects),
  }
}

function leftovers(after: Sample, objects: Readonly<Record<string, number>>): string {
  const left = Object.entries(objects).flatMap(([name, count]) => (count > 0 ? [`${count} ${name}`] : []))
  if (after.sessions > 0) left.push(`${after.sessions} sessions`)
  return left.join(', ') || 'nothing'
}

printTitle('Concurrent Twilio calls on one core', 'pinned')
const done: Step[] = []
for (const calls of steps) {
  const one = await step(calls)
  done.push(one)
  if (one.dry > one.frames * 0.01 || one.incomplete > 0) break
}
console.log()
printTable(
  [
    'calls',
    'late by > 20 ms',
    'ran dry',
    'worst ms',
    'cut short',
    'core busy (main)',
    'to first sound p50',
    'p95 ms',
    'RSS each',
    'left after',
  ],
  done.map((one) => [
    String(one.calls),
    `${((one.late / one.frames) * 100).toFixed(3)} %`,
    `${((one.dry / one.frames) * 100).toFixed(3)} %`,
    ms(one.worstMs),
    String(one.incomplete),
    `${Math.round(one.busy * 100)} (${Math.round(one.mainBusy * 100)}) %`,
    ms(one.waitedP50),
    ms(one.waitedP95),
    kB(one.rssEach),
    one.left,
  ]),
)
const holds = (one: Step) => one.late <= one.frames * 0.001 && one.incomplete === 0
const judged = done.find((one) => one.calls === AIM_CALLS) ?? done.at(-1)!
printAim(
  `at ${AIM_CALLS} calls no more than 0.1 % of frames late by more than 20 ms`,
  judged.calls >= AIM_CALLS && holds(judged) ? 'met' : 'missed',
  `${((judged.late / judged.frames) * 100).toFixed(3)} % at ${judged.calls} calls; most that met it: ${done.filter(holds).at(-1)?.calls ?? 'none'}`,
)
printAim(
  'nothing left after they hang up',
  done.every((one) => one.left === 'nothing') ? 'met' : 'missed',
  done.at(-1)!.left,
)
