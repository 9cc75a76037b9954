/** Reads a `.cpuprofile` of Node: which functions the time of a window went to. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Profile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  }[]
  /** Microseconds of the monotonic clock, as `process.hrtime` has it. */
  readonly startTime: number
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

export interface Window {
  /** Of the monotonic clock, microseconds. */
  readonly fromUs: number
  readonly toUs: number
}

export interface SelfTime {
  readonly name: string
  readonly us: number
}

/** Microseconds of the clock that profiles use. */
export function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1000n)
}

/** The main thread's newest profile in the folder. Throws when there is none. */
export function readProfile(folder: string): Profile {
  // CPU.DATE.TIME.PID.THREAD.SEQUENCE.cpuprofile
  const file = readdirSync(folder)
    .filter((name) => /^CPU\.\d+\.\d+\.\d+\.0\.\d+\.cpuprofile$/.test(name))
    .sort()
    .at(-1)
  if (file === undefined) throw new Error(`no profile in ${folder}`)
  return JSON.parse(readFileSync(join(folder, file), 'utf8')) as Profile
}

/** By function, the most first; what waits for work is left out. */
export function selfTimes({ nodes, startTime, samples, timeDeltas }: Profile, window: Window): SelfTime[] {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]))
  const totals = new Map<string, number>()
  let atUs = startTime
  samples.forEach((id, n) => {
    // A sample stands for the time until the next one.
    atUs += timeDeltas[n] ?? 0
    const us = timeDeltas[n + 1] ?? 0
    const name = names.get(id) ?? '?'
    if (atUs < window.fromUs || atUs > window.toUs || name === '(idle)' || us < 0) return
    totals.set(name, (totals.get(name) ?? 0) + us)
  })
  return [...totals].map(([name, us]) => ({ name, us })).sort((a, b) => b.us - a.us)
}

function nameOf({ functionName, url, lineNumber }: Profile['nodes'][number]['callFrame']): string {
  const name = functionName || '(anonymous)'
  if (url === '') return name
  const place = url.replace(/^.*\/node_modules\//, '').replace(/^file:\/\/.*\/dist\//, 'dist/')
  return `${name}  ${place}:${lineNumber + 1}`
}
