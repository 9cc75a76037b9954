/**
 * Twilio: Media Streams for the sound, `X-Twilio-Signature` for the proof, TwiML for incoming calls, the REST interface for
 * calls in progress and new ones.
 */
import { z } from 'zod'
import type { BridgeSetting } from '../../../config/settings.ts'
import type { Bridge, BridgeCaps, Proof, Upgrade, WebhookRequest } from '../bridge.ts'
import { asFields } from '../message.ts'
import { BridgeSettingError, readOptions } from '../options.ts'
import { TwilioCodec } from './codec.ts'
import { TWILIO_CONTROL_OPTIONS, twilioControl } from './control.ts'
import { sameSignature, twilioSignature } from './signature.ts'
import { twimlAnswers } from './voice.ts'

/** Twilio buffers without a documented limit and plays at the pace of listening. */
export const TWILIO_CAPS: BridgeCaps = {
  leadMs: 1_000,
  messageMs: 60,
  lastMessage: 'short',
  clear: 'silent',
  marks: 'echoed',
  silence: 'sent',
  idle: 'nothing',
  order: 'kept',
  goodbye: 'stop',
  reconnects: 'yes',
}

const OPTIONS = {
  ...TWILIO_CONTROL_OPTIONS,
  accountSid: z
    .string()
    .regex(/^AC[0-9a-fA-F]{32}$/, 'wants the account sid, AC and 32 hex digits')
    .optional(),
}

/** Throws `BridgeSettingError`. */
export function twilio(setting: BridgeSetting): Bridge {
  const { accountSid, baseUrl } = readOptions(setting, OPTIONS)
  const token = setting.authToken
  if (setting.username !== null) throw new BridgeSettingError('username', 'Twilio shows no user name')
  return {
    name: 'twilio',
    caps: TWILIO_CAPS,
    signs: true,
    subprotocols: [],
    prove: (upgrade) => (token ? proofOf(token.reveal(), upgrade, 'wss:') : 'none'),
    open: () => new TwilioCodec(),
    recognises: ({ event, start }) => {
      const { streamSid, callSid } = asFields(start) ?? {}
      return event === 'start' && typeof streamSid === 'string' && typeof callSid === 'string'
    },
    webhook: {
      ...twimlAnswers,
      prove: (request) => (token ? proofOf(token.reveal(), request, 'https:') : 'none'),
    },
    ...(token && accountSid
      ? { control: twilioControl({ accountSid, authToken: () => token.reveal(), baseUrl }) }
      : {}),
  }
}

/**
 * Over the configured address, since what a proxy leaves of the request is not what Twilio signed. The address of a stream is
 * signed with its scheme `wss`, a form with its fields.
 */
function proofOf(authToken: string, request: Upgrade | WebhookRequest, scheme: 'wss:' | 'https:'): Proof {
  const given = request.headers['x-twilio-signature']
  if (typeof given !== 'string') return 'none'
  if (request.publicUrl === null) return 'wrong'
  const base = request.publicUrl.replace(/^https:/, scheme).replace(/\/+$/, '')
  const fields = 'fields' in request ? request.fields : {}
  const right = twilioSignature(authToken, base + request.path, fields)
  return sameSignature(given, right) ? 'proved' : 'wrong'
}
