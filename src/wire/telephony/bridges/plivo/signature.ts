/**
 * `X-Plivo-Signature-V3`: base64 of HMAC-SHA256, keyed with the account's auth token, over address, form and nonce. The query is
 * sorted; a form follows it after a dot, sorted, each name followed by its value. npm `plivo` 4.79.0 computes the same.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Proof, WebhookRequest } from '../../bridge.ts'

export function plivoSignature(
  authToken: string,
  url: string,
  nonce: string,
  fields: Readonly<Record<string, string>> = {},
): string {
  const [address = '', ...rest] = url.split('?')
  const query = [...new URLSearchParams(rest.join('?'))].map(([name, value]) => ({ name, value }))
  const sortedQuery = query
    .sort((a, b) => compare(a.name, b.name) || compare(a.value, b.value))
    .map(({ name, value }) => `${name}=${value}`)
    .join('&')
  const form = Object.keys(fields).sort()
  const asked = sortedQuery || form.length > 0 ? `${address}?${sortedQuery}` : address
  const joint = sortedQuery && form.length > 0 ? '.' : ''
  const values = form.map((name) => `${name}${fields[name]}`).join('')
  return createHmac('sha256', authToken).update(`${asked}${joint}${values}.${nonce}`).digest('base64')
}

/** Several signatures may be shown, after each other: one for each auth token that is valid. */
export function plivoProof(authToken: string, request: WebhookRequest): Proof {
  const given = request.headers['x-plivo-signature-v3']
  const nonce = request.headers['x-plivo-signature-v3-nonce']
  if (given === undefined) return 'none'
  if (typeof given !== 'string' || typeof nonce !== 'string' || request.publicUrl === null) return 'wrong'
  const url = request.publicUrl.replace(/\/+$/, '') + request.path
  const right = Buffer.from(plivoSignature(authToken, url, nonce, request.fields))
  const shown = given.split(',').map((one) => Buffer.from(one.trim()))
  return shown.some((one) => one.length === right.length && timingSafeEqual(one, right)) ? 'proved' : 'wrong'
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
