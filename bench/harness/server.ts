/** The server under measurement, in a process of its own: `buildApp` with the benchmark's stages, and its gauges. */
import type { EventEmitter } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { Session as Inspector } from 'node:inspector/promises'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { queryObjects } from 'node:v8'
import { WebSocket } from 'ws'
import { type App, buildApp, type Embedded } from '../../src/app.ts'
import { type Clock, realClock, settled } from '../../src/clock.ts'
import { letHeapGrow } from '../../src/command/heap.ts'
import { loadPipelines } from '../../src/config/pipeline-set.ts'
import { parseSettings } from '../../src/config/settings.ts'
import { Ear } from '../../src/listen/ear.ts'
import type { Vad } from '../../src/listen/vad.ts'
import { Pacer } from '../../src/playout/pacer.ts'
import { createSileroVad } from '../../src/provider/local/vad/index.ts'
import { LiveSession } from '../../src/session/live-session.ts'
import { Track } from '../../src/session/speaker.ts'
import type { TurnRecord } from '../../src/trace/record.ts'
import { Connection } from '../../src/wire/realtime/connection.ts'
import { Call } from '../../src/wire/telephony/call/call.ts'
import { Link } from '../../src/wire/telephony/call/link.ts'
import { FakeVad } from '../../test/support/fake-vad.ts'
import { type Api, serveParent } from './process.ts'
import { BenchStages, type RealDelays, type StageDelays } from './stages.ts'

export interface ServerConfig {
  /** `bench`: the benchmark's stages and the named voice detector. `local`: all embedded models. */
  readonly models: 'bench' | 'local'
  /** `loudness` needs no model. */
  readonly vad: 'silero' | 'loudness'
  readonly stages: StageDelays
  /** Files of `bench/pipelines`; the first is the default. */
  readonly pipelines: readonly string[]
  readonly turnsKept: number
  /** Lines of `parley.yaml` beside what every benchmark has. */
  readonly settings?: string
}

/** Totals of the process at one moment. */
export interface Sample {
  readonly rssBytes: number
  /** JavaScript heap and the memory outside that it holds. */
  readonly heapBytes: number
  /** All threads; the main one alone where Linux tells it, else NaN. */
  readonly cpuMs: number
  readonly mainCpuMs: number
  readonly atMs: number
  readonly sessions: number
  /** Timers of the clock that wait. */
  readonly timers: number
  /** Of the process and of the HTTP server: what a session forgot to take off. */
  readonly listeners: number
  /** What keeps the event loop alive, by kind. */
  readonly resources: Readonly<Record<string, number>>
  /** 99.9th percentile of the event loop's delay since the last sample. */
  readonly loopDelayMs: number
}

export interface ServerApi extends Api {
  start(config: ServerConfig): Promise<{ readonly url: string; readonly advice: readonly string[] }>
  /** `clean`: after a full collection. */
  sample(options: { readonly heap: 'clean' | 'as it is' }): Promise<Sample>
  /** Live objects by class, after a full collection. */
  objects(_: null): Promise<Readonly<Record<string, number>>>
  realDelays(_: null): Promise<Map<number, RealDelays>>
  records(_: null): Promise<readonly TurnRecord[]>
  startProfile(_: null): Promise<void>
  /** Writes a `.cpuprofile`. */
  stopProfile(options: { readonly file: string }): Promise<void>
  close(_: null): Promise<void>
}

const COUNTED = { LiveSession, Connection, Call, Link, Ear, Track, Pacer, WebSocket }

class CountingClock implements Clock {
  pending = 0
  now = realClock.now
  wallMs = realClock.wallMs

  setTimer(delayMs: number, fire: () => void) {
    this.pending++
    let waiting = true
    const done = () => {
      if (waiting) this.pending--
      waiting = false
    }
    const timer = realClock.setTimer(delayMs, () => {
      done()
      fire()
    })
    return {
      cancel: () => {
        done()
        timer.cancel()
      },
    }
  }
}

const clock = new CountingClock()
const loopDelay = monitorEventLoopDelay({ resolution: 5 })
loopDelay.enable()
let app: App | undefined
let stages: BenchStages | undefined
let profiler: Inspector | undefined

