/** What Prometheus may ask. All of a turn's figures come from its record, so the two can never disagree. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Exposure } from '../experiment/book.ts'
import { LabelBound } from './label-bound.ts'
import { type ProcessWatch, watchProcess } from './process-metrics.ts'
import type { TurnRecord } from './record.ts'

/** Seconds, finest where a conversation feels it: 100 ms to 3 s. */
const LATENCY_BUCKETS_S = [0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1, 1.25, 1.5, 2, 3, 5, 10]
/** Above any sensible set-up; beyond it the label says `other`. */
const MAX_PIPELINES = 200
const MAX_TARGETS = 200
const MAX_WIRES = 20

export class Metrics {
  readonly registry = new Registry()
  readonly #pipelines = new LabelBound(MAX_PIPELINES)
  readonly #targets = new LabelBound(MAX_TARGETS)
  readonly #wires = new LabelBound(MAX_WIRES)
  readonly #drops = new LabelBound(20)
  readonly #routes = new LabelBound(MAX_TARGETS)
  readonly #variants = new LabelBound(MAX_TARGETS)
  readonly #process: ProcessWatch

  readonly #firstAudio = this.#histogram(
    'parley_turn_first_audio_seconds',
    "From the caller's end of speech to the first audio sent.",
    ['pipeline', 'wire'],
  )
  readonly #firstOutput = this.#histogram(
    'parley_request_first_output_seconds',
    'From an HTTP request to the first useful output of its answer.',
    ['pipeline', 'wire'],
  )
  readonly #stage = this.#histogram(
    'parley_attempt_first_output_seconds',
    'From the start of an attempt to its first useful output.',
    ['stage', 'provider', 'model', 'pipeline'],
  )
  readonly #attempts = this.#counter('parley_attempts_total', 'Attempts by how they ended.', [
    'stage',
    'provider',
    'model',
    'status',
    'kind',
  ])
  readonly #cached = this.#counter(
    'parley_speech_cached_total',
    'Phrases and sentences said from the cache: nobody was asked.',
    ['provider', 'model', 'pipeline'],
  )
  readonly #turns = this.#counter('parley_turns_total', 'Turns by outcome.', ['pipeline', 'outcome'])
  readonly #broken = this.#counter(
    'parley_turns_over_budget_total',
    'Turns over budget, by the part that broke it.',
    ['pipeline', 'part'],
  )
  readonly #budget = this.#counter(
    'parley_turn_budget_total',
    'Turns that owed an answer by voice: `kept`, or the part that broke the budget.',
    ['pipeline', 'route', 'result'],
  )
  readonly #degraded = this.#counter(
    'parley_turn_degraded_total',
    'Rungs of the ladder that were taken because time ran short.',
    ['pipeline', 'rung'],
  )
  readonly #exposures = this.#counter(
    'parley_experiment_exposures_total',
    'Conversations exposed to a variant.',
    ['experiment', 'variant'],
  )
  readonly #stops = this.#counter('parley_experiment_stops_total', 'Variants stopped by a guard-rail.', [
    'experiment',
    'variant',
    'metric',
  ])
  readonly #interruptions = this.#counter('parley_interruptions_total', 'Answers the caller interrupted.', [
    'pipeline',
  ])
  readonly #underruns = this.#counter('parley_underruns_total', "Times a listener's buffer ran dry.", [
    'pipeline',
  ])
  readonly #dropped = this.#counter('parley_dropped_total', 'Things dropped because a bound was reached.', [
    'what',
  ])
  readonly #refused = this.#counter('parley_sessions_refused_total', 'Sessions that were not opened.', [
    'code',
  ])
  readonly #closed = this.#counter('parley_sessions_closed_total', 'Sessions by why they ended.', [
    'wire',
    'reason',
  ])
  readonly #sessions = new Gauge({
    name: 'parley_sessions',
    help: 'Sessions open now.',
    labelNames: ['wire'],
    registers: [this.registry],
  })

  constructor() {
    this.#process = watchProcess(this.registry)
  }

  /** Once for each turn, when it is closed. A turn that is still open is not counted. */
  turn(record: TurnRecord): void {
    if (record.outcome === 'open') return
    const { actualMs } = record.budget
    if (actualMs !== null) this.#firstAudio.observe(this.#placeOf(record), Math.max(0, actualMs) / 1000)
    this.#count(record)
  }

  /** The same of an HTTP request: its budget is counted to its first output. */
  request(record: TurnRecord): void {
    const { actualMs } = record.budget
    if (actualMs !== null) this.#firstOutput.observe(this.#placeOf(record), Math.max(0, actualMs) / 1000)
    this.#count(record)
  }

  #placeOf({ pipeline, wire }: TurnRecord): { readonly pipeline: string; readonly wire: string } {
    return { pipeline: this.#pipelines.of(pipeline), wire: this.#wires.of(wire) }
  }

  #count(record: TurnRecord): void {
    const pipeline = this.#pipelines.of(record.pipeline)
    this.#turns.inc({ pipeline, outcome: record.outcome })
    const { actualMs, brokenBy } = record.budget
    if (brokenBy !== null) this.#broken.inc({ pipeline, part: brokenBy })
    if (actualMs !== null || brokenBy !== null) {
      const route = this.#routes.of(record.route.llm ?? '')
      this.#budget.inc({ pipeline, route, result: brokenBy ?? 'kept' })
    }
    for (const rung of record.budget.degraded) this.#degraded.inc({ pipeline, rung })
    if (record.heard?.interrupted) this.#interruptions.inc({ pipeline })
    if (record.underruns > 0) this.#underruns.inc({ pipeline }, record.underruns)
    for (const attempt of record.attempts) {
      const known = this.#targets.of(`${attempt.provider}/${attempt.model}`) !== 'other'
      const provider = known ? attempt.provider : 'other'
      const model = known ? attempt.model : 'other'
      const { stage, status, kind, firstOutputMs, startMs } = attempt
      if (attempt.reason === 'cached') {
        this.#cached.inc({ provider, model, pipeline })
        continue
      }
      this.#attempts.inc({ stage, provider, model, status, kind: kind ?? '' })
      if (firstOutputMs === null) continue
      this.#stage.observe({ stage, provider, model, pipeline }, Math.max(0, firstOutputMs - startMs) / 1000)
    }
  }

  exposed({ experiment, variant }: Exposure): void {
    this.#exposures.inc(this.#variantLabels(experiment, variant))
  }

  variantStopped({ experiment, variant }: Exposure, metric: string): void {
    this.#stops.inc({ ...this.#variantLabels(experiment, variant), metric })
  }

  #variantLabels(experiment: string, variant: string) {
    const known = this.#variants.of(`${experiment}/${variant}`) !== 'other'
    return known ? { experiment, variant } : { experiment: 'other', variant: 'other' }
  }

  sessionOpened(wire: string): void {
    this.#sessions.inc({ wire: this.#wires.of(wire) })
  }

  /** `limit`: the client flooded, or did not read. */
  sessionClosed(
    wire: string,
    reason: 'client' | 'expired' | 'drain' | 'limit' | 'idle' | 'error' = 'client',
  ): void {
    this.#sessions.dec({ wire: this.#wires.of(wire) })
    this.#closed.inc({ wire: this.#wires.of(wire), reason })
  }

  sessionRefused(code: 'server_full' | 'key_sessions_full' | 'draining' | 'no_pipeline'): void {
    this.#refused.inc({ code })
  }

  /** `what` names the bound: `stt-audio`, `vad-frames`, … */
  dropped(what: string, count = 1): void {
    this.#dropped.inc({ what: this.#drops.of(what) }, count)
  }

  /** The text a scrape reads. */
  async text(): Promise<string> {
    return this.registry.metrics()
  }

  /** Stops watching the event loop. Idempotent. */
  close(): void {
    this.#process.close()
  }

  #histogram<L extends string>(name: string, help: string, labelNames: readonly L[]): Histogram<L> {
    return new Histogram({ name, help, labelNames, buckets: LATENCY_BUCKETS_S, registers: [this.registry] })
  }

  #counter<L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.registry] })
  }
}
