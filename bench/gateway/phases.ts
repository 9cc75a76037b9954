/** One round of one contender: every load in turn, and what it cost the contender's process. */
import type { Remote } from '../harness/process.ts'
import { SHORT } from '../report.ts'
import { CHUNKS } from './answer.ts'
import type { Contender } from './contender.ts'
import type { Kind, LoadApi, LoadResult, Target } from './load.ts'
import type { UpstreamApi } from './upstream.ts'

export const PACED_STREAMS = 60
export const CHUNK_MS = 20

/** Milliseconds each load lasts. */
const LAST = SHORT
  ? { plain: 600, burst: 600, serial: 400, paced: 600 }
  : { plain: 3000, burst: 3000, serial: 2000, paced: 4000 }

/** By answers, since a busy machine gives little in a given time; at most so many runs. */
const WARM = SHORT
  ? { plain: 1500, stream: 300, runs: 20, runMs: 250 }
  : { plain: 8000, stream: 2000, runs: 20, runMs: 500 }

/** Paced streams begin within this: no chorus. */
const SPREAD_MS = SHORT ? 500 : CHUNKS * CHUNK_MS

/** Enough that the contender never waits for the load, and few enough that it does not queue for seconds. */
const CONNECTIONS = { plain: 32, burst: 16 }

export const PHASES = ['plain', 'burst', 'serial', 'paced'] as const
export type Phase = (typeof PHASES)[number]

export interface Cost {
  readonly result: LoadResult
  /** Of the contender; NaN for the upstream alone. */
  readonly cpuMs: number
  /** Share of their core that upstream and load took. */
  readonly loadBusy: number
}

export type Round = Readonly<Record<Phase, Cost>>

/** `contender` null: the load asks the upstream itself. */
export interface Subject {
  readonly name: string
  readonly target: Target
  readonly contender: Contender | null
}

export class Bench {
  readonly #upstream: Remote<UpstreamApi>
  readonly #load: Remote<LoadApi>

  constructor(upstream: Remote<UpstreamApi>, load: Remote<LoadApi>) {
    this.#upstream = upstream
    this.#load = load
  }

  /** Until what is hot is compiled. Throws when an answer is wrong: nothing that follows would mean anything. */
  async warm({ name, target }: Subject): Promise<void> {
    await this.#pace(0)
    for (const kind of ['plain', 'stream'] as const) {
      let all = 0
      for (let n = 0; n < WARM.runs && all < WARM[kind]; n++) {
        const { answers, wrong, fault } = await this.#run(target, kind, 8, WARM.runMs, 0)
        if (wrong > 0 || answers === 0) throw new Error(`${name}, ${kind}: ${fault || 'no answer'}`)
        all += answers
      }
    }
  }

  async round(subject: Subject): Promise<Round> {
    return {
      plain: await this.measure(subject, 'plain'),
      burst: await this.measure(subject, 'burst'),
      serial: await this.measure(subject, 'serial'),
      paced: await this.measure(subject, 'paced'),
    }
  }

  async measure({ target, contender }: Subject, phase: Phase): Promise<Cost> {
    await this.#pace(phase === 'paced' ? CHUNK_MS : 0)
    const ownBefore = await this.#ownCpuMs()
    const before = contender?.cpuMs() ?? Number.NaN
    const result = await this.#runPhase(target, phase)
    const cpuMs = (contender?.cpuMs() ?? Number.NaN) - before
    return { result, cpuMs, loadBusy: ((await this.#ownCpuMs()) - ownBefore) / result.tookMs }
  }

  #runPhase(target: Target, phase: Phase): Promise<LoadResult> {
    switch (phase) {
      case 'plain':
        return this.#run(target, 'plain', CONNECTIONS.plain, LAST.plain, 0)
      case 'burst':
        return this.#run(target, 'stream', CONNECTIONS.burst, LAST.burst, 0)
      case 'serial':
        return this.#run(target, 'plain', 1, LAST.serial, 0)
      case 'paced':
        return this.#run(target, 'stream', PACED_STREAMS, LAST.paced, SPREAD_MS)
    }
  }

  #run(
    target: Target,
    kind: Kind,
    connections: number,
    lastMs: number,
    spreadMs: number,
  ): Promise<LoadResult> {
    return this.#load.call('run', { target, kind, connections, lastMs, spreadMs })
  }

  async #pace(chunkMs: number): Promise<void> {
    await this.#upstream.call('setPace', { chunkMs })
  }

  async #ownCpuMs(): Promise<number> {
    const both = await Promise.all([this.#upstream.call('read', null), this.#load.call('read', null)])
    return both[0].cpuMs + both[1].cpuMs
  }
}
