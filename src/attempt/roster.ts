/**
 * Who is asked next: the candidates in their order, those whose circuit is open put aside, other lists for what errors do not
 * explain. Everybody is asked once, but for a planned rollover and for a `Retry-After` that fits the budget.
 */
import type { Clock } from '../clock.ts'
import type { Declined, ProviderError, ProviderErrorKind, StageName } from '../errors.ts'
import { type AttemptTarget, idOf, isOfTheKey, type Skipped } from './failure.ts'
import type { HealthView, Place, Ticket } from './health.ts'
import type { Try } from './opener.ts'

/** Further attempts at a target that failed. */
export interface Retries {
  readonly attempts: number
  /** After which failures; null: after those that may pass by themselves. */
  readonly on: readonly ProviderErrorKind[] | null
}

export interface RosterOptions<C extends AttemptTarget> {
  readonly stage: StageName
  readonly language: string | null
  readonly candidates: readonly C[]
  /** Asked instead of the rest once somebody declined so; left out: the rest is asked. */
  readonly insteadOf: Readonly<Partial<Record<Declined, readonly C[]>>>
  readonly health: HealthView
  readonly clock: Clock
  /** Left for this stage now. */
  readonly slackMs: () => number
  /** How far beyond that who said when to come back is waited for; nobody else is left then. */
  readonly patienceMs: number
  /** On the clock: nobody is asked from then on. */
  readonly endAt: number
  /** Left out: none. */
  readonly retriesOf?: ((candidate: C) => Retries | null) | undefined
  /** Whether anybody else is asked after such a failure; left out: always. */
  readonly goesOn?: ((candidate: C, kind: ProviderErrorKind) => boolean) | undefined
  /** `next`: who would be asked after; null: nobody. */
  readonly windowOf: (candidate: C, next: C | null) => number
}

/** Of one run, all told. A route has at most 16 targets. */
const MAX_TRIES = 24
/** Two targets of different makers call the request bad: it is. */
const MAX_BAD_REQUESTS = 2
/** The longest wait for a `Retry-After` where no budget says less. */
const MAX_WAIT_MS = 5_000

interface Waiting<C> {
  readonly candidate: C
  readonly why: string | null
}

export class Roster<C extends AttemptTarget> {
  readonly #options: RosterOptions<C>
  #list: readonly C[]
  #queue: Waiting<C>[]
  /** Not asked, because of their circuit. */
  #aside: Skipped<C>[] = []
  readonly #limited: C[] = []
  /** Short lists, and most runs need none: no sets. */
  readonly #failed: C[] = []
  readonly #again: C[] = []
  readonly #retried: C[] = []
  #declined: Declined | null = null
  #tries = 0
  #badRequests = 0

  constructor(options: RosterOptions<C>) {
    this.#options = options
    this.#list = options.candidates
    this.#queue = this.#list.map((candidate) => ({ candidate, why: null }))
  }

  hasNext(): boolean {
    return this.#queue.length > 0
  }

  /** As `take`, beside one that runs: of another target if possible, since what delays one call delays its other keys too. */
  takeBeside(running: C, reason: string): Try<C> | undefined {
    this.#defer(running)
    return this.take(reason)
  }

  /** The next who may be asked. */
  take(reason: string): Try<C> | undefined {
    const { health, language } = this.#options
    while (this.#queue.length > 0 && this.#mayTry()) {
      const { candidate, why } = this.#queue.shift() as Waiting<C>
      const place = this.#place(candidate)
      const ticket = health.admit(place, language)
      if (ticket) return this.#try(candidate, ticket, why ?? reason)
      this.#aside.push({ candidate, cause: health.offOf(place)?.cause ?? 'transient' })
    }
    return undefined
  }

