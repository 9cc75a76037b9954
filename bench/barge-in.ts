/**
 * Interruptions while the answer is still being made. Run: `npm run bench:barge-in`; `-- --short` for some seconds.
 *
 * Callers, half of them reading slowly, speak into every answer at a random moment (human speech, Silero). What of the cut answer
 * still reached them after `speech_started`, and how long that event took from the frame that made the interruption sure.
 */
import type { GeneratorApi } from './harness/generator.ts'
import { startProcess } from './harness/process.ts'
import type { ServerApi } from './harness/server.ts'
import { ms, option, printAim, printTable, printTitle, quantile, SHORT } from './report.ts'

const sessions = Number(option('sessions') ?? (SHORT ? 20 : 100))
const PREFIX_PADDING_MS = 300
/** The detector judges windows of 32 ms: the end of the seventh is the first by which there were 200 ms of speech. */
const CONFIRM_MS = 7 * 32
const AIM_P99_MS = 20

printTitle(`bench:barge-in: ${sessions} callers interrupt answers that are still being made`, 'pinned')
const server = startProcess<ServerApi>('server', { core: 0 })
const generator = startProcess<GeneratorApi>('generator', { core: 1 })
try {
  const { url } = await server.call('start', {
    models: 'bench',
    vad: 'silero',
    // A voice at twice real time: of 20 s most is not there yet when the caller interrupts.
    stages: { sttMs: 60, llmMs: 100, ttsMs: 60, answerMs: 20_000, chunkEveryMs: 50 },
    pipelines: ['bench'],
    turnsKept: 100,
  })
  const { interruptions, late, slowLate, delaysMs, errors, ownLatenessMs } = await generator.call(
    'interrupt',
    {
      url,
      pipeline: 'bench',
      format: 'pcmu',
      sessions,
      silenceMs: 500,
      roundsEach: SHORT ? 2 : 5,
      limitMs: SHORT ? 20_000 : 60_000,
      padMs: PREFIX_PADDING_MS + CONFIRM_MS,
    },
  )
  const count = (of: readonly number[]) => of.filter((n) => n > 0).length
  printTable(
    ['reader', 'interruptions', 'with late sound', 'late events', 'p50 ms', 'p95 ms', 'p99 ms'],
    [
      ['fast', late, delaysMs],
      ['slow', slowLate, []],
    ].map(([reader, events, delays]) => [
      String(reader),
      String((events as number[]).length),
      String(count(events as number[])),
      String((events as number[]).reduce((sum, n) => sum + n, 0)),
      ...[0.5, 0.95, 0.99].map((q) => ms(quantile(delays as number[], q))),
    ]),
  )
  console.log(
    `${interruptions} interruptions, ${errors} errors; the generator was ${ms(ownLatenessMs)} ms late at worst\n`,
  )
  const lateAll = count(late) + count(slowLate)
  printAim(
    'no sound of a cut answer after speech_started',
    lateAll === 0 ? 'met' : 'missed',
    `${lateAll} with`,
  )
  const p99 = quantile(delaysMs, 0.99)
  printAim(
    `sure to told within ${AIM_P99_MS} ms at p99`,
    p99 <= AIM_P99_MS ? 'met' : 'missed',
    `${ms(p99)} ms`,
  )
  if (interruptions === 0 || lateAll > 0) process.exitCode = 1
} finally {
  await generator.stop()
  await server.stop()
}
