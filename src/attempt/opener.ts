/** What the parts of the executor hand each other: somebody who may be asked, and an attempt under way. */
import type { CancelReason } from '../cancel.ts'
import type { AttemptTarget } from './failure.ts'
import type { Ticket } from './health.ts'

/** Somebody who may be asked, with leave to do so: whoever takes one must open it. */
export interface Try<C extends AttemptTarget> {
  readonly candidate: C
  readonly ticket: Ticket
  /** Why: `first`, `fallback: timeout`, `hedge` … */
  readonly reason: string
  /** For its first useful output. */
  readonly windowMs: number
}

export interface Ask<C extends AttemptTarget> extends Try<C> {
  readonly signal: AbortSignal
  /** Somebody stands behind it. */
  readonly hasNext: () => boolean
  /** Takes the next one, for a hedge; undefined: nobody may be asked. */
  readonly takeNext: (reason: string) => Try<C> | undefined
}

/** An attempt under way, or several of which one is read. */
export interface Live<C extends AttemptTarget, T> {
  /**
   * Runs to the first useful item, which is kept for `next` with all that came before it. Rejects with a `ProviderError`, or with
   * the signal's reason. Called once, and before `next`.
   */
  ready(): Promise<void>
  /** Rejects as `ready` does. */
  next(): Promise<IteratorResult<T>>
  /** The upstream request is closed before this returns. Idempotent. */
  stop(reason: CancelReason): void
  /** Whose items `next` gives. */
  readonly candidate: C
  /** What it cost so far or in all; null: not known. */
  readonly costUsd: number | null
}

export type Opener<C extends AttemptTarget, T> = (ask: Ask<C>) => Live<C, T>
