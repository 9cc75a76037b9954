/**
 * Providers with a key that a client brought, where the settings allow it. One is made when a key is first seen, and closed when others
 * pushed it out and the longest answer is over. A client's key has a circuit of its own: a wrong one is its sender's trouble alone.
 */
import { createHash } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { Provider } from '../stage/provider.ts'

/** Keys in use at once; each may hold connections. */
const MAX_KEPT = 200

export interface ClientKeysOptions {
  readonly clock: Clock
  /** How long an answer may run. */
  readonly answerMs: number
}

export interface WithClientKey {
  readonly provider: Provider
  /** Names the key in records: not the key, nor anything it could be found by. */
  readonly credential: string
}

export class ClientKeys {
  readonly #options: ClientKeysOptions
  /** In order of use. */
  readonly #kept = new Map<string, WithClientKey>()

  constructor(options: ClientKeysOptions) {
    this.#options = options
  }

  /** Undefined: the provider can be called with its own key only. */
  of(provider: Provider, apiKey: string): WithClientKey | undefined {
    const hash = createHash('sha256').update(`${provider.name}\n${apiKey}`).digest('hex')
    const before = this.#kept.get(hash)
    const one = before ?? this.#make(provider, apiKey, hash)
    if (!one) return undefined
    this.#kept.delete(hash)
    this.#kept.set(hash, one)
    return one
  }

  async close(): Promise<void> {
    await Promise.all([...this.#kept.values()].map(({ provider }) => provider.close()))
    this.#kept.clear()
  }

  #make(provider: Provider, apiKey: string, hash: string): WithClientKey | undefined {
    const made = provider.withKey?.(apiKey)
    if (!made) return undefined
    if (this.#kept.size >= MAX_KEPT) this.#forgetOne()
    return { provider: made, credential: `client-${hash.slice(0, 8)}` }
  }

  #forgetOne(): void {
    const [oldest] = this.#kept
    if (!oldest) return
    const [hash, { provider }] = oldest
    this.#kept.delete(hash)
    const { clock, answerMs } = this.#options
    clock.setTimer(answerMs, () => void provider.close())
  }
}
