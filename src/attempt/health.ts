/**
 * What this process knows of every target: how fast, how often it fails, how many calls it has, and whether it may be asked.
 * Every attempt takes a ticket here and hands it back with how it went; decisions read the facts. One per process.
 */
import type { Clock } from '../clock.ts'
import type { ProviderErrorKind, StageName } from '../errors.ts'
import type { CircuitState, Target, TargetFacts } from '../route/candidates.ts'
import { LatencyBook, type LatencyView } from '../route/latency.ts'
import type { Prior } from '../route/priors.ts'
import { Circuit, type OpeningKind, type Pass } from './circuit.ts'

/** What does not change from call to call: from the adapter, the price table, the operator. */
export type Traits = Pick<TargetFacts, 'priceUsd' | 'quality' | 'languages' | 'capabilities'>

export interface HealthOptions {
  readonly clock: Clock
  /** Undefined: a target nobody offers. */
  readonly traits?: (stage: StageName, target: string) => Traits | undefined
  /** How fast a target is thought to be before anybody measured it; always the same object for the same target. */
  readonly prior?: (stage: StageName, target: string) => Prior
  /** The names of a target's keys. Left out: one without a name. */
  readonly keyIds?: (target: string) => readonly string[]
}

/** Whose health: circuits and calls are kept for each of these, latencies for stage, target and language. */
export interface Place {
  readonly stage: StageName
  /** `provider/model`. */
  readonly target: string
  /** The name of the credential; '' for a provider's only one. */
  readonly credential: string
}

export type Ending =
  /** `firstUsefulMs` null: it was not measured. */
  | { readonly type: 'ok'; readonly firstUsefulMs: number | null; readonly unitsPerSecond: number | null }
  /** Ended by us. `firstUsefulMs` null: nothing had come in `ms`. */
  | {
      readonly type: 'cut'
      readonly firstUsefulMs: number | null
      readonly ms: number
      readonly unitsPerSecond: number | null
    }
  | {
      readonly type: 'failed'
      readonly kind: ProviderErrorKind
      readonly retryAfterMs: number | undefined
      readonly ms: number
    }

/** One attempt's leave to run. */
export interface Ticket {
  readonly as: Pass['as']
  /** The first useful output is there. */
  useful(): void
  /** Once; later calls do nothing. */
  end(ending: Ending): void
}

export interface PlaceCounts {
  readonly started: number
  readonly ok: number
  readonly cut: number
  /** By kind; the sum of all, with `ok`, `cut` and `inFlight`, is `started`. */
  readonly failed: Readonly<Partial<Record<ProviderErrorKind, number>>>
  readonly inFlight: number
  /** How often the circuit opened. */
  readonly opened: number
}

interface Entry {
  readonly place: Place
  readonly circuit: Circuit
  started: number
  ok: number
  cut: number
  inFlight: number
  timeouts: number
  /** In order of use: who was used last has the highest. */
  usedAt: number
  readonly failed: Partial<Record<ProviderErrorKind, number>>
}

/** Targets times credentials, as many as the latency book keeps series for. */
const MAX_PLACES = 2000
const UNKNOWN: Traits = { priceUsd: null, quality: null, languages: 'any', capabilities: [] }

export class Health {
  readonly #clock: Clock
  readonly #traits: NonNullable<HealthOptions['traits']>
  readonly #book: LatencyBook
  readonly #entries = new Map<string, Entry>()
  readonly #keyIds: NonNullable<HealthOptions['keyIds']>
  #uses = 0

  constructor({ clock, traits, prior, keyIds }: HealthOptions) {
    this.#clock = clock
    this.#book = new LatencyBook(prior)
    this.#traits = traits ?? (() => undefined)
    this.#keyIds = keyIds ?? (() => [''])
  }