  /**
   * When `take` gives nobody: whom it is worth waiting for, because the provider said when to come back and that is in time.
   * Then `retry` takes it.
   */
  later(): { readonly candidate: C; readonly waitMs: number } | undefined {
    const { clock, health, language, slackMs, patienceMs, endAt } = this.#options
    if (!this.#mayTry() || this.#badRequests >= MAX_BAD_REQUESTS) return undefined
    const limited = [
      ...this.#limited,
      ...this.#aside.filter(({ cause }) => cause === 'rate').map((one) => one.candidate),
    ]
    let best: { candidate: C; waitMs: number } | undefined
    for (const candidate of limited) {
      if (this.#again.includes(candidate)) continue
      const place = this.#place(candidate)
      const off = health.offOf(place)
      if (off && off.cause !== 'rate') continue
      const waitMs = Math.max(0, (off?.until ?? 0) - clock.now())
      const readyMs = waitMs + health.latency(place, language).p50Ms
      const fits = readyMs <= slackMs() + patienceMs && clock.now() + readyMs < endAt
      if (fits && waitMs <= MAX_WAIT_MS && waitMs < (best?.waitMs ?? Number.POSITIVE_INFINITY)) {
        best = { candidate, waitMs }
      }
    }
    return best
  }

  /** After that wait, once. Undefined: meanwhile the provider told another call to stay away. */
  retry(candidate: C, reason: string): Try<C> | undefined {
    const { health, language } = this.#options
    const place = this.#place(candidate)
    const off = health.offOf(place)
    this.#again.push(candidate)
    this.#aside = this.#aside.filter((one) => one.candidate !== candidate)
    if (!off) return this.#try(candidate, health.resort(place, language), reason)
    this.#aside.push({ candidate, cause: off.cause })
    return undefined
  }

  /** The very last: somebody whose circuit is open for failures. Never against a provider's own word. */
  resort(): Try<C> | undefined {
    const { health, language } = this.#options
    if (!this.#mayTry() || this.#badRequests >= MAX_BAD_REQUESTS) return undefined
    const index = this.#aside.findIndex(({ candidate }) => {
      const cause = health.offOf(this.#place(candidate))?.cause
      return cause === undefined || cause === 'transient' || cause === 'timeout'
    })
    const [found] = index < 0 ? [] : this.#aside.splice(index, 1)
    if (!found) return undefined
    const { candidate } = found
    return this.#try(candidate, health.resort(this.#place(candidate), language), 'last resort')
  }

  /** Somebody who was taken failed before anything useful. */
  failed(candidate: C, error: ProviderError): void {
    const { kind, declined } = error
    this.#failed.push(candidate)
    if (this.#triesAgain(candidate, error)) {
      this.#queue.unshift({ candidate, why: `retry: ${kind}` })
      return
    }
    if (kind === 'bad_request')
      this.#queue = this.#queue.filter((one) => !isSibling(one.candidate, candidate))
    else if (!isOfTheKey(kind)) this.#defer(candidate)
    if (this.#options.goesOn?.(candidate, kind) === false) this.#endHere(candidate, kind)
    else if (kind === 'expired' && !this.#again.includes(candidate)) {
      this.#again.push(candidate)
      this.#queue.unshift({ candidate, why: 'rollover' })
    } else if (kind === 'rate') this.#limited.push(candidate)
    else if (declined !== undefined) this.#instead(declined)
    else if (kind === 'bad_request' && ++this.#badRequests >= MAX_BAD_REQUESTS) this.#queue = []
  }

  #triesAgain(candidate: C, { kind, retryable }: ProviderError): boolean {
    const retries = this.#options.retriesOf?.(candidate)
    const tried = this.#retried.filter((one) => one === candidate).length
    if (!retries || tried >= retries.attempts) return false
    if (!(retries.on?.includes(kind) ?? retryable)) return false
    this.#retried.push(candidate)
    return true
  }

  /** No other target is asked. Another key is no other target. */
  #endHere(candidate: C, kind: ProviderErrorKind): void {
    this.#queue = isOfTheKey(kind) ? this.#queue.filter((one) => isSibling(one.candidate, candidate)) : []
    this.#aside = []
    this.#limited.length = 0
  }

  /** Those not asked. */
  get skipped(): readonly Skipped<C>[] {
    return this.#aside
  }

  /** Who may continue what `broken` began: in order, those that did not fail; its own other keys last. */
  remaining(broken: C): C[] {
    const left = this.#list.filter((one) => one !== broken && !this.#failed.includes(one))
    return lastly(left, (one) => isSibling(one, broken))
  }

  /** Its other keys wait until all other targets were asked. */
  #defer(candidate: C): void {
    this.#queue = lastly(this.#queue, (one) => isSibling(one.candidate, candidate))
  }

  /** Once: who declines in another list is no reason to go back. */
  #instead(declined: Declined): void {
    const list = this.#options.insteadOf[declined]
    if (!list || this.#declined === declined) return
    this.#declined = declined
    const asked = new Set([...this.#failed].map(idOf))
    this.#list = list
    this.#queue = list
      .filter((one) => !asked.has(idOf(one)))
      .map((candidate) => ({ candidate, why: `instead: ${declined}` }))
    this.#aside = []
    this.#limited.length = 0
  }

  #try(candidate: C, ticket: Ticket, reason: string): Try<C> {
    const { health, windowOf, endAt, clock } = this.#options
    this.#tries++
    // Whom a time-out leads to.
    const others = lastly(this.#queue, (one) => isSibling(one.candidate, candidate))
    const next = others.find((one) => health.circuit(this.#place(one.candidate)) !== 'open')
    const windowMs = Math.min(windowOf(candidate, next?.candidate ?? null), endAt - clock.now())
    return { candidate, ticket, reason, windowMs }
  }

  #mayTry(): boolean {
    const { clock, endAt } = this.#options
    return this.#tries < MAX_TRIES && clock.now() < endAt
  }

  #place(candidate: C): Place {
    return {
      stage: this.#options.stage,
      target: idOf(candidate),
      credential: candidate.credential ?? '',
    }
  }
}

/** The same target, by another key. */
function isSibling(one: AttemptTarget, other: AttemptTarget): boolean {
  return one !== other && idOf(one) === idOf(other) && one.credential !== other.credential
}

function lastly<T>(list: readonly T[], isLast: (one: T) => boolean): T[] {
  return [...list.filter((one) => !isLast(one)), ...list.filter(isLast)]
}
