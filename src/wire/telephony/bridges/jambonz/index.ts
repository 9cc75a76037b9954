/** jambonz: `listen` for the sound, verbs for incoming calls, `Jambonz-Signature` for the proof of the webhook, REST for calls in progress. */
import { z } from 'zod'
import type { BridgeSetting } from '../../../../config/settings.ts'
import type { Bridge, BridgeCaps, Proof, Surroundings, WebhookRequest } from '../../bridge.ts'
import { readOptions } from '../options.ts'
import { JambonzCodec } from './codec.ts'
import { JAMBONZ_CONTROL_OPTIONS, jambonzControl, jambonzDialDocument } from './control.ts'
import { jambonzSignatureHolds } from './signature.ts'
import { verbAnswers } from './voice.ts'

/** More than 30 open marks are thrown away by it; a call has 20 at most. */
export const JAMBONZ_CAPS: BridgeCaps = {
  leadMs: 1_000,
  messageMs: 60,
  lastMessage: 'short',
  clear: 'silent',
  marks: 'echoed',
  silence: 'sent',
  idle: 'nothing',
  order: 'kept',
  goodbye: 'close',
  reconnects: 'never',
}

const RATE = z.union([z.literal(8_000), z.literal(16_000), z.literal(24_000), z.literal(48_000)])
const OPTIONS = {
  ...JAMBONZ_CONTROL_OPTIONS,
  /** Of the caller's sound: what the verbs ask for. */
  sampleRate: RATE.default(16_000),
  /** Of the sound sent back, where an application of the operator's own asks for another. */
  outputSampleRate: RATE.optional(),
}

/** Throws `BridgeSettingError`. */
export function jambonz(setting: BridgeSetting, { transferUrl }: Surroundings = {}): Bridge {
  const { sampleRate, outputSampleRate, ...rest } = readOptions(setting, OPTIONS)
  const { accountSid, apiKey, applicationSid, baseUrl } = rest
  const { authToken: secret, username, password } = setting
  const answers = verbAnswers({
    sampleRateHz: sampleRate,
    outputRateHz: outputSampleRate ?? sampleRate,
    wsAuth: password === null ? null : { username: username ?? '', password: password.reveal() },
  })
  return {
    name: 'jambonz',
    caps: JAMBONZ_CAPS,
    signs: false,
    subprotocols: ['audio.jambonz.org'],
    prove: () => 'none',
    open: () => new JambonzCodec({ outputRateHz: outputSampleRate ?? null }),
    recognises: ({ callSid, sampleRate: rate, event }) =>
      event === undefined && typeof callSid === 'string' && typeof rate === 'number',
    webhook: {
      transfer: (to) => ({ contentType: 'application/json', body: jambonzDialDocument(to) }),
      ...answers,
      prove: (request) => (secret ? proofOf(secret.reveal(), request) : 'none'),
    },
    ...(accountSid && apiKey
      ? {
          control: jambonzControl({
            accountSid,
            apiKey: () => apiKey,
            applicationSid,
            baseUrl,
            ...(transferUrl && { transferUrl: (to: string) => transferUrl('jambonz', to) }),
          }),
        }
      : {}),
  }
}

function proofOf(secret: string, { headers, rawBody: body, receivedAtMs }: WebhookRequest): Proof {
  const header = headers['jambonz-signature']
  if (typeof header !== 'string') return 'none'
  return jambonzSignatureHolds(secret, { header, body, receivedAtMs }) ? 'proved' : 'wrong'
}
