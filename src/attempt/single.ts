/**
 * One attempt: one call of one target in its own scope, under its deadlines, written down once however it ends.
 *
 *     open(candidate) ─► cutAtAbort ─► withDeadline ─► [ what came before the first useful item ] ─► reader
 */
import { Cancelled, type CancelReason, openScope, type Scope } from '../cancel.ts'
import type { Clock } from '../clock.ts'
import { type Declined, ProviderError, type StageName } from '../errors.ts'
import { withDeadline } from './deadline.ts'
import { type AttemptTarget, type AttemptTold, asProviderError } from './failure.ts'
import { cutAtAbort, type OpenStream } from './guard.ts'
import type { Ending } from './health.ts'
import type { AttemptLog, Meter } from './log.ts'
import type { Ask, Live, Opener } from './opener.ts'

/** Items kept back until the first useful one; of more the oldest go. */
const MAX_LEAD = 1024

export interface SingleOptions<C extends AttemptTarget, T> {
  readonly stage: StageName
  readonly clock: Clock
  /** The stream must close its request when the signal aborts; every call gets its own. */
  readonly open: (candidate: C, call: { readonly signal: AbortSignal }) => ReturnType<OpenStream<T>>
  readonly isUseful: (item: T) => boolean
  readonly isProgress?: ((item: T) => boolean) | undefined
  /** An item that refuses, coming before anything useful. */
  readonly declinedBy?: ((item: T) => Declined | null) | undefined
  readonly idleMs: number | (() => number)
  readonly owedSince?: (() => number | null) | undefined
  readonly teaches?: 'outcome' | undefined
  readonly log: AttemptLog | undefined
  readonly meter?: ((candidate: C) => Meter<T>) | undefined
  /** Every attempt of the run, in the order they began. */
  readonly told: AttemptTold<C>[]
}

export function single<C extends AttemptTarget, T>(options: SingleOptions<C, T>): Opener<C, T> {
  return (ask) => new SingleAttempt(options, ask)
}

class SingleAttempt<C extends AttemptTarget, T> implements Live<C, T> {
  readonly candidate: C
  readonly #options: SingleOptions<C, T>
  readonly #ask: Ask<C>
  readonly #scope: Scope
  readonly #stream: AsyncIterator<T>
  readonly #meter: Meter<T> | undefined
  readonly #number: number | undefined
  readonly #index: number
  readonly #startAt: number
  readonly #lead: T[] = []
  #firstUsefulMs: number | null = null
  #costUsd: number | null = null
  #state: 'running' | 'over' = 'running'