  /** Null: its circuit is open; `offOf` says why. */
  admit(place: Place, language: string | null): Ticket | null {
    const entry = this.#entry(place)
    const pass = entry.circuit.admit(this.#clock.now())
    return pass && this.#ticket(entry, pass, place, language)
  }

  /** For a call that has nobody else to ask. */
  resort(place: Place, language: string | null): Ticket {
    const entry = this.#entry(place)
    return this.#ticket(entry, entry.circuit.resort(this.#clock.now()), place, language)
  }

  /** Why a target is not to be asked, and until when on the clock; null: it may be, or is being probed. */
  offOf(place: Place): { readonly cause: OpeningKind; readonly until: number } | null {
    const circuit = this.#entries.get(keyOf(place))?.circuit
    const until = circuit?.openUntil(this.#clock.now())
    const cause = circuit?.cause
    return until === undefined || until === null || !cause ? null : { cause, until }
  }

  circuit(place: Place): CircuitState {
    return this.#entries.get(keyOf(place))?.circuit.state(this.#clock.now()) ?? 'closed'
  }

  /** Of a target by whichever key: as long as one of them works, so does the target. */
  targetCircuit({ stage, target }: Pick<Place, 'stage' | 'target'>): CircuitState {
    let best: CircuitState = 'open'
    for (const credential of this.#keyIds(target)) {
      const state = this.circuit({ stage, target, credential })
      if (state === 'closed') return state
      if (state === 'halfOpen') best = state
    }
    return best
  }

  /** How often in a row it gave nothing useful in its time. */
  timeoutsInARow(place: Place): number {
    return this.#entries.get(keyOf(place))?.timeouts ?? 0
  }

  latency({ stage, target }: Pick<Place, 'stage' | 'target'>, language: string | null): LatencyView {
    return this.#book.view(stage, target, language, this.#clock.now())
  }

  /** A quantile of the time healthy attempts take. */
  healthyMs(
    { stage, target }: Pick<Place, 'stage' | 'target'>,
    language: string | null,
    quantile: number,
  ): number {
    return this.#book.healthyMs(stage, target, language, quantile, this.#clock.now())
  }

  /** What `decide` of `route/` asks for. */
  factsOf(stage: StageName, language: string | null): (target: Target) => TargetFacts {
    return ({ id }) => {
      const place = { stage, target: id }
      const { priceUsd, quality, languages, capabilities } = this.#traits(stage, id) ?? UNKNOWN
      return {
        priceUsd,
        quality,
        languages,
        capabilities,
        latency: this.latency(place, language),
        inFlight: this.#inFlight(place),
        circuit: this.targetCircuit(place),
      }
    }
  }

  /** The `health` of a routing context. Undefined for a target that is neither offered nor was ever asked. */
  health(stage: StageName, language: string | null) {
    return (
      target: string,
    ):
      | {
          readonly p50Ms: number
          readonly p95Ms: number
          readonly errorRate: number
          readonly open: boolean
        }
      | undefined => {
      const asked = this.#keyIds(target).some((credential) =>
        this.#entries.has(keyOf({ stage, target, credential })),
      )
      if (!asked && !this.#traits(stage, target)) return undefined
      const { p50Ms, p95Ms, errorRate } = this.latency({ stage, target }, language)
      return { p50Ms, p95Ms, errorRate, open: this.targetCircuit({ stage, target }) === 'open' }
    }
  }

  #inFlight({ stage, target }: Pick<Place, 'stage' | 'target'>): number {
    let sum = 0
    for (const credential of this.#keyIds(target)) {
      sum += this.#entries.get(keyOf({ stage, target, credential }))?.inFlight ?? 0
    }
    return sum
  }

  /** The configuration changed: what was off for its credentials may be asked again. Left out: every provider. */
  configured(provider?: string): void {
    const now = this.#clock.now()
    for (const { place, circuit } of this.#entries.values()) {
      if (provider === undefined || place.target.startsWith(`${provider}/`)) circuit.reset(now)
    }
  }

  /** For metrics: every place with its counts. */
  *read(): Generator<
    Place & PlaceCounts & Pick<LatencyView, 'p50Ms' | 'p95Ms'> & { readonly circuit: CircuitState }
  > {
    const now = this.#clock.now()
    for (const {
      place,
      circuit,
      failed,
      timeouts: _timeouts,
      usedAt: _usedAt,
      ...counts
    } of this.#entries.values()) {
      const { opened } = circuit
      const { p50Ms, p95Ms } = this.latency(place, null)
      yield { ...place, ...counts, failed: { ...failed }, circuit: circuit.state(now), opened, p50Ms, p95Ms }
    }
  }

  #ticket(entry: Entry, first: Pass, { stage, target }: Place, language: string | null): Ticket {
    const clock = this.#clock
    let pass = first
    let state: 'running' | 'over' = 'running'
    entry.started++
    entry.inFlight++
    return {
      as: first.as,
      useful: () => {
        if (state === 'over') return
        entry.timeouts = 0
        pass = entry.circuit.useful(pass, clock.now())
      },
      end: (ending) => {
        if (state === 'over') return
        state = 'over'
        entry.inFlight--
        const now = clock.now()
        judge(entry, pass, ending, now)
        const lesson = lessonOf(ending)
        if (lesson) this.#book.record({ stage, target, language, ...lesson }, now)
      },
    }
  }

