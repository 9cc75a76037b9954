/**
 * Values by id that end by themselves, each somebody's. Answers are promises, so that a store outside this process is
 * an addition.
 */

export interface Expiring<T> {
  readonly id: string
  /** Whose it is: owners have their own bounds, so that none crowds out another. */
  readonly owner: string
  /** Unix milliseconds. */
  readonly expiresAtMs: number
  /** What it weighs, about. */
  readonly bytes: number
  readonly value: T
}

export interface ExpiringStore<T> {
  /** `full`: the owner, or the store, holds as much as it may; nothing was kept. */
  put(entry: Expiring<T>): Promise<'kept' | 'full'>
  /** Undefined from its expiry on. */
  get(id: string): Promise<T | undefined>
}
