/**
 * The one clock. Everything that waits or measures takes a `Clock`; nothing else in `src/` may read the time
 * (a lint test holds this). Times are milliseconds, monotonic, with fractions; only `wallMs` is a date.
 */
import { performance } from 'node:perf_hooks'

export interface Timer {
  /** Idempotent; after it the callback never runs. */
  cancel(): void
}

export interface Clock {
  /** Monotonic milliseconds since an arbitrary start. */
  now(): number
  /** Unix epoch milliseconds, for records and expiry dates only. */
  wallMs(): number
  /** Runs `fire` once, `delayMs` from now. A timer alone does not keep the process alive. */
  setTimer(delayMs: number, fire: () => void): Timer
  /** Instead of `settled`, where the order of turns is kept: a recording's. */
  nextTurn?(): Promise<void>
}

export const realClock: Clock = {
  now: () => performance.now(),
  wallMs: () => Date.now(),
  setTimer(delayMs, fire) {
    const handle = setTimeout(fire, Math.max(0, delayMs))
    handle.unref()
    return { cancel: () => clearTimeout(handle) }
  },
}

interface Pending {
  readonly at: number
  readonly order: number
  readonly fire: () => void
}

/**
 * A clock that moves only when told. `advance` runs due timers in order and lets every promise chain settle
 * between them, so that a test reads like a story: `caller speaks; await clock.advance(500); …`.
 */
export class VirtualClock implements Clock {
  #now = 0
  #order = 0
  readonly #epochMs: number
  readonly #pending = new Set<Pending>()
  readonly #settling: (() => Promise<void>)[] = []

  constructor(epochMs = 1_700_000_000_000) {
    this.#epochMs = epochMs
  }

  now(): number {
    return this.#now
  }

  wallMs(): number {
    return this.#epochMs + this.#now
  }

  setTimer(delayMs: number, fire: () => void): Timer {
    const pending = { at: this.#now + Math.max(0, delayMs), order: this.#order++, fire }
    this.#pending.add(pending)
    return { cancel: () => void this.#pending.delete(pending) }
  }

  /** How many timers wait: a closed session must leave none. */
  get pendingTimers(): number {
    return this.#pending.size
  }

  /** Time stands still for this too: for what takes several turns of the event loop, as a recording does. */
  alsoSettle(quiet: () => Promise<void>): void {
    this.#settling.push(quiet)
  }

  /** Moves time forward by `ms`, firing what falls due in order, promises settled after each. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await this.#settled()
    for (let next = this.#nextDue(end); next; next = this.#nextDue(end)) {
      this.#pending.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.fire()
      await this.#settled()
    }
    this.#now = end
  }

  async #settled(): Promise<void> {
    await settled()
    for (const quiet of this.#settling) await quiet()
  }

  #nextDue(end: number): Pending | undefined {
    let first: Pending | undefined
    for (const p of this.#pending) {
      if (p.at > end) continue
      if (!first || p.at < first.at || (p.at === first.at && p.order < first.order)) first = p
    }
    return first
  }
}

/** Resolves after every promise reaction that can run now has run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Lets everybody else go first. */
export function nextTurn(clock: Clock): Promise<void> {
  return clock.nextTurn?.() ?? settled()
}

/** Resolves after `ms` on `clock`, or rejects with the signal's reason as soon as it aborts. */
export function delay(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const onAbort = () => {
      timer.cancel()
      reject(signal?.reason)
    }
    const timer = clock.setTimer(ms, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
