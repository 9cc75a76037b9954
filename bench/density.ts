/**
 * How many conversations one core carries. Run: `npm run bench:density`, a few minutes; `-- --short` for half a minute;
 * `-- --sessions 300` for one step; `-- --profile NAME` writes `NAME-300.cpuprofile`.
 *
 * One server process on one core, its detector's thread with it; the callers on the other. Each caller streams G.711 in
 * real time: speaks three seconds (human speech), hears an answer of four, paced 200 ms ahead, pauses. Every frame that
 * reaches the caller is judged against its schedule. Then all hang up, and nothing may be left.
 */

import { share, watch } from './harness/gauges.ts'
import type { GeneratorApi, TalkOptions } from './harness/generator.ts'
import type { FrameLateness } from './harness/lateness.ts'
import { startProcess } from './harness/process.ts'
import type { Sample, ServerApi } from './harness/server.ts'
import { kB, mB, ms, option, printAim, printTable, printTitle, quantile, SHORT } from './report.ts'

const STAGES = { sttMs: 60, llmMs: 150, ttsMs: 60, answerMs: 4000 }
const AIM_SESSIONS = 300
const AIM_BYTES = 500 * 1024
const steps = option('sessions')?.split(',').map(Number) ?? (SHORT ? [30] : [100, 200, 300, 350, 400])
const turnsEach = SHORT ? 1 : 5

interface Step {
  readonly sessions: number
  readonly frames: FrameLateness
  readonly onTime: number
  /** Shares of the core: the main thread, and all with it. */
  readonly mainBusy: number
  readonly busy: number
  readonly rssEach: number
  readonly heapEach: number
  readonly addedP95: number
  readonly missing: number
  readonly left: string
}

async function step(sessions: number): Promise<Step> {
  const server = startProcess<ServerApi>('server', { core: 0, nodeArgs: ['--expose-gc'] })
  const generator = startProcess<GeneratorApi>('generator', { core: 1 })
  const { url } = await server.call('start', {
    models: 'bench',
    vad: 'silero',
    stages: STAGES,
    pipelines: ['bench'],
    turnsKept: 100,
  })
  const talk: TalkOptions = {
    url,
    pipeline: 'bench',
    format: 'pcmu',
    clips: ['amiable'],
    sessions: Math.min(10, sessions),
    silenceMs: 500,
    leadMs: 200,
    turnsEach: 1,
    limitMs: 15_000 + turnsEach * 10_000,
    pauseMs: [300, 1500],
    // Words 2.9 s, silence 0.5, stages 0.3, answer 4, pause 1.
    spreadMs: 9000,
    playback: 'heard',
    afterwards: 'hang up',
    frames: 'all',
  }
  // A few conversations compile the code and fill what is kept for ever.
  await generator.call('talk', { ...talk, spreadMs: 1000 })
  const before = await server.call('sample', { heap: 'clean' })
  const profile = option('profile')
  if (profile) await server.call('startProfile', null)
  const gauges = watch(() => server.call('sample', { heap: 'as it is' }))
  const result = await generator.call('talk', { ...talk, sessions, turnsEach, afterwards: 'stay' })
  const samples = await gauges.stop()
  if (profile) await server.call('stopProfile', { file: `${profile}-${sessions}.cpuprofile` })
  const open = await server.call('sample', { heap: 'clean' })
  await generator.call('hangUp', null)
  const after = await server.call('sample', { heap: 'clean' })
  const objects = await server.call('objects', null)
  const real = await server.call('realDelays', null)
  await server.call('close', null)
  await Promise.all([server.stop(), generator.stop()])

  const added = result.turns.flatMap(({ n, decidedAt, firstAudioAt }) => {
    const delays = real.get(n)
    return delays ? [firstAudioAt - decidedAt - delays.sttMs - delays.llmMs - delays.ttsMs] : []
  })
  const settled = samples.slice(4, -1)
  console.log(
    `${sessions} sessions: ${result.turns.length} answers, ${result.frames.frames} frames out; ${result.incomplete} callers cut short, ${result.errors} errors ${result.lastError}; generator at worst ${ms(result.ownLatenessMs)} ms late; event loop 99.9 % within ${ms(
      quantile(
        samples.map((one) => one.loopDelayMs),
        1,
      ),
    )} ms`,
  )
  return {
    sessions,
    frames: result.frames,
    onTime: 1 - Math.max(result.frames.late, result.frames.dry) / result.frames.frames,
    mainBusy: share(settled, 'mainCpuMs'),
    busy: share(settled, 'cpuMs'),
    rssEach: (Math.max(...samples.map((one) => one.rssBytes)) - before.rssBytes) / sessions,
    heapEach: (open.heapBytes - before.heapBytes) / sessions,
    addedP95: quantile(added, 0.95),
    missing: result.incomplete + result.errors,
    left: leftovers(before, after, objects),
  }
}

/** What is still there after all hung up, in words; empty: nothing. */
function leftovers(before: Sample, after: Sample, objects: Readonly<Record<string, number>>): string {
  const left = Object.entries(objects).flatMap(([name, count]) => (count > 0 ? [`${count} ${name}`] : []))
  for (const [name, count] of Object.entries(after.resources)) {
    const more = count - (before.resources[name] ?? 0)
    if (more > 0) left.push(`${more} ${name}`)
  }
  if (after.timers > before.timers) left.push(`${after.timers - before.timers} timers`)
  if (after.sessions > 0) left.push(`${after.sessions} sessions`)
  const grown = after.heapBytes - before.heapBytes
  return `${left.join(', ') || 'nothing'}; heap ${grown < 0 ? '−' : '+'}${mB(Math.abs(grown))}`
}

printTitle('Concurrent paced G.711 sessions on one core', 'pinned')
const done: Step[] = []
for (const sessions of steps) {
  const one = await step(sessions)
  done.push(one)
  if (one.onTime < 0.99) break
}
console.log()
printTable(
  [
    'sessions',
    'frames on time',
    'late p50',
    'p99',
    'p99.9',
    'worst ms',
    'ran dry',
    'core busy (main)',
    'added p95 ms',
    'RSS each',
    'heap each',
    'left after',
  ],
  done.map(({ sessions, frames, onTime, mainBusy, busy, rssEach, heapEach, addedP95, left }) => [
    String(sessions),
    `${(onTime * 100).toFixed(3)} %`,
    ms(frames.p50Ms),
    ms(frames.p99Ms),
    ms(frames.p999Ms),
    ms(frames.worstMs),
    String(frames.dry),
    `${Math.round(busy * 100)} (${Math.round(mainBusy * 100)}) %`,
    ms(addedP95),
    kB(rssEach),
    kB(heapEach),
    left,
  ]),
)
const best = done.filter((one) => one.onTime >= 0.999 && one.missing === 0).at(-1)
const judged = done.find((one) => one.sessions === AIM_SESSIONS) ?? done.at(-1)!
const of = `at ${judged.sessions} sessions`
printAim(
  '99.9 % of frames before the buffer runs dry and within 20 ms of their schedule',
  judged.onTime >= 0.999 && judged.missing === 0 ? 'met' : 'missed',
  `${(judged.onTime * 100).toFixed(3)} % ${of}; most that met it: ${best?.sessions ?? 'none'}`,
)
printAim(
  'at most 500 kB a session',
  judged.rssEach <= AIM_BYTES ? 'met' : 'missed',
  `${kB(judged.rssEach)} RSS ${of}`,
)
printAim(
  'nothing left after they close',
  done.every((one) => one.left.startsWith('nothing')) ? 'met' : 'missed',
  judged.left,
)
