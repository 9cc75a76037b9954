/**
 * What the stages call: one request, however many attempts it takes.
 *
 *     withFallback( withHedge( single: withDeadline( cutAtAbort( open ))))
 *
 * The reader gets the items of exactly one target, from its start; or one `AttemptsFailed` that names all attempts; or, when
 * cancelled, the signal's reason.
 */
import { windowMs } from '../budget/window.ts'
import { openScope, type Scope } from '../cancel.ts'
import type { Clock } from '../clock.ts'
import type { Declined, StageName } from '../errors.ts'
import { type AttemptTarget, type AttemptTold, idOf } from './failure.ts'
import { brokenAfterUseful, type FallbackOptions, withFallback } from './fallback.ts'
import type { OpenStream } from './guard.ts'
import type { HealthView } from './health.ts'
import { type Hedge, type HedgeAfter, withHedge } from './hedge.ts'
import type { AttemptLog, Meter } from './log.ts'
import type { Live, Opener } from './opener.ts'
import { Roster, type RosterOptions } from './roster.ts'
import { single } from './single.ts'

/** PROVIDERS.md section 5, the longest silence within an answer; recognition is answered by one item as a rule. */
export const IDLE_MS: Readonly<Record<StageName, number>> = { stt: 2000, llm: 2000, tts: 1500 }

const QUANTILES = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99 }

export interface AttemptOptions<C extends AttemptTarget, T> {
  readonly stage: StageName
  /** In the order they are to be tried, as `usable` of `route/` gives them. */
  readonly candidates: readonly C[]
  /** Lists asked instead of the rest when a target declines the request; left out: the rest is asked. */
  readonly insteadOf?: Readonly<Partial<Record<Declined, readonly C[]>>>
  /**
   * One call of one target. Throws `ProviderError`; closes its request when the signal aborts. It may be called for two
   * targets at once, when there is a hedge.
   */
  readonly open: (candidate: C, call: { readonly signal: AbortSignal }) => ReturnType<OpenStream<T>>
  /** Spoken text, a tool call, audio, final words; no headers, keep-alives, blanks. */
  readonly isUseful: (item: T) => boolean
  /** What shows, after the first useful item, that it goes on; left out: every item. */
  readonly isProgress?: (item: T) => boolean
  /** An item that refuses the request, such as a finish for the content's sake; it counts before anything useful only. */
  readonly declinedBy?: (item: T) => Declined | null
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly health: HealthView
  readonly language?: string | null
  /** Left out: no budget; windows come from what is known of the targets. */
  readonly budget?: {
    /** Left for this stage now, `slackMs` of `budget/plan.ts`. */
    readonly slackMs: () => number
    /** On the clock: no useful output is waited for beyond it. Left out: a late answer is better than none. */
    readonly endAt?: number
    /** See `budget/window.ts`. */
    readonly patienceMs?: number
  }
  /** For the first useful output, instead of what is learned and planned; null: as learned and planned. `next`: who would be asked after it. */
  readonly windowMs?: (candidate: C, next: C | null) => number | null
  readonly retriesOf?: RosterOptions<C>['retriesOf']
  readonly goesOn?: RosterOptions<C>['goesOn']
  /** `outcome`: its times say nothing of a first useful output, so they are not learned. Left out: they are. */
  readonly teaches?: 'outcome'
  /** No window is shorter, whatever was learned. */
  readonly leastMs?: number
  readonly idleMs?: number | (() => number)
  /** See `withDeadline`. */
  readonly owedSince?: () => number | null
  readonly hedge?: Hedge | null
  readonly log?: AttemptLog | undefined
  readonly meter?: (candidate: C) => Meter<T>
  /** Why the first target is asked; `first` when left out. */
  readonly reason?: string
}

export interface AttemptRun<C extends AttemptTarget, T> extends AsyncIterableIterator<T> {
  /** Whose items are read; null while there are none. */
  readonly chosen: C | null
  /** Every attempt so far, in the order they began. */
  readonly attempts: readonly AttemptTold<C>[]
  /** Closes what runs upstream, at once. */
  return(): Promise<IteratorResult<T>>
}

