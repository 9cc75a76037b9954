/**
 * One-time tokens: what a call proves itself with where its socket cannot be signed. Handed out in the answer to a webhook or
 * when a call is placed, shown once in the parameters of `start`. Only hashes are kept, for two minutes.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { Clock } from '../../../clock.ts'

/** The parameter that carries it. */
export const TOKEN_PARAMETER = 'parleyToken'

/** From the webhook's answer to the socket's start; a call that is placed rings for up to a minute first. */
const LIFE_MS = 120_000
/** More calls at once than any process takes; the oldest go first. */
const MAX_TOKENS = 10_000

/** What a token stands for: who minted it decides. */
export interface TokenFacts {
  readonly bridge: string
  readonly pipeline: string | null
  /** The call is sent there; left out: it is for a conversation. */
  readonly transferTo?: string
  /** Of the call that it was placed with, once the bridge has named it. */
  readonly callId?: string
}

export class CallTokens {
  readonly #clock: Clock
  readonly #tokens = new Map<string, { facts: TokenFacts; readonly until: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  mint(facts: TokenFacts): string {
    this.#forget()
    const token = randomBytes(24).toString('base64url')
    this.#tokens.set(hash(token), { facts, until: this.#clock.now() + LIFE_MS })
    return token
  }

  /** The call of this token has an id. Nothing happens where the token was shown already, or is too old. */
  named(token: string, callId: string): void {
    const known = this.#tokens.get(hash(token))
    if (known) known.facts = { ...known.facts, callId }
  }

  /** The facts of a token that is known, once. */
  take(token: string): TokenFacts | undefined {
    this.#forget()
    const key = hash(token)
    const found = this.#tokens.get(key)
    this.#tokens.delete(key)
    return found?.facts
  }

  #forget(): void {
    const now = this.#clock.now()
    for (const [key, { until }] of this.#tokens) {
      if (until > now && this.#tokens.size < MAX_TOKENS) return
      this.#tokens.delete(key)
    }
  }
}

function hash(token: string): string {
  return createHash('sha256').update(token).digest('base64')
}
