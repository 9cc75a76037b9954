/**
 * Vonage's Voice API: a call is placed with its NCCO in the request and a token signed for each request. Shapes of npm
 * `@vonage/voice` 1.21.0 and `@vonage/jwt`, read 2026-11-25; numbers have no plus sign.
 */
import { createPrivateKey, type KeyObject, randomUUID, sign } from 'node:crypto'
import { z } from 'zod'
import type { Clock } from '../../../../clock.ts'
import { type CallControl, CallControlError } from '../../bridge.ts'
import { asFields } from '../message.ts'
import { BASE_URL_OPTION, callIdOf, isSip, json, orGone, pathOf, type RestPlace, restOf } from '../rest.ts'
import { connectSocket } from './voice.ts'

export const VONAGE_CONTROL_OPTIONS = {
  ...BASE_URL_OPTION,
  applicationId: z.string().min(1).max(100).optional(),
  privateKey: z.string().refine(isPrivateKey, 'wants a private RSA key as PEM').optional(),
}

export interface VonageCredentials extends RestPlace {
  readonly applicationId: string
  /** PEM. Throws at the start where it is none. */
  readonly privateKey: () => string
  readonly sampleRateHz: 8000 | 16000
  readonly clock: Clock
}

/** A minute ahead of a clock that is late, a few minutes for the request itself. */
const TOKEN_SECONDS = 300

export function vonageControl(credentials: VonageCredentials): CallControl {
  const { applicationId, privateKey, sampleRateHz, clock, ...place } = credentials
  const key = createPrivateKey(privateKey())
  const rest = restOf({
    ...place,
    name: 'Vonage',
    standardUrl: 'https://api.nexmo.com',
    authorization: () => `Bearer ${vonageToken(applicationId, key, clock.wallMs())}`,
    codeOf: ({ title }) => title,
  })
  const update = (callId: string, body: object, signal: AbortSignal) =>
    rest({ method: 'PUT', path: pathOf('v1', 'calls', callId), body: json(body), signal })
  return {
    async dial({ to, from, target, signal }) {
      const body = json({
        to: [endpointOf(to)],
        from: { type: 'phone', number: digitsOf(from) },
        ncco: connectSocket(target, sampleRateHz),
      })
      const made = await rest({ method: 'POST', path: '/v1/calls', body, signal })
      return callIdOf('Vonage', asFields(made)?.['uuid'])
    },
    hangUp: (callId, signal) => orGone(update(callId, { action: 'hangup' }, signal)),
    async transfer(callId, to, signal) {
      const ncco = [{ action: 'connect', endpoint: [endpointOf(to)] }]
      await update(callId, { action: 'transfer', destination: { type: 'ncco', ncco } }, signal)
    },
    /** A pause is `p` here. */
    async sendDigits(callId, digits, signal) {
      if (digits === '') throw new CallControlError('refused', 'there are no digits')
      const path = pathOf('v1', 'calls', callId, 'dtmf')
      await rest({ method: 'PUT', path, body: json({ digits: digits.replaceAll('w', 'p') }), signal })
    },
  }
}

/** JWT of RS256, by the claims of `@vonage/jwt`. */
export function vonageToken(applicationId: string, key: KeyObject, nowMs: number): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const iat = Math.floor(nowMs / 1000)
  const claims = { application_id: applicationId, iat, exp: iat + TOKEN_SECONDS, jti: randomUUID() }
  const signed = `${part({ typ: 'JWT', alg: 'RS256' })}.${part(claims)}`
  return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), key).toString('base64url')}`
}

function endpointOf(to: string) {
  return isSip(to) ? { type: 'sip', uri: to } : { type: 'phone', number: digitsOf(to) }
}

function digitsOf(number: string): string {
  return number.replace(/^\+/, '')
}

function isPrivateKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyType === 'rsa'
  } catch {
    return false
  }
}
