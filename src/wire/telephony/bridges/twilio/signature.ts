/**
 * `X-Twilio-Signature`: base64 of HMAC-SHA1, keyed with the account's auth token, over the address Twilio was given and, for a
 * form, its fields sorted by name, each name followed by its value. npm `twilio` 6.2.0 computes the same.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Proof, Upgrade, WebhookRequest } from '../../bridge.ts'

export function twilioSignature(
  authToken: string,
  url: string,
  fields: Readonly<Record<string, string>> = {},
): string {
  const hmac = createHmac('sha1', authToken).update(url)
  for (const name of Object.keys(fields).sort()) hmac.update(`${name}${fields[name]}`)
  return hmac.digest('base64')
}

/** In constant time for signatures of a right length. */
export function sameSignature(given: string, right: string): boolean {
  const a = Buffer.from(given)
  const b = Buffer.from(right)
  return a.length === b.length && timingSafeEqual(a, b)
}

/**
 * Over the configured address, since what a proxy leaves of the request is not what was signed. The address of a stream is
 * signed with its scheme `wss`, a form with its fields. `header`: in lower case.
 */
export function twilioProof(
  authToken: string,
  request: Upgrade | WebhookRequest,
  header: string,
  scheme: 'wss:' | 'https:' = 'https:',
): Proof {
  const given = request.headers[header]
  if (typeof given !== 'string') return 'none'
  if (request.publicUrl === null) return 'wrong'
  const base = request.publicUrl.replace(/^https:/, scheme).replace(/\/+$/, '')
  const fields = 'fields' in request ? request.fields : {}
  const right = twilioSignature(authToken, base + request.path, fields)
  return sameSignature(given, right) ? 'proved' : 'wrong'
}