/** Nothing happens before the first `next()`. */
export function attempt<C extends AttemptTarget, T>(options: AttemptOptions<C, T>): AttemptRun<C, T> {
  const { stage, candidates, insteadOf, clock, health, budget, hedge, log, idleMs } = options
  const language = options.language ?? null
  const told: AttemptTold<C>[] = []
  const slackMs = budget?.slackMs ?? (() => Number.POSITIVE_INFINITY)
  const latencyOf = (candidate: C) => health.latency({ stage, target: idOf(candidate) }, language)
  const thresholdMs = (candidate: C, after: HedgeAfter) =>
    typeof after === 'object'
      ? after.ms
      : health.healthyMs({ stage, target: idOf(candidate) }, language, QUANTILES[after])
  const roster = new Roster<C>({
    stage,
    language,
    candidates,
    insteadOf: insteadOf ?? {},
    health,
    clock,
    slackMs,
    patienceMs: budget?.patienceMs ?? 0,
    retriesOf: options.retriesOf,
    goesOn: options.goesOn,
    endAt: budget?.endAt ?? Number.POSITIVE_INFINITY,
    windowOf: (candidate, next) => {
      const given = options.windowMs?.(candidate, next) ?? null
      if (given !== null) return given
      const { p50Ms, p95Ms } = latencyOf(candidate)
      const nextP50Ms = next && latencyOf(next).p50Ms
      const place = { stage, target: idOf(candidate), credential: candidate.credential ?? '' }
      const timeouts = health.timeoutsInARow(place)
      // Where a second is asked in time, the first goes on beside it: cutting it would only throw its work away.
      const hedgedMs =
        hedge && next
          ? thresholdMs(candidate, hedge.after) +
            windowMs({ slackMs: 0, p50Ms, p95Ms, nextP50Ms: null, timeouts, patienceMs: 0 })
          : 0
      const own = windowMs({
        slackMs: slackMs(),
        p50Ms,
        p95Ms,
        nextP50Ms,
        timeouts,
        patienceMs: budget?.patienceMs,
        leastMs: options.leastMs,
      })
      return Math.max(hedgedMs, own)
    },
  })
  const one = single<C, T>({
    stage,
    clock,
    open: options.open,
    isUseful: options.isUseful,
    isProgress: options.isProgress,
    declinedBy: options.declinedBy,
    idleMs: idleMs ?? IDLE_MS[stage],
    owedSince: options.owedSince,
    teaches: options.teaches,
    log,
    meter: options.meter,
    told,
  })
  const opener = hedge
    ? withHedge(one, { clock, share: hedge.share, thresholdMs: (one) => thresholdMs(one, hedge.after) })
    : one
  const reason = options.reason ?? 'first'
  return new Run(roster, opener, { stage, clock, signal: options.signal, reason, told })
}

/** A class, and no literal with a getter: see `gateway/llm/facts.ts`. */
class Run<C extends AttemptTarget, T> implements AttemptRun<C, T> {
  readonly attempts: readonly AttemptTold<C>[]
  readonly #roster: Roster<C>
  readonly #opener: Opener<C, T>
  #options: FallbackOptions<C>
  #live: Live<C, T> | undefined
  #scope: Scope | undefined
  #state: 'reading' | 'over' | 'left' = 'reading'

  constructor(roster: Roster<C>, opener: Opener<C, T>, options: FallbackOptions<C>) {
    this.attempts = options.told
    this.#roster = roster
    this.#opener = opener
    this.#options = options
  }

  get chosen(): C | null {
    return this.#live?.candidate ?? null
  }

  async next(): Promise<IteratorResult<T>> {
    if (this.#state !== 'reading') return { value: undefined, done: true }
    if (!this.#scope) {
      this.#scope = openScope(this.#options.signal)
      const { stage, clock, reason, told } = this.#options
      this.#options = { stage, clock, reason, told, signal: this.#scope.signal }
    }
    try {
      this.#live ??= await withFallback(this.#roster, this.#opener, this.#options)
      const result = await this.#live.next()
      if (result.done) this.#over()
      return result
    } catch (error) {
      if (this.#left()) return { value: undefined, done: true }
      this.#over()
      if (!this.#live) throw error
      throw brokenAfterUseful(error, this.#live, this.#roster, this.#options)
    }
  }

  return(): Promise<IteratorResult<T>> {
    // First the scope: the targets would wait for what they wait for.
    if (this.#state === 'reading') this.#scope?.cancel('done')
    this.#state = 'left'
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Asked anew after a wait. */
  #left(): boolean {
    return this.#state === 'left'
  }

  #over(): void {
    if (this.#state === 'reading') this.#state = 'over'
    this.#live?.stop('done')
    this.#scope?.release()
  }
}
