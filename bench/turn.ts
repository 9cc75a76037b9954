/**
 * What the server adds to a turn. Run: `npm run bench:turn`, about three minutes; `-- --short` for half a minute.
 *
 * Callers on the other core stream human speech and silence in real time. A turn's time runs from the moment the
 * caller sends the frame that completes the silence to the moment the first audio of the answer reaches it; the delays
 * that the scripted stages really had are taken off. Voice detection is Silero, in its thread, as in production: it is
 * part of what the server adds. Beside it, in the same run, the same frames to a bare `ws` server and back.
 */
import type { EchoApi } from './harness/echo.ts'
import type { GeneratorApi, TalkOptions } from './harness/generator.ts'
import { startProcess } from './harness/process.ts'
import type { ServerApi } from './harness/server.ts'
import { ms, option, printAim, printTable, printTitle, quantile, SHORT } from './report.ts'

const STAGES = { sttMs: 30, llmMs: 50, ttsMs: 30, answerMs: 200 }
const NOMINAL_MS = STAGES.sttMs + STAGES.llmMs + STAGES.ttsMs
const CASES = SHORT
  ? [
      { sessions: 1, turnsEach: 5, aimMs: 5 },
      { sessions: 20, turnsEach: 2, aimMs: 15 },
    ]
  : [
      { sessions: 1, turnsEach: 60, aimMs: 5 },
      { sessions: 100, turnsEach: 10, aimMs: 15 },
    ]

interface Measured {
  /** Less the stages' real delays: seen by the client; inside the server. */
  readonly added: number[]
  readonly inside: number[]
  /** Less the stages' delays as told: their timers' lateness counts as the server's. */
  readonly addedAtMost: number[]
}

const printed: string[][] = []
const aims: (() => void)[] = []

async function floor(sessions: number): Promise<Float64Array> {
  const echo = startProcess<EchoApi>('echo', { core: 0 })
  const generator = startProcess<GeneratorApi>('generator', { core: 1 })
  const url = await echo.call('start', null)
  const durationMs = SHORT ? 3000 : 10_000
  const { roundTrips } = await generator.call('echo', {
    url,
    format: 'pcm16',
    clip: 'ten-of-clubs',
    sessions,
    durationMs,
  })
  await Promise.all([echo.stop(), generator.stop()])
  return roundTrips
}

async function measure(sessions: number, turnsEach: number): Promise<Measured> {
  const server = startProcess<ServerApi>('server', { core: 0, nodeArgs: ['--expose-gc'] })
  const generator = startProcess<GeneratorApi>('generator', { core: 1 })
  const { url } = await server.call('start', {
    models: 'bench',
    vad: 'silero',
    stages: STAGES,
    pipelines: ['bench'],
    turnsKept: 10_000,
  })
  const talk: TalkOptions = {
    url,
    pipeline: 'bench',
    format: 'pcm16',
    clips: ['ten-of-clubs', 'seven-of-clubs'],
    sessions,
    silenceMs: 300,
    leadMs: null,
    turnsEach,
    limitMs: 180_000,
    pauseMs: [200, 700],
    // Words 1.1 s, silence 0.3, stages 0.1, answer 0.2, pause 0.7.
    spreadMs: 2500,
    playback: 'heard',
    afterwards: 'hang up',
    frames: 'first',
  }
  // A server at work has its code compiled: with one caller alone that would take some hundred turns.
  await generator.call('talk', { ...talk, sessions: Math.max(20, sessions), turnsEach: SHORT ? 1 : 6 })
  await server.call('realDelays', null)
  const before = await server.call('sample', { heap: 'clean' })
  const profile = option('profile')
  if (profile) await server.call('startProfile', null)
  const result = await generator.call('talk', talk)
  if (profile) await server.call('stopProfile', { file: `${profile}-${sessions}.cpuprofile` })
  const after = await server.call('sample', { heap: 'as it is' })
  const real = await server.call('realDelays', null)
  const records = new Map(
    (await server.call('records', null)).map((record) => [record.text.user, record] as const),
  )
  await server.call('close', null)
  await Promise.all([server.stop(), generator.stop()])

  const measured: Measured = { added: [], inside: [], addedAtMost: [] }
  for (const { n, decidedAt, firstAudioAt } of result.turns) {
    const delays = real.get(n)
    const marks = records.get(`question ${n}`)?.marks
    if (!delays || !marks) continue
    const stagesMs = delays.sttMs + delays.llmMs + delays.ttsMs
    measured.added.push(firstAudioAt - decidedAt - stagesMs)
    measured.addedAtMost.push(firstAudioAt - decidedAt - NOMINAL_MS)
    measured.inside.push(marks.firstAudioSent! - marks.committed! - stagesMs)
  }
  const busy = (after.cpuMs - before.cpuMs) / (after.atMs - before.atMs)
  console.log(
    `${sessions} sessions: ${measured.added.length} turns, ${sessions * turnsEach - measured.added.length} missing, ${result.errors} errors; server core ${Math.round(busy * 100)} % busy, its event loop 99.9 % within ${ms(after.loopDelayMs)} ms; generator at worst ${ms(result.ownLatenessMs)} ms late ${result.lastError}`,
  )
  return measured
}

function row(name: string, sessions: number, values: ArrayLike<number>): void {
  const cells = [0.5, 0.95, 0.99].map((q) => ms(quantile(values, q)))
  printed.push([name, String(sessions), String(values.length), ...cells])
}

printTitle('What the server adds to a turn, ms', 'pinned')
for (const { sessions, turnsEach, aimMs } of CASES) {
  const echoed = await floor(sessions)
  const { added, inside, addedAtMost } = await measure(sessions, turnsEach)
  row('bare ws echo of the same frames', sessions, echoed)
  row('last frame of silence → first audio, less the stages', sessions, added)
  row('  the same inside the server, by its turn record', sessions, inside)
  row('  less the stages as told, their timers counted in', sessions, addedAtMost)
  const p95 = quantile(added, 0.95)
  const aim = `p95 within ${aimMs} ms at ${sessions}`
  aims.push(() => printAim(aim, p95 <= aimMs ? 'met' : 'missed', `${ms(p95)} ms`))
}
console.log()
printTable(['', 'sessions', 'samples', 'p50', 'p95', 'p99'], printed)
for (const print of aims) print()
