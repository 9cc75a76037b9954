/**
 * Telnyx's signature of webhooks: Ed25519 over `timestamp|body`, `telnyx-signature-ed25519` in base64, `telnyx-timestamp` in
 * Unix seconds. npm `telnyx` 7.24.0 checks the same, with the same five minutes.
 */
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import type { Proof, WebhookRequest } from '../../bridge.ts'

const GOOD_FOR_MS = 5 * 60_000
/** RFC 8410: what stands before the 32 bytes of a key. */
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex')
const KEY_BYTES = 32
const SIGNATURE_BYTES = 64

/** The account's public key as the portal shows it: base64 of 32 bytes. undefined: it is not. */
export function telnyxPublicKey(text: string): KeyObject | undefined {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length !== KEY_BYTES) return undefined
  return createPublicKey({ key: Buffer.concat([SPKI_HEAD, bytes]), format: 'der', type: 'spki' })
}

export function telnyxProof(key: KeyObject, request: WebhookRequest): Proof {
  const { headers, rawBody, receivedAtMs } = request
  const given = headers['telnyx-signature-ed25519']
  const timestamp = headers['telnyx-timestamp']
  if (given === undefined && timestamp === undefined) return 'none'
  if (typeof given !== 'string' || typeof timestamp !== 'string' || !/^\d{1,12}$/.test(timestamp))
    return 'wrong'
  if (Math.abs(receivedAtMs - Number(timestamp) * 1_000) > GOOD_FOR_MS) return 'wrong'
  const signature = Buffer.from(given, 'base64')
  if (signature.length !== SIGNATURE_BYTES) return 'wrong'
  return verify(null, Buffer.concat([Buffer.from(`${timestamp}|`), rawBody]), key, signature)
    ? 'proved'
    : 'wrong'
}
