/**
 * `npm run bench:gateway`: Parley's HTTP gateway beside two floors of `fastify` and `undici` and beside Portkey's gateway, which
 * it installs for the purpose. About seven minutes; `-- --short` for CI: half a minute, without Portkey unless it is installed.
 *
 * Each contender is a process of its own on core 0; upstream and load share core 1. Rounds take turns, so that what the machine
 * does meets all alike. Every answer is checked word by word; the exit code is 1 when one was wrong, whatever the times were.
 *
 * `-- --only parley` leaves the others out but for the floor that the ratios are to.
 * `-- --profile [pass|rewrite|parley|portkey]` profiles one contender instead and prints where its time goes.
 */
import { rmSync } from 'node:fs'
import { UPSTREAM_KEY, UPSTREAM_MODEL } from './gateway/answer.ts'
import { buildFloor, buildServer, findPortkey, PROFILES } from './gateway/build.ts'
import { Contender, type ContenderSpec } from './gateway/contender.ts'
import { floorSpec, parleySpec, portkeySpec } from './gateway/contenders.ts'
import type { LoadApi } from './gateway/load.ts'
import { Bench, type Phase, type Round, type Subject } from './gateway/phases.ts'
import {
  byOwner,
  monotonicUs,
  readProfile,
  type SelfTime,
  selfTimes,
  type Window,
} from './gateway/profile.ts'
import { printFigures } from './gateway/table.ts'
import type { UpstreamApi } from './gateway/upstream.ts'
import { startProcess } from './harness/process.ts'
import { option, printTable, printTitle, SHORT } from './report.ts'

const ROUNDS = SHORT ? 2 : 5
const CONTENDERS = ['pass', 'rewrite', 'parley', 'portkey'] as const
type ContenderName = (typeof CONTENDERS)[number]

const only = option('only')
  ?.split(',')
  .map((one) => named(one))

const upstream = startProcess<UpstreamApi>('../gateway/upstream', { core: 1 })
const load = startProcess<LoadApi>('../gateway/load', { core: 1 })
const { port: upstreamPort } = await upstream.call('start', null)
const bench = new Bench(upstream, load)

printTitle('The HTTP gateway', 'pinned')
if (process.argv.includes('--profile')) await profile(named(option('profile')))
else await compare()
await Promise.all([upstream.stop(), load.stop()])

/** Parley when none is named. */
function named(text = 'parley'): ContenderName {
  const found = text.startsWith('--') ? 'parley' : CONTENDERS.find((one) => one === text)
  if (found === undefined) throw new Error(`${text} is none of ${CONTENDERS.join(', ')}`)
  return found
}

/** A sentence when it is not to be had. */
function specOf(name: ContenderName): ContenderSpec | { readonly skipped: string } {
  switch (name) {
    case 'pass':
    case 'rewrite':
      return floorSpec(buildFloor(), name, upstreamPort)
    case 'parley':
      return parleySpec(buildServer(), upstreamPort)
    case 'portkey': {
      const found = findPortkey()
      return 'skipped' in found ? found : portkeySpec(found.script, upstreamPort)
    }
  }
}

async function start(name: ContenderName, nodeArgs: readonly string[] = []): Promise<Contender | null> {
  const spec = specOf(name)
  if ('skipped' in spec) {
    console.log(`skipped: ${name}: ${spec.skipped}\n`)
    return null
  }
  return Contender.start(spec, nodeArgs)
}

async function compare(): Promise<void> {
  const headers = { authorization: `Bearer ${UPSTREAM_KEY}` }
  const direct: Subject = {
    name: 'the upstream itself',
    target: { port: upstreamPort, model: UPSTREAM_MODEL, headers },
    contender: null,
  }
  const subjects = [direct]
  for (const name of CONTENDERS) {
    if (only && !only.includes(name) && name !== 'rewrite') continue
    const contender = await start(name)
    if (contender) subjects.push({ name: contender.name, target: contender.target, contender })
  }
  for (const subject of subjects) await bench.warm(subject)
  const rounds = new Map<Subject, Round[]>(subjects.map((subject) => [subject, []]))
  for (let n = 0; n < ROUNDS; n++) {
    // Nobody is always the first after the pause, or always behind the same other.
    for (const i of subjects.keys()) {
      const subject = subjects[(i + n) % subjects.length]!
      rounds.get(subject)!.push(await bench.round(subject))
    }
  }
  printFigures([...rounds].map(([subject, those]) => ({ subject, rounds: those })))
  await judge([...rounds].flatMap(([subject, those]) => those.map((round) => ({ subject, round }))))
  await Promise.all(subjects.map((subject) => subject.contender?.stop()))
}

/** By structure only: how fast it was is not asked. */
async function judge(all: readonly { readonly subject: Subject; readonly round: Round }[]): Promise<void> {
  let answers = 0
  for (const { subject, round } of all) {
    for (const [phase, { result }] of Object.entries(round)) {
      answers += result.answers
      if (result.wrong === 0 && result.answers > 0) continue
      process.exitCode = 1
      console.log(`${subject.name}, ${phase}: ${result.wrong} of ${result.answers} wrong: ${result.fault}`)
    }
  }
  const { refused } = await upstream.call('read', null)
  if (refused > 0) {
    process.exitCode = 1
    console.log(`the upstream refused ${refused} requests`)
  }
  if (process.exitCode === undefined) console.log(`all ${answers} answers arrived whole`)
}

async function profile(name: ContenderName): Promise<void> {
  rmSync(PROFILES, { recursive: true, force: true })
  const flags = ['--cpu-prof', `--cpu-prof-dir=${PROFILES}`, '--cpu-prof-interval=200']
  const contender = await start(name, flags)
  if (!contender) return
  const subject: Subject = { name: contender.name, target: contender.target, contender }
  await bench.warm(subject)
  const windows: { readonly phase: Phase; readonly window: Window; readonly answers: number }[] = []
  // Not the paced streams: on a core with free time the sampling thread mostly runs while the main one waits.
  for (const phase of ['plain', 'burst'] as const) {
    const fromUs = monotonicUs()
    const { result } = await bench.measure(subject, phase)
    if (result.wrong > 0) throw new Error(`${phase}: ${result.fault}`)
    windows.push({ phase, window: { fromUs, toUs: monotonicUs() }, answers: result.answers })
  }
  await contender.stop()
  const read = readProfile(PROFILES)
  for (const { phase, window, answers } of windows) {
    const times = selfTimes(read, window)
    const all = times.reduce((sum, one) => sum + one.us, 0)
    const print = (head: string, rows: readonly SelfTime[]) =>
      printTable(
        [head, 'µs an answer', 'share'],
        rows.map(({ name: what, us }) => [
          what,
          (us / answers).toFixed(1),
          `${((100 * us) / all).toFixed(1)} %`,
        ]),
      )
    console.log(
      `${contender.name}, ${phase}: ${answers} answers, ${(all / answers).toFixed(0)} µs each while profiled\n`,
    )
    print('self time by function', times.slice(0, 30))
    print('by room or package', byOwner(times).slice(0, 15))
  }
  console.log(`the profile: ${PROFILES}`)
}
