/**
 * Whether a target may be asked, learned from real traffic. Pure: whoever asks brings the time.
 *
 *     closed ─ 3 failures in a row, or half of the last 10;  or at once: rate, quota, auth ─► open
 *     open ─ its time is over ─► half open ─ one probe: useful output ─► closed
 *                                    ▲  └─ it fails ─► open, twice as long        (auth: open until `reset`)
 *                                    └─ it is cut: nothing was learned, the next call probes
 *
 * What each kind of error does is PROVIDERS.md section 5: `bad_request`, `expired` and `cancelled` say nothing of health.
 */
import type { ProviderErrorKind } from '../errors.ts'
import type { CircuitState } from '../route/candidates.ts'

/** One call's leave to pass. `resort`: nobody else was left, so it went through an open circuit. */
export interface Pass {
  readonly as: 'normal' | 'probe' | 'resort'
  readonly epoch: number
  readonly term: number
}

export interface CircuitFailure {
  readonly kind: ProviderErrorKind
  readonly retryAfterMs: number | undefined
}

export type OpeningKind = 'auth' | 'quota' | 'rate' | 'transient' | 'timeout'

/** One bad moment is no outage; a third in a row is paid for by callers. */
const IN_A_ROW = 3
/** A target that fails every other call never fails three in a row. */
const REMEMBERED = 10
const SHARE = 0.5
/** First cooldown and longest: doubled each time the probe fails. */
const COOLDOWN_MS: Record<OpeningKind, { readonly first: number; readonly most: number }> = {
  transient: { first: 5_000, most: 120_000 },
  timeout: { first: 5_000, most: 120_000 },
  /** Without a `Retry-After`. */
  rate: { first: 1_000, most: 60_000 },
  quota: { first: 300_000, most: 3_600_000 },
  auth: { first: Number.POSITIVE_INFINITY, most: Number.POSITIVE_INFINITY },
}
/** No provider's word keeps a target off for longer. */
const LONGEST_RETRY_AFTER_MS = 3_600_000
/** Opened again within this time of closing, a circuit goes on doubling. */
const RELAPSE_MS = 300_000

type State =
  | { readonly name: 'closed'; inARow: number; outcomes: number; seen: number; readonly since: number }
  | { readonly name: 'open'; readonly cause: OpeningKind; readonly until: number }
  | { readonly name: 'halfOpen'; readonly cause: OpeningKind; probing: boolean }

export class Circuit {
  #state: State = closedAt(Number.NEGATIVE_INFINITY)
  /** Counts openings in succession: the exponent of the cooldown. */
  #trips = 0
  /** Counts opened and closed: a verdict on an earlier term is no news. */
  #term = 0
  /** Counts `reset`. */
  #epoch = 0
  #opened = 0

  state(now: number): CircuitState {
    return this.#at(now).name
  }

  /** Why it is not closed. */
  get cause(): OpeningKind | null {
    return this.#state.name === 'closed' ? null : this.#state.cause
  }

  /** When it may be asked again; null unless it is open. Infinity: when the configuration changes. */
  openUntil(now: number): number | null {
    const state = this.#at(now)
    return state.name === 'open' ? state.until : null
  }

  /** How often it opened. */
  get opened(): number {
    return this.#opened
  }

  /** Null: do not ask it now. */
  admit(now: number): Pass | null {
    const state = this.#at(now)
    if (state.name === 'open') return null
    if (state.name === 'closed') return this.#pass('normal')
    if (state.probing) return null
    state.probing = true
    return this.#pass('probe')
  }

  /** Leave to pass whatever the state is, for a call that has nobody else to ask. */
  resort(now: number): Pass {
    return this.admit(now) ?? this.#pass('resort')
  }

  /** Useful output came: a probe need not wait for the stream's end to close the circuit. The pass that is to be used from now on. */
  useful(pass: Pass, now: number): Pass {
    if (pass.as === 'normal' || !this.#isNews(pass)) return pass
    this.#close(now)
    return this.#pass('normal')
  }

  /** The call ended well. */
  succeeded(pass: Pass, now: number): void {
    const current = this.useful(pass, now)
    const state = this.#at(now)
    if (state.name === 'closed' && this.#isNews(current)) remember(state, 0)
  }

  /** Ended without a verdict: cut by us, or an error that says nothing of health. */
  released(pass: Pass, now: number): void {
    const state = this.#at(now)
    if (pass.as === 'probe' && this.#isNews(pass) && state.name === 'halfOpen') state.probing = false
  }

  failed(pass: Pass, { kind, retryAfterMs }: CircuitFailure, now: number): void {
    if (pass.epoch !== this.#epoch) return
    if (kind === 'bad_request' || kind === 'expired' || kind === 'cancelled') return this.released(pass, now)
    // These are the provider's own words about every call, so it does not matter when the call began.
    if (kind === 'auth' || kind === 'quota' || kind === 'rate') return this.#open(kind, retryAfterMs, now)
    if (!this.#isNews(pass)) return
    const state = this.#at(now)
    if (pass.as === 'probe' && state.name === 'halfOpen') return this.#open(kind, retryAfterMs, now)
    if (state.name !== 'closed') return
    remember(state, 1)
    const failures = bits(state.outcomes)
    const half = state.seen >= REMEMBERED && failures >= SHARE * REMEMBERED
    if (state.inARow >= IN_A_ROW || half) this.#open(kind, retryAfterMs, now)
  }

  /** The configuration changed: all that was held against it may be wrong now, and so may calls of before. */
  reset(now: number): void {
    this.#epoch++
    this.#trips = 0
    this.#close(now)
  }

  #at(now: number): State {
    const state = this.#state
    if (state.name === 'open' && now >= state.until) {
      this.#state = { name: 'halfOpen', cause: state.cause, probing: false }
    }
    return this.#state
  }

  #pass(as: Pass['as']): Pass {
    return { as, epoch: this.#epoch, term: this.#term }
  }

  #isNews({ epoch, term }: Pass): boolean {
    return epoch === this.#epoch && term === this.#term
  }

  #close(now: number): void {
    this.#term++
    this.#state = closedAt(now)
  }

  #open(cause: OpeningKind, retryAfterMs: number | undefined, now: number): void {
    const state = this.#at(now)
    const isOpen = state.name === 'open'
    if (!isOpen) {
      const relapse = state.name === 'halfOpen' || now - state.since < RELAPSE_MS
      this.#trips = relapse ? this.#trips + 1 : 1
      this.#term++
      this.#opened++
    }
    const { first, most } = COOLDOWN_MS[cause]
    const backOffMs = Math.min(most, first * 2 ** Math.min(20, this.#trips - 1))
    const ms = retryAfterMs === undefined ? backOffMs : Math.min(LONGEST_RETRY_AFTER_MS, retryAfterMs)
    const until = now + (cause === 'auth' ? Number.POSITIVE_INFINITY : ms)
    if (isOpen && state.until >= until) return
    this.#state = { name: 'open', cause, until }
  }
}

type Closed = Extract<State, { name: 'closed' }>

function closedAt(since: number): Closed {
  return { name: 'closed', inARow: 0, outcomes: 0, seen: 0, since }
}

/** Outcomes as bits, the newest lowest. */
function remember(state: Closed, failed: 0 | 1): void {
  state.inARow = failed ? state.inARow + 1 : 0
  state.outcomes = ((state.outcomes << 1) | failed) & ((1 << REMEMBERED) - 1)
  state.seen = Math.min(REMEMBERED, state.seen + 1)
}

function bits(value: number): number {
  let count = 0
  for (let rest = value; rest > 0; rest &= rest - 1) count++
  return count
}
