/**
 * `npm run bench:speech`: the CPU that an adapter takes for a second of audio, in or out, over its provider's double on loopback, beside
 * a bare client of `ws` or undici that sends the same messages, of the same sizes, with the same base64 and JSON. Seven minutes;
 * `-- --short` for CI: under one.
 *
 * Sixteen streams, or eight answers, at once; each adapter and its bare client are processes of their own on core 0, the doubles on core 1, in turns,
 * so that what the machine does meets both alike; a figure is the lower quartile of its rounds, less what their pacing costs. Ratios count. The exit code is 1 when a double held something against its
 * client, or other sound came than was spoken, whatever the times were.
 *
 * `-- --only Deepgram` measures one; `-- --profile Deepgram` prints where its time goes.
 */
import { rmSync } from 'node:fs'
import { PROFILES } from './gateway/build.ts'
import { byOwner, monotonicUs, readProfile, selfTimes } from './gateway/profile.ts'
import { startProcess } from './harness/process.ts'
import { ms, option, printAim, printTable, printTitle, quantile, SHORT } from './report.ts'
import type { BareApi } from './speech/bare.ts'
import type { DoublesApi } from './speech/doubles.ts'
import type { OursApi } from './speech/ours.ts'
import { SUBJECTS, type Subject, subjectOf } from './speech/subjects.ts'

const AIM = 1.5
const profiled = option('profile')
const only = profiled ?? option('only')
/** A round is some milliseconds of work: fewer are still being compiled, and a collection in one of them weighs more than the adapter. */
const WARM = SHORT ? 0 : 25
const ROUNDS = SHORT ? 1 : 30
const flags = ['--cpu-prof', `--cpu-prof-dir=${PROFILES}`, '--cpu-prof-interval=200']

if (profiled !== undefined) rmSync(PROFILES, { recursive: true, force: true })
const doubles = startProcess<DoublesApi>('../speech/doubles', { core: 1 })
const shared = SHORT ? startBoth() : undefined

interface Figures {
  readonly ours: number
  readonly bare: number
  readonly ratio: number
}

printTitle('CPU for a second of audio', 'pinned')
const subjects = only === undefined ? SUBJECTS : [subjectOf(only)]
/** Of the profile. */
let fromUs = 0
const missed: string[] = []
const rows: string[][] = []
for (const subject of subjects) {
  const figures = await measure(subject)
  const met = figures.ratio <= AIM
  if (!met) missed.push(subject.title)
  const what = subject.stage === 'stt' ? 'in' : 'out'
  const { title } = subject
  rows.push([
    title,
    what,
    ms(figures.ours),
    ms(figures.bare),
    figures.ratio.toFixed(2),
    SHORT ? '–' : met ? 'met' : 'missed',
  ])
}
const windowUs = { fromUs, toUs: monotonicUs() }
await Promise.all([doubles.stop(), shared?.ours.stop(), shared?.bare.stop()])
printTable(['adapter', 'audio', 'ms a second', 'bare', 'times', `within ${AIM}`], rows)
if (SHORT) console.log('one round of cold code each: what goes wrong is judged, the times are not')
else
  printAim(
    `no adapter takes more than ${AIM} times what the bare client does`,
    missed.length === 0 ? 'met' : 'missed',
    missed.length === 0 ? `all ${rows.length}` : `${missed.length} of ${rows.length}: ${missed.join(', ')}`,
  )
if (profiled !== undefined) printProfile()

function startBoth() {
  const nodeArgs = profiled === undefined ? [] : flags
  return {
    ours: startProcess<OursApi>('../speech/ours', { core: 0, nodeArgs }),
    bare: startProcess<BareApi>('../speech/bare', { core: 0 }),
  }
}

/** In processes of its own: what other adapters left in the heap and in the compiler is no figure of this one. */
async function measure({ title }: Subject): Promise<Figures> {
  const place = await doubles.call('start', title)
  const { ours, bare } = shared ?? startBoth()
  const recording = await ours.call('record', { title, place })
  await bare.call('load', recording)
  const rounds: Omit<Figures, 'ratio'>[] = []
  let pacing = { ours: 0, bare: 0 }
  for (let n = 0; n < WARM + ROUNDS; n++) {
    if (n === WARM) {
      // Of voices nothing is paced.
      if (recording.stage === 'stt') {
        pacing = {
          ours: await ours.call('pacing', undefined as never),
          bare: await bare.call('pacing', undefined as never),
        }
      }
      fromUs = monotonicUs()
    }
    const one = await ours.call('round', undefined as never)
    const other = await bare.call('round', undefined as never)
    if (recording.stage === 'tts' && (one.came !== recording.soundBytes || other.came !== one.came)) {
      process.exitCode = 1
      console.log(`${title}: ${one.came} bytes of sound came, ${other.came} of them to the bare client`)
    }
    const seconds = one.audioMs / 1000
    const cost = { ours: (one.cpuMs - pacing.ours) / seconds, bare: (other.cpuMs - pacing.bare) / seconds }
    if (n >= WARM) rounds.push(cost)
  }
  await ours.call('close', undefined as never)
  const mistakes = await doubles.call('stop', title)
  if (!shared) await Promise.all([bare.stop(), ours.stop()])
  if (mistakes.length > 0) {
    process.exitCode = 1
    console.log(`${title}: its double has against its clients: ${mistakes.slice(0, 3).join('; ')}`)
  }
  // What else the machine does only adds.
  const quiet = (of: 'ours' | 'bare') =>
    quantile(
      rounds.map((round) => round[of]),
      0.25,
    )
  return { ours: quiet('ours'), bare: quiet('bare'), ratio: quiet('ours') / quiet('bare') }
}

function printProfile(): void {
  const times = selfTimes(readProfile(PROFILES), windowUs)
  const all = times.reduce((sum, { us }) => sum + us, 0)
  const print = (head: string, lines: typeof times) =>
    printTable(
      [head, 'ms', 'share'],
      lines.map(({ name, us }) => [name, ms(us / 1000), `${((100 * us) / all).toFixed(1)} %`]),
    )
  print('self time by function', times.slice(0, 40))
  print('by room or package', byOwner(times).slice(0, 15))
}
