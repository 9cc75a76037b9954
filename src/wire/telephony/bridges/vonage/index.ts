/** Vonage: the Voice WebSocket for the sound, an NCCO for incoming calls, a signed JWT for the proof of the webhook, the Voice API for calls in progress and new ones. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { realClock } from '../../../../clock.ts'
import type { BridgeSetting } from '../../../../config/settings.ts'
import type { Bridge, BridgeCaps, Proof, WebhookRequest } from '../../bridge.ts'
import { BridgeSettingError, readOptions } from '../options.ts'
import { VonageCodec } from './codec.ts'
import { VONAGE_CONTROL_OPTIONS, vonageControl } from './control.ts'
import { vonageSignatureHolds } from './signature.ts'
import { nccoAnswers } from './voice.ts'

/**
 * It holds 3,072 messages of 20 ms, about a minute, and loses what is beyond. Whether a notification comes back whose sound was
 * cleared is not documented; `dropped` is right either way.
 */
export const VONAGE_CAPS: BridgeCaps = {
  leadMs: 1_000,
  messageMs: 20,
  lastMessage: 'filled',
  clear: 'acknowledged',
  marks: 'dropped',
  silence: 'sent',
  idle: 'nothing',
  order: 'kept',
  goodbye: 'close',
  reconnects: 'never',
}

const OPTIONS = {
  ...VONAGE_CONTROL_OPTIONS,
  /** What the document asks for; the socket's first message says what it is. */
  sampleRate: z.union([z.literal(8_000), z.literal(16_000)]).default(16_000),
}

/** Throws `BridgeSettingError`. */
export function vonage(setting: BridgeSetting): Bridge {
  const { sampleRate, applicationId, privateKey, baseUrl } = readOptions(setting, OPTIONS)
  const secret = setting.authToken
  if (setting.username !== null) throw new BridgeSettingError('username', 'Vonage shows no user name')
  return {
    name: 'vonage',
    caps: VONAGE_CAPS,
    signs: false,
    subprotocols: [],
    prove: () => 'none',
    open: () => new VonageCodec(randomUUID()),
    recognises: ({ event }) => event === 'websocket:connected',
    webhook: {
      ...nccoAnswers(sampleRate),
      bearer: 'own',
      prove: (request) => (secret ? proofOf(secret.reveal(), request) : 'none'),
    },
    ...(applicationId && privateKey
      ? {
          control: vonageControl({
            ...{ applicationId, privateKey: () => privateKey, baseUrl },
            sampleRateHz: sampleRate,
            clock: realClock,
          }),
        }
      : {}),
  }
}

function proofOf(secret: string, { headers, rawBody, receivedAtMs }: WebhookRequest): Proof {
  const token = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
  if (token === undefined) return 'none'
  return vonageSignatureHolds(secret, { token, body: rawBody, receivedAtMs }) ? 'proved' : 'wrong'
}
