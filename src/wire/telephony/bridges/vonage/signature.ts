/**
 * Vonage's signed webhooks: `Authorization: Bearer` with a JWT, HS256 keyed with the account's signature secret, and in it the
 * SHA-256 of the body. https://developer.vonage.com/en/getting-started/concepts/webhooks, read 2026-11-25; npm `@vonage/jwt`
 * 1.14.0 accepts the same.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { asFields, type Fields } from '../message.ts'

/** How old a token may be, and how far the two clocks may differ. */
const LIFE_MS = 5 * 60_000
const MAX_CHARS = 8_192

export interface SignedBody {
  readonly token: string
  readonly body: Buffer
  readonly receivedAtMs: number
}

export function vonageSignatureHolds(secret: string, { token, body, receivedAtMs }: SignedBody): boolean {
  const [head, claims, signature, more] = token.length > MAX_CHARS ? [] : token.split('.')
  if (head === undefined || claims === undefined || signature === undefined || more !== undefined)
    return false
  // Another algorithm would make the secret a key of something else.
  if (decoded(head)['alg'] !== 'HS256') return false
  const right = createHmac('sha256', secret).update(`${head}.${claims}`).digest('base64url')
  if (!sameText(signature, right)) return false
  const { iat, exp, payload_hash: hash } = decoded(claims)
  if (typeof iat !== 'number' || Math.abs(receivedAtMs - iat * 1_000) > LIFE_MS) return false
  if (exp !== undefined && !(typeof exp === 'number' && exp * 1_000 > receivedAtMs)) return false
  if (body.length === 0) return true
  const bodyHash = createHash('sha256').update(body).digest('hex')
  return typeof hash === 'string' && sameText(hash.toLowerCase(), bodyHash)
}

function decoded(part: string): Fields {
  try {
    return asFields(JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))) ?? {}
  } catch {
    return {}
  }
}

/** In constant time for texts of a right length. */
function sameText(given: string, right: string): boolean {
  const a = Buffer.from(given)
  const b = Buffer.from(right)
  return a.length === b.length && timingSafeEqual(a, b)
}
