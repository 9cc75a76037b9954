/** How many sessions may be open at once: on the server, and for each key. */

export interface SessionLimitSettings {
  readonly limits: { readonly sessions: number; readonly sessionsPerKey: number | null }
  readonly keys: readonly { readonly id: string; readonly maxSessions: number | null }[]
}

export type Admission =
  | {
      readonly type: 'admitted'
      /** Gives the place back. Idempotent. */
      release(): void
    }
  | { readonly type: 'refused'; readonly code: 'server_full' | 'key_sessions_full' | 'draining' }

export class SessionLimits {
  readonly #max: number
  readonly #perKey: number
  readonly #ofKey: ReadonlyMap<string, number>
  readonly #open = new Map<string, number>()
  #total = 0
  #draining = false
  #onEmpty: (() => void)[] = []

  constructor({ limits, keys }: SessionLimitSettings) {
    this.#max = limits.sessions
    this.#perKey = limits.sessionsPerKey ?? limits.sessions
    this.#ofKey = new Map(
      keys.flatMap((key) => (key.maxSessions === null ? [] : [[key.id, key.maxSessions]])),
    )
  }

  /** Sessions open now. */
  get open(): number {
    return this.#total
  }

  /** `keyId` null: no keys are configured. */
  acquire(keyId: string | null): Admission {
    if (this.#draining) return { type: 'refused', code: 'draining' }
    if (this.#total >= this.#max) return { type: 'refused', code: 'server_full' }
    const key = keyId ?? ''
    const ofKey = this.#open.get(key) ?? 0
    if (keyId !== null && ofKey >= (this.#ofKey.get(keyId) ?? this.#perKey)) {
      return { type: 'refused', code: 'key_sessions_full' }
    }
    this.#open.set(key, ofKey + 1)
    this.#total++
    let held = true
    return {
      type: 'admitted',
      release: () => {
        if (!held) return
        held = false
        this.#release(key)
      },
    }
  }

  /** From now on nobody is admitted. Resolves when the last session has gone. */
  drain(): Promise<void> {
    this.#draining = true
    if (this.#total === 0) return Promise.resolve()
    return new Promise((resolve) => this.#onEmpty.push(resolve))
  }

  #release(key: string): void {
    const left = (this.#open.get(key) ?? 1) - 1
    if (left > 0) this.#open.set(key, left)
    else this.#open.delete(key)
    this.#total--
    if (this.#total === 0) for (const resolve of this.#onEmpty.splice(0)) resolve()
  }
}
