/** What is known of targets and hedges, read when Prometheus asks: circuits, attempts, latencies, doubled calls. */
import { Gauge, type Registry } from 'prom-client'
import type { StageName } from '../errors.ts'
import { LabelBound } from './label-bound.ts'

/** Of one target, credentials taken together. */
export interface TargetTold {
  readonly stage: StageName
  /** `provider/model`. */
  readonly target: string
  readonly circuit: 'closed' | 'open' | 'halfOpen'
  readonly inFlight: number
  /** How often its circuit opened. */
  readonly opened: number
  readonly p50Ms: number
  readonly p95Ms: number
}

/** Of one target by one of its provider's keys; `''` where it has one without a name. */
export interface KeyTold extends Pick<TargetTold, 'stage' | 'target' | 'circuit'> {
  readonly credential: string
}

/** Of one route that hedges. */
export interface HedgeTold {
  readonly pipeline: string
  readonly route: string
  readonly calls: number
  readonly hedges: number
  readonly denied: number
  readonly won: number
  readonly lostUsd: number
}

export interface TargetSources {
  readonly targets: () => Iterable<TargetTold>
  readonly keys: () => Iterable<KeyTold>
  readonly hedges: () => Iterable<HedgeTold>
}

const CIRCUITS = { closed: 0, halfOpen: 1, open: 2 } as const
const MAX_SERIES = 200

/** Gauges, since the figures are kept where they are used, and only read here. */
export function watchTargets(registry: Registry, { targets, keys, hedges }: TargetSources): void {
  const bound = new LabelBound(MAX_SERIES)
  const boundOfKeys = new LabelBound(MAX_SERIES)
  const known = function* (): Generator<TargetTold> {
    for (const one of targets()) if (bound.of(`${one.stage} ${one.target}`) !== 'other') yield one
  }
  const ofTargets = (name: string, help: string, value: (one: TargetTold) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ['stage', 'target'],
      registers: [registry],
      collect() {
        this.reset()
        for (const one of known()) this.set({ stage: one.stage, target: one.target }, value(one))
      },
    })
  ofTargets(
    'parley_circuit_state',
    'Circuit of a target: 0 closed, 1 half open, 2 open.',
    (one) => CIRCUITS[one.circuit],
  )
  new Gauge({
    name: 'parley_key_circuit_state',
    help: "Circuit of a target by each of its provider's named keys: 0 closed, 1 half open, 2 open.",
    labelNames: ['stage', 'target', 'credential'],
    registers: [registry],
    collect() {
      this.reset()
      for (const { stage, target, credential, circuit } of keys()) {
        if (credential === '' || boundOfKeys.of(`${stage} ${target} ${credential}`) === 'other') continue
        this.set({ stage, target, credential }, CIRCUITS[circuit])
      }
    },
  })
  ofTargets('parley_circuit_opened', 'How often the circuit of a target opened.', (one) => one.opened)
  ofTargets('parley_attempts_in_flight', 'Attempts of a target that run now.', (one) => one.inFlight)
  const latency = (quantile: string, value: (one: TargetTold) => number) =>
    ofTargets(
      `parley_target_first_output_${quantile}_seconds`,
      `What routing takes for the ${quantile} of a target's first useful output.`,
      (one) => value(one) / 1000,
    )
  latency('p50', (one) => one.p50Ms)
  latency('p95', (one) => one.p95Ms)
  new Gauge({
    name: 'parley_hedges',
    help: 'Calls of routes that hedge: all, doubled, won by the second, denied by the share.',
    labelNames: ['pipeline', 'route', 'what'],
    registers: [registry],
    collect() {
      this.reset()
      for (const { pipeline, route, calls, hedges: doubled, won, denied } of hedges()) {
        for (const [what, count] of Object.entries({ calls, doubled, won, denied })) {
          this.set({ pipeline, route, what }, count)
        }
      }
    },
  })
  new Gauge({
    name: 'parley_hedges_lost_usd',
    help: 'What attempts cost that lost a hedge.',
    labelNames: ['pipeline', 'route'],
    registers: [registry],
    collect() {
      this.reset()
      for (const { pipeline, route, lostUsd } of hedges()) this.set({ pipeline, route }, lostUsd)
    },
  })
}
