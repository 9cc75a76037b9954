/**
 * `Jambonz-Signature: t=SECONDS,v1=HEX[,v1=HEX]`: HMAC-SHA256, keyed with the account's webhook secret, over the seconds, a dot
 * and the body. npm `@jambonz/sdk` 0.10.1 checks the same.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

/** What jambonz's own library allows. */
const LIFE_MS = 5 * 60_000

export interface SignedWebhook {
  readonly header: string
  readonly body: Buffer
  readonly receivedAtMs: number
}

export function jambonzSignatureHolds(secret: string, signed: SignedWebhook): boolean {
  const parts = signed.header.split(',').map((part) => part.trim())
  const seconds = parts.find((part) => part.startsWith('t='))?.slice(2) ?? ''
  if (!/^\d{1,12}$/.test(seconds)) return false
  if (Math.abs(signed.receivedAtMs - Number(seconds) * 1_000) > LIFE_MS) return false
  const right = createHmac('sha256', secret).update(`${seconds}.`).update(signed.body).digest()
  return parts.some((part) => {
    const given = part.startsWith('v1=') ? Buffer.from(part.slice(3), 'hex') : Buffer.alloc(0)
    return given.length === right.length && timingSafeEqual(given, right)
  })
}
