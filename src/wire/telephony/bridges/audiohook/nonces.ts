/**
 * Nonces of signatures that were right: each is good once, so that whoever reads an upgrade inside TLS cannot send it again. Of this
 * process; hashes, for as long as the signature would be taken.
 */
import { createHash } from 'node:crypto'

/** Only who has the secret can add one. 600 upgrades a second are more than a process answers. */
const MAX_NONCES = 10_000

export class Nonces {
  readonly #lifeMs: number
  /** Oldest first: by hash, Unix epoch ms of the upgrade. */
  readonly #seen = new Map<string, number>()

  /** `lifeMs`: a signature cannot be taken for longer than that after it was taken first. */
  constructor(lifeMs: number) {
    this.#lifeMs = lifeMs
  }

  get size(): number {
    return this.#seen.size
  }

  /** Keeps it. `nowMs`: Unix epoch ms. */
  take(nonce: string, nowMs: number): 'new' | 'used' {
    this.#forget(nowMs)
    const key = createHash('sha256').update(nonce).digest('base64')
    if (this.#seen.has(key)) return 'used'
    this.#seen.set(key, nowMs)
    return 'new'
  }

  #forget(nowMs: number): void {
    for (const [key, at] of this.#seen) {
      if (nowMs - at <= this.#lifeMs && this.#seen.size < MAX_NONCES) return
      this.#seen.delete(key)
    }
  }
}
