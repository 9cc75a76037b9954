/**
 * Exotel's Voice v1: a number is called and then sent into a flow of the account, whose Voicebot applet is told our address
 * there. https://developer.exotel.com/docs/voice-v3/api-reference/outgoing-call-to-flow, read 2026-11-25. Its documents
 * have nothing that ends or redirects a call in progress: closing the media socket goes on with the flow, which ends the call
 * where nothing follows.
 */
import { z } from 'zod'
import { type CallControl, CallControlError } from '../../bridge.ts'
import { asFields } from '../message.ts'
import { BASE_URL_OPTION, basic, callIdOf, form, pathOf, type RestPlace, restOf } from '../rest.ts'

export const EXOTEL_CONTROL_OPTIONS = {
  ...BASE_URL_OPTION,
  accountSid: z.string().min(1).max(100).optional(),
  apiKey: z.string().min(1).max(200).optional(),
  apiToken: z.string().min(1).max(1000).optional(),
  flowId: z
    .string()
    .regex(/^\d{1,20}$/, 'wants the number of the flow (app_id)')
    .optional(),
  region: z.enum(['singapore', 'mumbai']).optional(),
}

export interface ExotelCredentials extends RestPlace {
  readonly accountSid: string
  readonly apiKey: () => string
  readonly apiToken: () => string
  readonly flowId: string
  readonly region?: 'singapore' | 'mumbai' | undefined
}

const HOSTS = { singapore: 'https://api.exotel.com', mumbai: 'https://api.in.exotel.com' }

export function exotelControl(credentials: ExotelCredentials): CallControl {
  const { accountSid, apiKey, apiToken, flowId, region = 'singapore', ...place } = credentials
  const rest = restOf({
    ...place,
    name: 'Exotel',
    standardUrl: HOSTS[region],
    authorization: () => basic(apiKey(), apiToken()),
    codeOf: ({ RestException }) => asFields(RestException)?.['Code'],
  })
  return {
    async dial({ to, from, target, signal }) {
      const body = form({
        From: to,
        CallerId: from,
        Url: `http://my.exotel.com${pathOf(accountSid, 'exoml', 'start_voice', flowId)}`,
        CallType: 'trans',
        CustomField: JSON.stringify(target.parameters),
      })
      const path = `${pathOf('v1', 'Accounts', accountSid, 'Calls')}/connect.json`
      const made = asFields(await rest({ method: 'POST', path, body, signal }))
      return callIdOf('Exotel', asFields(made?.['Call'])?.['Sid'])
    },
    hangUp: () =>
      Promise.reject(
        new CallControlError('refused', 'Exotel ends no call by request: close its media socket instead'),
      ),
  }
}
