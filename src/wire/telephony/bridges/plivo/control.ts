/**
 * Plivo's REST interface for calls. A call's document is asked for at an address, when it is answered and when it is sent
 * elsewhere. Shapes of npm `plivo` 4.79.0 (resources/call), read 2026-11-25; `request_uuid` of a new call becomes its call uuid.
 */
import { z } from 'zod'
import { type CallControl, CallControlError } from '../../bridge.ts'
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

export const PLIVO_CONTROL_OPTIONS = {
  ...BASE_URL_OPTION,
  authId: z.string().min(1).max(100).optional(),
}

export interface PlivoCredentials extends RestPlace {
  readonly authId: string
  readonly authToken: () => string
  /** Where `plivoDialDocument` is answered; left out: no transfers. */
  readonly transferUrl?: (to: string) => string
}

export function plivoControl({ authId, authToken, transferUrl, ...place }: PlivoCredentials): CallControl {
  const rest = restOf({
    ...place,
    name: 'Plivo',
    standardUrl: 'https://api.plivo.com/v1',
    authorization: () => basic(authId, authToken()),
  })
  const calls = pathOf('Account', authId, 'Call')
  const callPath = (callId: string) => `${calls}${pathOf(callId)}/`
  return {
    async dial({ to, from, answerUrl, signal }) {
      const body = json({
        from,
        to: digitsOf(to),
        answer_url: addressOf('Plivo', answerUrl),
        answer_method: 'POST',
      })
      const made = asFields(await rest({ method: 'POST', path: `${calls}/`, body, signal }))
      return callIdOf('Plivo', made?.['request_uuid'])
    },
    hangUp: (callId, signal) => orGone(rest({ method: 'DELETE', path: callPath(callId), signal })),
    ...(transferUrl && {
      async transfer(callId, to, signal) {
        const body = json({ legs: 'aleg', aleg_url: transferUrl(to), aleg_method: 'POST' })
        await rest({ method: 'POST', path: callPath(callId), body, signal })
      },
    }),
    async sendDigits(callId, digits, signal) {
      if (digits === '') throw new CallControlError('refused', 'there are no digits')
      await rest({
        method: 'POST',
        path: `${callPath(callId)}DTMF/`,
        body: json({ digits, leg: 'aleg' }),
        signal,
      })
    },
  }
}

/** Plivo's own name for what Twilio calls `<Sip>` is `<User>`. */
export function plivoDialDocument(to: string): string {
  const name = isSip(to) ? 'User' : 'Number'
  return xml(`<Response><Dial><${name}>${xmlText(to)}</${name}></Dial></Response>`)
}

function digitsOf(number: string): string {
  return isSip(number) ? number : number.replace(/^\+/, '')
}