/** A detector each, since one would remember all its streams. */
const loudness: Vad = { open: (options) => new FakeVad().open(options) }

const note = (message: string) => console.error(`  server: ${message}`)

async function embedded(vad: ServerConfig['vad']): Promise<Embedded> {
  if (vad === 'loudness') return { name: 'local', vad: loudness, advice: [], close: async () => {} }
  const silero = await createSileroVad({ clock, note })
  return { name: 'local', vad: silero, advice: [], close: () => silero.close() }
}

const api: ServerApi = {
  async start(config) {
    const text = `limits: { sessions: 5000, turnsKept: ${config.turnsKept} }\nlog: { level: error }\n${config.settings ?? ''}`
    const settings = parseSettings(text, null, { env: {}, listen: { host: '127.0.0.1', port: 0 } })
    const files = config.pipelines.map((name) =>
      fileURLToPath(new URL(`../pipelines/${name}.yaml`, import.meta.url)),
    )
    stages = new BenchStages(config.stages)
    letHeapGrow()
    app = await buildApp(settings, loadPipelines({ files }), {
      clock,
      providers: [stages],
      ...(config.models === 'bench' ? { embedded: await embedded(config.vad) } : {}),
    })
    const url = await app.listen()
    return { url: url.replace(/^http/, 'ws'), advice: app.advice }
  },

  async sample({ heap }) {
    if (heap === 'clean') await collect()
    const { rss, heapUsed, external } = process.memoryUsage()
    const { user, system } = process.cpuUsage()
    const resources: Record<string, number> = {}
    for (const one of process.getActiveResourcesInfo()) resources[one] = (resources[one] ?? 0) + 1
    const loopDelayMs = loopDelay.percentile(99.9) / 1e6
    loopDelay.reset()
    return {
      rssBytes: rss,
      heapBytes: heapUsed + external,
      cpuMs: (user + system) / 1000,
      mainCpuMs: mainThreadCpuMs(),
      atMs: performance.now(),
      sessions: app?.host.size ?? 0,
      timers: clock.pending,
      listeners: listenersOf(process) + (app ? listenersOf(app.http.server) : 0),
      resources,
      loopDelayMs,
    }
  },

  async objects() {
    await collect()
    return Object.fromEntries(
      Object.entries(COUNTED).map(([name, type]) => [
        name,
        queryObjects(type as new () => unknown, { format: 'count' }),
      ]),
    )
  },

  async realDelays() {
    return stages?.takeReal() ?? new Map()
  },

  async records() {
    const records: TurnRecord[] = []
    for (let after = ''; ; ) {
      const query = `/v1/turns?limit=200${after && `&after=${after}`}`
      const reply = await app!.http.inject({ url: query, headers: { host: '127.0.0.1' } })
      const page = reply.json<{ data: TurnRecord[]; has_more: boolean; last_id: string }>()
      records.push(...page.data)
      if (!page.has_more) return records
      after = page.last_id
    }
  },

  async startProfile() {
    profiler = new Inspector()
    profiler.connect()
    await profiler.post('Profiler.enable')
    await profiler.post('Profiler.setSamplingInterval', { interval: 200 })
    await profiler.post('Profiler.start')
  },

  async stopProfile({ file }) {
    const { profile } = await profiler!.post('Profiler.stop')
    writeFileSync(file, JSON.stringify(profile))
    profiler!.disconnect()
  },

  async close() {
    await app?.close()
  },
}

function listenersOf(emitter: EventEmitter): number {
  return emitter.eventNames().reduce((sum, name) => sum + emitter.listenerCount(name), 0)
}

/** In ticks of 10 ms; what follows the command's closing parenthesis begins with the third field. */
function mainThreadCpuMs(): number {
  try {
    const fields = readFileSync(`/proc/self/task/${process.pid}/stat`, 'latin1').split(') ')[1]!.split(' ')
    return (Number(fields[11]) + Number(fields[12])) * 10
  } catch {
    return Number.NaN
  }
}

/** Thrice, with the loop free between: finalisers of the first free what the second collects. */
async function collect(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.()
    await settled()
  }
}

serveParent(api)
