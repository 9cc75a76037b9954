/** How many responses a key may have begun in a minute. Each key has a bucket of that many, refilled as time goes. */
import type { Clock } from '../clock.ts'

export interface ResponseRateSettings {
  readonly limits: {
    /** Of one key, or of all together where there are no keys; null: as many as it likes. */
    readonly responsesPerMinute: number | null
  }
  readonly keys: readonly { readonly id: string; readonly responsesPerMinute: number | null }[]
}

export interface Allowance {
  readonly limit: number
  /** Responses that may begin now. */
  readonly remaining: number
  /** Until there are `limit` again. */
  readonly resetMs: number
}

interface Bucket {
  level: number
  at: number
}

const MINUTE_MS = 60_000

export class ResponseRates {
  readonly #clock: Clock
  readonly #limit: number | null
  readonly #ofKey: ReadonlyMap<string, number | null>
  /** One a key of the settings. */
  readonly #buckets = new Map<string, Bucket>()

  constructor(clock: Clock, { limits, keys }: ResponseRateSettings) {
    this.#clock = clock
    this.#limit = limits.responsesPerMinute
    this.#ofKey = new Map(keys.map(({ id, responsesPerMinute }) => [id, responsesPerMinute]))
  }

  /** Null where there is no limit. */
  allowance(keyId: string | null): Allowance | null {
    const limit = this.#limitOf(keyId)
    if (limit === null) return null
    const { level } = this.#bucket(keyId, limit)
    const remaining = Math.floor(level)
    return { limit, remaining, resetMs: Math.ceil(((limit - level) * MINUTE_MS) / limit) }
  }

  /** False: nothing was left, and nothing was taken. */
  take(keyId: string | null): boolean {
    const limit = this.#limitOf(keyId)
    if (limit === null) return true
    const bucket = this.#bucket(keyId, limit)
    if (bucket.level < 1) return false
    bucket.level--
    return true
  }

  #limitOf(keyId: string | null): number | null {
    return (keyId === null ? null : this.#ofKey.get(keyId)) ?? this.#limit
  }

  #bucket(keyId: string | null, limit: number): Bucket {
    const at = this.#clock.now()
    const bucket = this.#buckets.get(keyId ?? '') ?? { level: limit, at }
    bucket.level = Math.min(limit, bucket.level + ((at - bucket.at) * limit) / MINUTE_MS)
    bucket.at = at
    this.#buckets.set(keyId ?? '', bucket)
    return bucket
  }
}
