/**
 * SignalWire's compatible REST interface: Twilio's shapes under `/api/laml`, except that a call's document is asked for at an
 * address. https://developer.signalwire.com/compatibility-api (calls, create and update), read 2026-11-25: `update` takes
 * `Url` and `Status`, and no document of its own.
 */
import { z } from 'zod'
import type { CallControl } from '../../bridge.ts'
import { asFields } from '../message.ts'
import {
  addressOf,
  BASE_URL_OPTION,
  basic,
  callIdOf,
  form,
  orGone,
  pathOf,
  type RestPlace,
  restOf,
} from '../rest.ts'

export const SIGNALWIRE_CONTROL_OPTIONS = {
  ...BASE_URL_OPTION,
  space: z
    .string()
    .regex(/^[A-Za-z0-9.-]{1,200}\.signalwire\.com$/, 'wants the space, such as example.signalwire.com')
    .optional(),
  projectId: z.string().min(1).max(100).optional(),
  apiToken: z.string().min(1).max(1000).optional(),
}

export interface SignalWireCredentials extends RestPlace {
  readonly space: string
  readonly projectId: string
  readonly apiToken: () => string
  /** Where the document stands that sends a call to a destination; left out: no transfers. */
  readonly transferUrl?: (to: string) => string
}

export function signalwireControl(credentials: SignalWireCredentials): CallControl {
  const { space, projectId, apiToken, transferUrl, ...place } = credentials
  const rest = restOf({
    ...place,
    name: 'SignalWire',
    standardUrl: `https://${space}/api/laml`,
    authorization: () => basic(projectId, apiToken()),
    codeOf: ({ code }) => code,
  })
  const calls = pathOf('2010-04-01', 'Accounts', projectId, 'Calls')
  const update = (callId: string, fields: Readonly<Record<string, string>>, signal: AbortSignal) =>
    rest({ method: 'POST', path: `${calls}${pathOf(callId)}.json`, body: form(fields), signal })
  return {
    async dial({ to, from, answerUrl, signal }) {
      const body = form({ To: to, From: from, Url: addressOf('SignalWire', answerUrl) })
      const made = await rest({ method: 'POST', path: `${calls}.json`, body, signal })
      return callIdOf('SignalWire', asFields(made)?.['sid'])
    },
    hangUp: (callId, signal) => orGone(update(callId, { Status: 'completed' }, signal)),
    ...(transferUrl && {
      async transfer(callId, to, signal) {
        await update(callId, { Url: transferUrl(to) }, signal)
      },
    }),
  }
}
