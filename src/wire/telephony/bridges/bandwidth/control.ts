/**
 * Bandwidth's Voice API v2. A new call's document is asked for at an address; one in progress is given BXML in the request.
 * Shapes of npm `bandwidth-sdk` 8.1.4 (api/calls-api), read 2026-11-25. HTTP Basic, as the SDK still can; its OAuth is not done.
 */
import { z } from 'zod'
import type { CallControl } from '../../bridge.ts'
import { asFields } from '../message.ts'
import {
  addressOf,
  BASE_URL_OPTION,
  basic,
  callIdOf,
  isSip,
  json,
  orGone,
  pathOf,
  type RestPlace,
  restOf,
} from '../rest.ts'
import { xml, xmlText } from '../xml.ts'

export const BANDWIDTH_CONTROL_OPTIONS = {
  ...BASE_URL_OPTION,
  accountId: z.string().min(1).max(100).optional(),
  applicationId: z.string().min(1).max(100).optional(),
  apiUser: z.string().min(1).max(200).optional(),
  apiPassword: z.string().min(1).max(1000).optional(),
}

export interface BandwidthCredentials extends RestPlace {
  readonly accountId: string
  readonly applicationId: string
  readonly apiUser: string
  readonly apiPassword: () => string
}

export function bandwidthControl(credentials: BandwidthCredentials): CallControl {
  const { accountId, applicationId, apiUser, apiPassword, ...place } = credentials
  const rest = restOf({
    ...place,
    name: 'Bandwidth',
    standardUrl: 'https://voice.bandwidth.com/api/v2',
    authorization: () => basic(apiUser, apiPassword()),
    codeOf: ({ type }) => type,
  })
  const callPath = (callId: string) => pathOf('accounts', accountId, 'calls', callId)
  return {
    async dial({ to, from, answerUrl, signal }) {
      const body = json({ to, from, applicationId, answerUrl: addressOf('Bandwidth', answerUrl) })
      const made = await rest({ method: 'POST', path: pathOf('accounts', accountId, 'calls'), body, signal })
      return callIdOf('Bandwidth', asFields(made)?.['callId'])
    },
    hangUp: (callId, signal) =>
      orGone(rest({ method: 'POST', path: callPath(callId), body: json({ state: 'completed' }), signal })),
    async transfer(callId, to, signal) {
      const body = { type: 'application/xml', text: transferDocument(to) }
      await rest({ method: 'PUT', path: `${callPath(callId)}/bxml`, body, signal })
    },
  }
}

function transferDocument(to: string): string {
  const name = isSip(to) ? 'SipUri' : 'PhoneNumber'
  return xml(`<Response><Transfer><${name}>${xmlText(to)}</${name}></Transfer></Response>`)
}
