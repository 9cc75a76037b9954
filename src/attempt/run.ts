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
import { brokenAfterUseful, withFallback } from './fallback.ts'
import type { OpenStream } from './guard.ts'
import type { HealthView } from './health.ts'
import { type Hedge, type HedgeAfter, withHedge } from './hedge.ts'
import type { AttemptLog, Meter } from './log.ts'
import type { Live } from './opener.ts'
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
  /** For the first useful output, instead of what is learned and planned; null: as learned and planned. */
  readonly windowMs?: (candidate: C) => number | null
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
    ...(options.retriesOf && { retriesOf: options.retriesOf }),
    ...(options.goesOn && { goesOn: options.goesOn }),
    endAt: budget?.endAt ?? Number.POSITIVE_INFINITY,
    windowOf: (candidate, next) => {
      const given = options.windowMs?.(candidate) ?? null
      if (given !== null) return given
      const { p50Ms, p95Ms } = latencyOf(candidate)
      const nextP50Ms = next && latencyOf(next).p50Ms
      const place = { stage, target: idOf(candidate), credential: candidate.credential ?? '' }
      const facts = { slackMs: slackMs(), p50Ms, p95Ms, nextP50Ms, timeouts: health.timeoutsInARow(place) }
      const { leastMs = 0 } = options
      // Where a second is asked in time, the first goes on beside it: cutting it would only throw its work away.
      const hedgedMs =
        hedge && next
          ? thresholdMs(candidate, hedge.after) +
            windowMs({ ...facts, nextP50Ms: null, slackMs: 0, patienceMs: 0 })
          : 0
      const patience = budget?.patienceMs === undefined ? {} : { patienceMs: budget.patienceMs }
      return Math.max(hedgedMs, windowMs({ ...facts, ...patience, leastMs }))
    },
  })
  const one = single<C, T>({ ...options, idleMs: idleMs ?? IDLE_MS[stage], log, told })
  const opener = hedge
    ? withHedge(one, { clock, share: hedge.share, thresholdMs: (one) => thresholdMs(one, hedge.after) })
    : one
  let live: Live<C, T> | undefined
  let scope: Scope | undefined
  let state: 'reading' | 'over' | 'left' = 'reading'
  const fallback = (signal: AbortSignal) => ({
    stage,
    clock,
    signal,
    reason: options.reason ?? 'first',
    told,
  })
  const over = () => {
    if (state === 'reading') state = 'over'
    live?.stop('done')
    scope?.release()
  }
  return {
    get chosen() {
      return live?.candidate ?? null
    },
    attempts: told,
    async next() {
      if (state !== 'reading') return { value: undefined, done: true }
      scope ??= openScope(options.signal)
      try {
        live ??= await withFallback(roster, opener, fallback(scope.signal))
        const result = await live.next()
        if (result.done) over()
        return result
      } catch (error) {
        if (leftIn(state)) return { value: undefined, done: true }
        const { signal } = scope
        over()
        if (!live) throw error
        throw brokenAfterUseful(error, live, roster, fallback(signal))
      }
    },
    return() {
      // First the scope: the targets would wait for what they wait for.
      if (state === 'reading') scope?.cancel('done')
      state = 'left'
      return Promise.resolve({ value: undefined, done: true })
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

/** Asked anew after a wait. */
function leftIn(state: string): boolean {
  return state === 'left'
}
