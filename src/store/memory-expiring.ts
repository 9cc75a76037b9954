/** Expiring values in this process. What has expired leaves at the next `put`, at most every ten seconds or when it is full. */
import type { Clock } from '../clock.ts'
import type { Expiring, ExpiringStore } from './expiring.ts'

export interface ExpiringBounds {
  /** Of one owner. */
  readonly entriesPerOwner: number
  readonly bytesPerOwner: number
  /** Of all together. */
  readonly bytes: number
}

const SWEEP_MS = 10_000

export class MemoryExpiring<T> implements ExpiringStore<T> {
  readonly #clock: Clock
  readonly #bounds: ExpiringBounds
  readonly #entries = new Map<string, Expiring<T>>()
  readonly #owners = new Map<string, { entries: number; bytes: number }>()
  #bytes = 0
  #sweptAtMs = 0

  constructor(clock: Clock, bounds: ExpiringBounds) {
    this.#clock = clock
    this.#bounds = bounds
  }

  get size(): number {
    return this.#entries.size
  }

  async put(entry: Expiring<T>): Promise<'kept' | 'full'> {
    const nowMs = this.#clock.wallMs()
    if (nowMs - this.#sweptAtMs >= SWEEP_MS || !this.#fits(entry)) this.#sweep(nowMs)
    if (!this.#fits(entry)) return 'full'
    this.#count(entry, 1)
    this.#entries.set(entry.id, entry)
    return 'kept'
  }

  async get(id: string): Promise<T | undefined> {
    const entry = this.#entries.get(id)
    return entry && entry.expiresAtMs > this.#clock.wallMs() ? entry.value : undefined
  }

  #fits({ owner, bytes }: Expiring<T>): boolean {
    const { entriesPerOwner, bytesPerOwner, bytes: all } = this.#bounds
    const held = this.#owners.get(owner) ?? { entries: 0, bytes: 0 }
    return held.entries < entriesPerOwner && held.bytes + bytes <= bytesPerOwner && this.#bytes + bytes <= all
  }

  #sweep(nowMs: number): void {
    this.#sweptAtMs = nowMs
    for (const entry of this.#entries.values()) {
      if (entry.expiresAtMs > nowMs) continue
      this.#entries.delete(entry.id)
      this.#count(entry, -1)
    }
  }

  #count({ owner, bytes }: Expiring<T>, sign: 1 | -1): void {
    const held = this.#owners.get(owner) ?? { entries: 0, bytes: 0 }
    this.#bytes += sign * bytes
    if (held.entries + sign === 0) this.#owners.delete(owner)
    else this.#owners.set(owner, { entries: held.entries + sign, bytes: held.bytes + sign * bytes })
  }
}
