/**
 * AudioHook's signature on the upgrade: HTTP message signatures (RFC 9421 as a draft had it), HMAC-SHA256 keyed with the client
 * secret. https://developer.genesys.cloud/devapps/audiohook/session-walkthrough#establishing-connection, read 2026-11-25; the
 * page's example is a test here.
 *
 *     "@request-target": /path                         Signature-Input: sig1=("@request-target" …);keyid="…";nonce="…";…
 *     "@authority": host                               Signature: sig1=:BASE64:
 *     "audiohook-session-id": …
 *     "@signature-params": what follows `sig1=`
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/** All of these must be signed, or what was signed can be moved to another call. */
const REQUIRED = [
  '@request-target',
  '@authority',
  'audiohook-organization-id',
  'audiohook-session-id',
  'audiohook-correlation-id',
  'x-api-key',
]
const MIN_NONCE_CHARS = 22
const LIFE_S = 10
/** How far the two clocks may differ. */
const SKEW_S = 3
const MAX_CHARS = 2_048

export interface SignedUpgrade {
  readonly requestTarget: string
  /** Host, and the port if it is not the scheme's. */
  readonly authority: string
  readonly headers: IncomingHttpHeaders
  readonly receivedAtMs: number
}

/** For so long after it was taken first a signature could be taken again. */
export const SIGNATURE_LIFE_MS = (LIFE_S + 2 * SKEW_S) * 1_000

/** The nonce of a signature that holds; undefined: it does not. `secret`: the client secret as Genesys has it, base64. */
export function nonceOfSigned(apiKey: string, secret: string, signed: SignedUpgrade): string | undefined {
  const input = headerOf(signed, 'signature-input')
  const given = headerOf(signed, 'signature')
  if (input === undefined || given === undefined) return undefined
  const [, label, parameters, names] =
    /^([a-z0-9_*.-]+)=(\(("[^"()]*"(?: +"[^"()]*")*)\)(?:;.*))$/.exec(input) ?? []
  const [, sameLabel, signature] = /^([a-z0-9_*.-]+)=:([A-Za-z0-9+/=]+):$/.exec(given) ?? []
  if (!label || label !== sameLabel || !parameters || !names || !signature) return undefined
  const components = names.split(/ +/).map((name) => name.slice(1, -1))
  if (REQUIRED.some((name) => !components.includes(name))) return undefined
  if (new Set(components).size !== components.length) return undefined
  const nonce = freshNonce(parameters, apiKey, signed.receivedAtMs)
  if (nonce === undefined) return undefined
  const lines: string[] = []
  for (const name of components) {
    const value = componentOf(signed, name)
    if (value === undefined) return undefined
    lines.push(`"${name}": ${value}\n`)
  }
  const base = `${lines.join('')}"@signature-params": ${parameters}`
  const right = createHmac('sha256', Buffer.from(secret, 'base64')).update(base).digest()
  const bytes = Buffer.from(signature, 'base64')
  return bytes.length === right.length && timingSafeEqual(bytes, right) ? nonce : undefined
}

/** Of parameters that are of this key and of now. */
function freshNonce(parameters: string, apiKey: string, receivedAtMs: number): string | undefined {
  const text = (name: string) => new RegExp(`;${name}="([^"]*)"`).exec(parameters)?.[1] ?? ''
  const number = (name: string) =>
    Number(new RegExp(`;${name}=(\\d{1,12})(?:;|$)`).exec(parameters)?.[1] ?? Number.NaN)
  const now = receivedAtMs / 1_000
  const age = now - number('created')
  const nonce = text('nonce')
  const right =
    text('keyid') === apiKey &&
    text('alg') === 'hmac-sha256' &&
    nonce.length >= MIN_NONCE_CHARS &&
    age >= -SKEW_S &&
    age <= LIFE_S + SKEW_S &&
    !(number('expires') < now)
  return right ? nonce : undefined
}

function componentOf(signed: SignedUpgrade, name: string): string | undefined {
  if (name === '@request-target') return signed.requestTarget
  if (name === '@authority') return signed.authority
  return name.startsWith('@') ? undefined : headerOf(signed, name)
}

function headerOf({ headers }: SignedUpgrade, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' && value.length <= MAX_CHARS ? value.trim() : undefined
}
