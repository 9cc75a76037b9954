/**
 * jambonz's REST interface for calls: placed for an application, ended and sent elsewhere by live call
 * control. Shapes of npm `@jambonz/node-client` 0.4.11 and jambonz's page "Calls" (REST), read 2026-11-25.
 */
import { z } from 'zod'
import type { CallControl } from '../../bridge.ts'
import { asFields } from '../message.ts'
import { BASE_URL_OPTION, callIdOf, isSip, json, orGone, pathOf, type RestPlace, restOf } from '../rest.ts'

export const JAMBONZ_CONTROL_OPTIONS = {
  ...BASE_URL_OPTION,
  accountSid: z.string().min(1).max(100).optional(),
  apiKey: z.string().min(1).max(1000).optional(),
  applicationSid: z.string().min(1).max(100).optional(),
}

export interface JambonzCredentials extends RestPlace {
  readonly accountSid: string
  readonly apiKey: () => string
  /**
   * The application whose webhook is ours; left out: no calls out. A call cannot be given our address alone: with a `call_hook`
   * jambonz wants a status hook too. What is in `tag` the webhook is told as `customerData`.
   */
  readonly applicationSid?: string | undefined
  /** Where `jambonzDialDocument` is answered; left out: no transfers. */
  readonly transferUrl?: (to: string) => string
}

export function jambonzControl(credentials: JambonzCredentials): CallControl {
  const { accountSid, apiKey, applicationSid, transferUrl, ...place } = credentials
  const rest = restOf({
    ...place,
    name: 'jambonz',
    standardUrl: 'https://jambonz.cloud/api/v1',
    authorization: () => `Bearer ${apiKey()}`,
  })
  const calls = pathOf('Accounts', accountSid, 'Calls')
  const update = (callId: string, body: object, signal: AbortSignal) =>
    rest({ method: 'PUT', path: `${calls}${pathOf(callId)}`, body: json(body), signal })
  return {
    ...(applicationSid && {
      async dial({ to, from, target, signal }) {
        const body = json({
          application_sid: applicationSid,
          from,
          to: endpointOf(to),
          tag: target.parameters,
        })
        const made = await rest({ method: 'POST', path: calls, body, signal })
        return callIdOf('jambonz', asFields(made)?.['sid'])
      },
    }),
    hangUp: (callId, signal) => orGone(update(callId, { call_status: 'completed' }, signal)),
    ...(transferUrl && {
      async transfer(callId, to, signal) {
        await update(callId, { call_hook: { url: transferUrl(to), method: 'POST' } }, signal)
      },
    }),
  }
}

/** The `dial` verb. */
export function jambonzDialDocument(to: string): string {
  return JSON.stringify([{ verb: 'dial', target: [endpointOf(to)] }])
}

function endpointOf(to: string) {
  return isSip(to) ? { type: 'sip', sipUri: to } : { type: 'phone', number: to }
}