  #entry(place: Place): Entry {
    const key = keyOf(place)
    let entry = this.#entries.get(key)
    if (!entry) {
      if (this.#entries.size >= MAX_PLACES) this.#forgetOne()
      entry = {
        place,
        circuit: new Circuit(),
        started: 0,
        ok: 0,
        cut: 0,
        inFlight: 0,
        timeouts: 0,
        usedAt: 0,
        failed: {},
      }
      this.#entries.set(key, entry)
    }
    entry.usedAt = ++this.#uses
    return entry
  }

  /** The longest unused one, if possible of those about which nothing is lost. */
  #forgetOne(): void {
    const now = this.#clock.now()
    let oldest: string | undefined
    let oldestAt = Number.POSITIVE_INFINITY
    let idle: string | undefined
    let idleAt = Number.POSITIVE_INFINITY
    for (const [key, { circuit, inFlight, usedAt }] of this.#entries) {
      if (usedAt < oldestAt) [oldest, oldestAt] = [key, usedAt]
      if (inFlight > 0 || circuit.state(now) !== 'closed' || usedAt >= idleAt) continue
      idle = key
      idleAt = usedAt
    }
    oldest = idle ?? oldest
    if (oldest !== undefined) this.#entries.delete(oldest)
  }
}

/** What calls and rules ask of it: the process's own, or a recording's. */
export type HealthView = Pick<
  Health,
  'admit' | 'resort' | 'offOf' | 'circuit' | 'latency' | 'healthyMs' | 'timeoutsInARow' | 'factsOf' | 'health'
>

function judge(entry: Entry, pass: Pass, ending: Ending, now: number): void {
  const { circuit } = entry
  switch (ending.type) {
    case 'ok':
      entry.ok++
      return circuit.succeeded(pass, now)
    case 'cut':
      entry.cut++
      // What had begun to answer was healthy until we ended it.
      return ending.firstUsefulMs === null ? circuit.released(pass, now) : circuit.succeeded(pass, now)
    case 'failed':
      entry.failed[ending.kind] = (entry.failed[ending.kind] ?? 0) + 1
      if (ending.kind === 'timeout') entry.timeouts++
      return circuit.failed(pass, ending, now)
    default: {
      const never: never = ending
      return never
    }
  }
}

/** What the latency book is told. Nothing of errors that are ours, or planned. */
function lessonOf(ending: Ending) {
  if (ending.type === 'failed') {
    const { kind, ms } = ending
    if (kind === 'bad_request' || kind === 'expired' || kind === 'cancelled') return null
    return { outcome: 'failed', ms, unitsPerSecond: null } as const
  }
  const { firstUsefulMs, unitsPerSecond } = ending
  if (firstUsefulMs !== null) return { outcome: 'ok', ms: firstUsefulMs, unitsPerSecond } as const
  return ending.type === 'cut' ? ({ outcome: 'cut', ms: ending.ms, unitsPerSecond: null } as const) : null
}

function keyOf({ stage, target, credential }: Place): string {
  return `${stage} ${target} ${credential}`
}
