/**
 * Twilio's REST interface for calls: placed with their TwiML in the request, ended by `Status=completed`, sent elsewhere by new
 * TwiML. https://www.twilio.com/docs/voice/api/call-resource and npm `twilio` 6.2.0 (rest/api/v2010/account/call), read
 * 2026-11-25. 404 with code 20404: there is no such call any more.
 */
import type { CallControl } from '../../bridge.ts'
import { asFields } from '../message.ts'
import {
  BASE_URL_OPTION,
  basic,
  callIdOf,
  form,
  isSip,
  orGone,
  pathOf,
  type RestPlace,
  restOf,
} from '../rest.ts'
import { xml, xmlText } from '../xml.ts'
import { connectStream } from './voice.ts'

export const TWILIO_CONTROL_OPTIONS = BASE_URL_OPTION

export interface TwilioCredentials extends RestPlace {
  readonly accountSid: string
  readonly authToken: () => string
}

export function twilioControl({ accountSid, authToken, ...place }: TwilioCredentials): CallControl {
  const rest = restOf({
    ...place,
    name: 'Twilio',
    standardUrl: 'https://api.twilio.com',
    authorization: () => basic(accountSid, authToken()),
    codeOf: ({ code }) => code,
  })
  const calls = pathOf('2010-04-01', 'Accounts', accountSid, 'Calls')
  const update = (callId: string, fields: Readonly<Record<string, string>>, signal: AbortSignal) =>
    rest({ method: 'POST', path: `${calls}${pathOf(callId)}.json`, body: form(fields), signal })
  return {
    async dial({ to, from, target, signal }) {
      const body = form({ To: to, From: from, Twiml: connectStream(target) })
      const made = await rest({ method: 'POST', path: `${calls}.json`, body, signal })
      return callIdOf('Twilio', asFields(made)?.['sid'])
    },
    hangUp: (callId, signal) => orGone(update(callId, { Status: 'completed' }, signal)),
    async transfer(callId, to, signal) {
      await update(callId, { Twiml: dialDocument(to) }, signal)
    },
  }
}

/** `<Dial>` of TwiML and its cousins: a number, or a SIP address. */
export function dialDocument(to: string): string {
  const name = isSip(to) ? 'Sip' : 'Number'
  return xml(`<Response><Dial><${name}>${xmlText(to)}</${name}></Dial></Response>`)
}