  constructor(options: SingleOptions<C, T>, ask: Ask<C>) {
    const { stage, clock, open, isUseful, isProgress, idleMs, owedSince, log, meter, told } = options
    const { candidate, reason, windowMs, signal } = ask
    this.candidate = candidate
    this.#options = options
    this.#ask = ask
    this.#scope = openScope(signal)
    this.#startAt = clock.now()
    this.#meter = meter?.(candidate)
    this.#number = log?.start(stage, candidate, reason)
    this.#index =
      told.push({ candidate, reason, outcome: 'running', error: null, firstUsefulMs: null, costUsd: null }) -
      1
    const scope = this.#scope
    const source = cutAtAbort(
      () => open(candidate, { signal: scope.signal }),
      scope.signal,
      () => this.#aborted(),
    )
    this.#stream = withDeadline(source, {
      clock,
      firstUsefulMs: windowMs,
      idleMs,
      isUseful,
      scope,
      provider: candidate.provider,
      stage,
      isProgress,
      owedSince,
    })
    // A turn that was over before it began: nobody is called.
    if (scope.signal.aborted) this.#aborted()
  }

  get costUsd(): number | null {
    return this.#costUsd
  }

  async ready(): Promise<void> {
    const { isUseful, declinedBy, stage } = this.#options
    const { provider } = this.candidate
    for (;;) {
      const { value: item, done } = await this.#pull()
      if (done) {
        const message = 'ended without useful output'
        throw this.#failed(new ProviderError({ provider, stage, kind: 'transient', message }))
      }
      const declined = declinedBy?.(item) ?? null
      if (declined !== null) {
        const message = `declined: ${declined}`
        throw this.#failed(new ProviderError({ provider, stage, kind: 'bad_request', declined, message }))
      }
      if (this.#lead.length >= MAX_LEAD) this.#lead.shift()
      this.#lead.push(item)
      if (isUseful(item)) return this.#useful()
    }
  }

  async next(): Promise<IteratorResult<T>> {
    this.#scope.signal.throwIfAborted()
    if (this.#lead.length > 0) return { value: this.#lead.shift() as T, done: false }
    const result = await this.#pull()
    if (result.done) {
      const { unitsPerSecond } = this.#settle({ outcome: 'ok', error: null })
      const firstUsefulMs = this.#options.teaches === 'outcome' ? null : (this.#firstUsefulMs ?? 0)
      this.#end({ type: 'ok', firstUsefulMs, unitsPerSecond }, 'ok')
    }
    return result
  }

  stop(reason: CancelReason): void {
    if (this.#state === 'running') this.#scope.cancel(reason)
  }

  async #pull(): Promise<IteratorResult<T>> {
    try {
      const result = await this.#stream.next()
      if (!result.done) this.#meter?.item(result.value)
      return result
    } catch (error) {
      const { signal } = this.#scope
      // Cut by us: the reason is no provider's error. Only the deadlines abort the scope and throw their own.
      if (signal.aborted && !(error instanceof ProviderError && this.#state === 'running'))
        throw signal.reason
      throw this.#failed(asProviderError(error, this.#options.stage, this.candidate.provider))
    }
  }

  #useful(): void {
    if (this.#state === 'over') return
    this.#firstUsefulMs = this.#options.clock.now() - this.#startAt
    this.#ask.ticket.useful()
    this.#options.log?.firstOutput(this.#number)
  }

  #aborted(): void {
    const { reason } = this.#scope.signal
    const ownDeadline =
      !this.#ask.signal.aborted && reason instanceof Cancelled && reason.reason === 'deadline'
    if (ownDeadline || this.#state === 'over') return
    const { unitsPerSecond } = this.#settle({ outcome: 'cut', error: null })
    const ms = this.#options.clock.now() - this.#startAt
    this.#end({ type: 'cut', firstUsefulMs: this.#firstUsefulMs, ms, unitsPerSecond }, 'cancelled')
  }

  #failed(error: ProviderError): ProviderError {
    if (this.#state === 'over') return error
    const { kind, retryAfterMs } = error
    this.#settle({ outcome: 'failed', error })
    const ms = this.#options.clock.now() - this.#startAt
    this.#end({ type: 'failed', kind, retryAfterMs, ms }, 'failed', kind)
    // What has declined or broken may still hold a connection.
    this.#scope.cancel('done')
    return error
  }

  /** Takes the meter's last word and tells the run; the state is over from here. */
  #settle({ outcome, error }: Pick<AttemptTold, 'outcome' | 'error'>): { unitsPerSecond: number | null } {
    this.#state = 'over'
    const { costUsd, unitsPerSecond } = this.#meter?.end() ?? { costUsd: null, unitsPerSecond: null }
    this.#costUsd = costUsd
    const { candidate, reason } = this.#ask
    const firstUsefulMs = this.#firstUsefulMs
    this.#options.told[this.#index] = { candidate, reason, outcome, error, firstUsefulMs, costUsd }
    return { unitsPerSecond }
  }

  #end(ending: Ending, status: 'ok' | 'failed' | 'cancelled', kind?: string): void {
    const { log } = this.#options
    this.#ask.ticket.end(ending)
    if (this.#costUsd !== null) log?.cost?.(this.#number, this.#costUsd)
    log?.end(this.#number, status, kind)
    this.#scope.release()
  }
}
