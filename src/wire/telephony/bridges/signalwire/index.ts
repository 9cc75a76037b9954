/**
 * SignalWire: cXML `<Connect><Stream>`, Twilio's messages (the `@openai/agents` transport for SignalWire is its one for Twilio
 * with another format), three formats, and webhooks signed as Twilio's. https://developer.signalwire.com/compatibility-api/cxml/voice/stream
 * and npm `@signalwire/compatibility-api`, read 2026-11-25. Not run against SignalWire itself.
 */
import { z } from 'zod'
import { MULAW_8K } from '../../../../audio/format.ts'
import type { BridgeSetting } from '../../../../config/settings.ts'
import { type Bridge, BridgeMistake, type Surroundings } from '../../bridge.ts'
import { linearFormat } from '../linear.ts'
import { type Fields, numberOf } from '../message.ts'
import { BridgeSettingError, readOptions } from '../options.ts'
import { TwilioCodec } from '../twilio/codec.ts'
import { dialDocument } from '../twilio/control.ts'
import { startsLikeTwilio, TWILIO_CAPS } from '../twilio/index.ts'
import { twilioProof } from '../twilio/signature.ts'
import { twimlAnswers } from '../twilio/voice.ts'
import { SIGNALWIRE_CONTROL_OPTIONS, signalwireControl } from './control.ts'

/** As Twilio: nothing is documented of its buffer. */
export const SIGNALWIRE_CAPS = TWILIO_CAPS

const RATES = { 'PCMU@8000h': 8_000, 'L16@16000h': 16_000, 'L16@24000h': 24_000 } as const
type Codec = keyof typeof RATES

const OPTIONS = {
  ...SIGNALWIRE_CONTROL_OPTIONS,
  /** Asked for in the document. SignalWire's own default is the telephone network's. */
  codec: z.enum(['PCMU@8000h', 'L16@16000h', 'L16@24000h']).default('PCMU@8000h'),
}

/** Throws `BridgeSettingError`. */
export function signalwire(setting: BridgeSetting, { transferUrl }: Surroundings = {}): Bridge {
  const { codec, space, projectId, apiToken, baseUrl } = readOptions(setting, OPTIONS)
  const { authToken: signingKey, token } = setting
  if (setting.username !== null) throw new BridgeSettingError('username', 'SignalWire shows no user name')
  return {
    name: 'signalwire',
    caps: SIGNALWIRE_CAPS,
    signs: false,
    subprotocols: [],
    prove: () => 'none',
    open: () => new TwilioCodec({ formatOf: (mediaFormat) => formatOf(mediaFormat, codec) }),
    recognises: startsLikeTwilio,
    webhook: {
      transfer: (to) => ({ contentType: 'text/xml; charset=utf-8', body: dialDocument(to) }),
      ...twimlAnswers({ codec, ...(token ? { authBearerToken: token.reveal() } : {}) }),
      prove: (request) => {
        if (!signingKey) return 'none'
        const header = ['x-signalwire-signature', 'x-twilio-signature'].find((name) => request.headers[name])
        return header === undefined ? 'none' : twilioProof(signingKey.reveal(), request, header)
      },
    },
    ...(space && projectId && apiToken
      ? {
          control: signalwireControl({
            space,
            projectId,
            apiToken: () => apiToken,
            baseUrl,
            ...(transferUrl && { transferUrl: (to: string) => transferUrl('signalwire', to) }),
          }),
        }
      : {}),
  }
}

/** What the message names; where it names linear sound and no rate, the one that was asked for. */
function formatOf(mediaFormat: Fields, asked: Codec) {
  const encoding = String(mediaFormat['encoding'] ?? '')
  if (/mulaw|pcmu/i.test(encoding)) return MULAW_8K
  if (/l16/i.test(encoding)) return linearFormat(numberOf(mediaFormat, 'sampleRate') ?? RATES[asked])
  throw new BridgeMistake('an encoding that is neither µ-law nor linear')
}
