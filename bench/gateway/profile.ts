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

/** The same by room of the server, package, or part of Node, the most first. */
export function byOwner(times: readonly SelfTime[]): SelfTime[] {
  return sorted(totalsOf(times.map(({ name, us }) => [ownerOf(name), us])))
}

/** `dist/gateway` of `serve  dist/gateway/llm/serve.js:17`. */
function ownerOf(name: string): string {
  const [what = '', place] = name.split('  ')
  if (place === undefined) return what.startsWith('(') ? what : 'V8 and Node, native'
  if (place.startsWith('node:')) return 'Node, JavaScript'
  const parts = place.replace(/:\d+$/, '').split('/')
  return parts[0] === 'dist' || parts[0]!.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0]!
}

function totalsOf(entries: Iterable<readonly [string, number]>): Map<string, number> {
  const totals = new Map<string, number>()
  for (const [name, us] of entries) totals.set(name, (totals.get(name) ?? 0) + us)
  return totals
}

function sorted(totals: ReadonlyMap<string, number>): SelfTime[] {
  return [...totals].map(([name, us]) => ({ name, us })).sort((a, b) => b.us - a.us)
}

/** By function, the most first; what waits for work is left out. */
export function selfTimes({ nodes, startTime, samples, timeDeltas }: Profile, window: Window): SelfTime[] {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]))
  const entries: [string, number][] = []
  let atUs = startTime
  samples.forEach((id, n) => {
    // A sample stands for the time until the next one.
    atUs += timeDeltas[n] ?? 0
    const us = timeDeltas[n + 1] ?? 0
    const name = names.get(id) ?? '?'
    if (atUs < window.fromUs || atUs > window.toUs || name === '(idle)' || us < 0) return
    entries.push([name, us])
  })
  return sorted(totalsOf(entries))
}

function nameOf({ functionName, url, lineNumber }: Profile['nodes'][number]['callFrame']): string {
  const name = functionName || '(anonymous)'
  if (url === '') return name
  const place = url.replace(/^.*\/node_modules\//, '').replace(/^file:\/\/.*\/dist\//, 'dist/')
  return `${name}  ${place}:${lineNumber + 1}`
}
