/**
 * Client secrets: what a backend that holds a key gives to a browser that must not. A secret is random, ends by
 * itself, opens the Realtime endpoints and nothing else, and acts as the key that minted it, attributes included.
 *
 *     ek_ + 16 characters: its name in the store + 43 characters: 256 random bits, of which the store has the SHA-256
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { ExpiringStore } from '../store/expiring.ts'
import type { Caller, HashedKey } from './key-ring.ts'

/** What a secret carries beside the key it acts for. */
export interface Grant {
  /** Names the secret without telling it. */
  readonly id: string
  /** The session it was minted with, as JSON, already checked; the wire knows what it means. */
  readonly session: Readonly<Record<string, unknown>>
}

/** A secret as it is stored: nothing here opens anything. */
export interface StoredSecret {
  /** SHA-256 of its random part, hex. */
  readonly sha256: string
  readonly caller: Caller | null
  /** SHA-256 of the minting key's secret, hex: a key that is gone or was changed takes its secrets along. */
  readonly keySha256: string | null
  readonly session: Readonly<Record<string, unknown>>
}

export interface Minted {
  readonly value: string
  /** Unix seconds. */
  readonly expiresAt: number
}

export interface SecretHolder {
  /** As it was when the secret was minted; null where no key is configured. */
  readonly caller: Caller | null
  readonly grant: Grant
}

const PREFIX = 'ek_'
const SHAPE = /^ek_([A-Za-z0-9_-]{16})([A-Za-z0-9_-]{43})$/
/** Of an entry beside its session: hashes, id, attributes. */
const ENTRY_BYTES = 1024

/** Whether a credential claims to be a client secret: such a one is never taken for nothing, even where no key is needed. */
export function isClientSecret(credential: string): boolean {
  return credential.startsWith(PREFIX)
}

export class ClientSecrets {
  readonly #store: ExpiringStore<StoredSecret>
  readonly #clock: Clock
  readonly #keys: ReadonlyMap<string, string>

  constructor(store: ExpiringStore<StoredSecret>, keys: readonly HashedKey[], clock: Clock) {
    this.#store = store
    this.#clock = clock
    this.#keys = new Map(keys.map(({ id, sha256 }) => [id, sha256]))
  }

  /** Null when the key has as many secrets as it may. The plain value is in the answer and nowhere else. */
  async mint(
    caller: Caller | null,
    session: Readonly<Record<string, unknown>>,
    seconds: number,
  ): Promise<Minted | null> {
    const id = randomBytes(12).toString('base64url')
    const random = randomBytes(32).toString('base64url')
    const expiresAt = Math.floor(this.#clock.wallMs() / 1000) + seconds
    const kept = await this.#store.put({
      id,
      owner: caller?.keyId ?? '',
      expiresAtMs: expiresAt * 1000,
      bytes: ENTRY_BYTES + 2 * JSON.stringify(session).length,
      value: {
        sha256: sha256(random).toString('hex'),
        caller,
        keySha256: this.#fingerprint(caller),
        session,
      },
    })
    return kept === 'full' ? null : { value: PREFIX + id + random, expiresAt }
  }

  /** Null for what is none, has expired, or whose key is gone. */
  async find(credential: string): Promise<SecretHolder | null> {
    const [, id, random] = SHAPE.exec(credential) ?? []
    if (id === undefined || random === undefined) return null
    const stored = await this.#store.get(id)
    if (!stored || !timingSafeEqual(sha256(random), Buffer.from(stored.sha256, 'hex'))) return null
    if (stored.keySha256 !== this.#fingerprint(stored.caller)) return null
    // Keys that came after it close the server to what was minted while it was open.
    if (stored.caller === null && this.#keys.size > 0) return null
    return { caller: stored.caller, grant: { id, session: stored.session } }
  }

  #fingerprint(caller: Caller | null): string | null {
    return caller === null ? null : (this.#keys.get(caller.keyId) ?? 'gone')
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
