/**
 * Twilio: Media Streams for the sound, `X-Twilio-Signature` for the proof, TwiML for incoming calls, the REST interface for
 * calls in progress and new ones.
 */
import { z } from 'zod'
import type { BridgeSetting } from '../../../../config/settings.ts'
import type { Bridge, BridgeCaps } from '../../bridge.ts'
import { asFields, type Fields } from '../message.ts'
import { BridgeSettingError, readOptions } from '../options.ts'
import { TwilioCodec } from './codec.ts'
import { TWILIO_CONTROL_OPTIONS, twilioControl } from './control.ts'
import { twilioProof } from './signature.ts'
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

const SIGNATURE = 'x-twilio-signature'

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
    prove: (upgrade) => (token ? twilioProof(token.reveal(), upgrade, SIGNATURE, 'wss:') : 'none'),
    open: () => new TwilioCodec(),
    recognises: startsLikeTwilio,
    webhook: {
      ...twimlAnswers(),
      prove: (request) => (token ? twilioProof(token.reveal(), request, SIGNATURE) : 'none'),
    },
    ...(token && accountSid
      ? { control: twilioControl({ accountSid, authToken: () => token.reveal(), baseUrl }) }
      : {}),
  }
}

/** Whether a first message is a `start` of Twilio's shape; SignalWire's looks the same. */
export function startsLikeTwilio({ event, start }: Fields): boolean {
  const { streamSid, callSid } = asFields(start) ?? {}
  return event === 'start' && typeof streamSid === 'string' && typeof callSid === 'string'
}
