/** The configured keys. Secrets are held as SHA-256 and compared in constant time. */
import { createHash, timingSafeEqual } from 'node:crypto'

export interface Caller {
  readonly keyId: string
  /** What the operator says of this key; trusted. */
  readonly attributes: Readonly<Record<string, string>>
}

/** A key as settings hold it. */
export interface HashedKey {
  readonly id: string
  /** SHA-256 of the secret, hex. */
  readonly sha256: string
  readonly attributes: Readonly<Record<string, string>>
}

/** No configured secret is longer, so a longer one need not be hashed. */
const MAX_SECRET_BYTES = 4096

export class KeyRing {
  readonly #keys: readonly { readonly hash: Buffer; readonly caller: Caller }[]

  constructor(keys: readonly HashedKey[]) {
    this.#keys = keys.map(({ id, sha256, attributes }) => ({
      hash: Buffer.from(sha256, 'hex'),
      caller: { keyId: id, attributes },
    }))
  }

  /** True when nobody needs a key. */
  get empty(): boolean {
    return this.#keys.length === 0
  }

  /** Takes as long for a right secret as for a wrong one: every key is looked at. */
  find(secret: string): Caller | null {
    if (Buffer.byteLength(secret) > MAX_SECRET_BYTES) return null
    const hash = createHash('sha256').update(secret).digest()
    let found: Caller | null = null
    for (const key of this.#keys) if (timingSafeEqual(hash, key.hash)) found = key.caller
    return found
  }
}
