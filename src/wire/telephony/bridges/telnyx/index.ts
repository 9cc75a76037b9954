/**
 * Telnyx: media streaming for the sound, TeXML for incoming calls, Ed25519 for their proof. The socket is not signed; a stream
 * that was given `stream_auth_token` shows it in a header.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { ALAW_8K, type AudioFormat, MULAW_8K } from '../../../../audio/format.ts'
import type { BridgeSetting } from '../../../../config/settings.ts'
import type { Bridge, BridgeCaps } from '../../bridge.ts'
import { BYTE_ORDERS, linearFormat } from '../linear.ts'
import { asFields } from '../message.ts'
import { BridgeSettingError, readOptions } from '../options.ts'
import { twimlAnswers } from '../twilio/voice.ts'
import { TelnyxCodec } from './codec.ts'
import { TELNYX_CONTROL_OPTIONS, telnyxControl } from './control.ts'
import { telnyxProof, telnyxPublicKey } from './signature.ts'

/** A message may hold 20 ms to 30 s. Nothing is documented of the buffer's size. */
export const TELNYX_CAPS: BridgeCaps = {
  leadMs: 1_000,
  messageMs: 60,
  lastMessage: 'short',
  clear: 'silent',
  marks: 'echoed',
  silence: 'sent',
  idle: 'nothing',
  order: 'sort',
  goodbye: 'stop',
  reconnects: 'yes',
}

const OPTIONS = {
  ...TELNYX_CONTROL_OPTIONS,
  /** What the stream takes: `bidirectionalCodec`. PCMU is Telnyx's own default. */
  codec: z.enum(['PCMU', 'PCMA', 'L16']).default('PCMU'),
  /** Of L16, Hz: `bidirectionalSamplingRate`. */
  sampleRate: z.union([z.literal(8_000), z.literal(16_000), z.literal(24_000)]).default(16_000),
  /** Of L16. A payload of RTP has network order; nobody has measured Telnyx's. */
  byteOrder: z.enum(BYTE_ORDERS).default('network'),
  /** The account's, for the proof of webhooks. */
  publicKey: z.string().optional(),
}

/** Throws `BridgeSettingError`. */
export function telnyx(setting: BridgeSetting): Bridge {
  const { codec, sampleRate, byteOrder, publicKey, apiKey, connectionId, baseUrl } = readOptions(
    setting,
    OPTIONS,
  )
  if (setting.username !== null) throw new BridgeSettingError('username', 'Telnyx shows no user name')
  const key = publicKey === undefined ? undefined : telnyxPublicKey(publicKey)
  if (publicKey !== undefined && !key)
    throw new BridgeSettingError('publicKey', 'wants the public key of the portal, 32 bytes in base64')
  const outputFormat = formatOf(codec, sampleRate)
  const { token } = setting
  return {
    name: 'telnyx',
    caps: TELNYX_CAPS,
    signs: false,
    subprotocols: [],
    prove: ({ headers }) => {
      const given = headers['x-telnyx-streaming-auth-token']
      if (given === undefined) return 'none'
      return token && typeof given === 'string' && same(given, token.reveal()) ? 'proved' : 'wrong'
    },
    open: () => new TelnyxCodec({ outputFormat, byteOrder }),
    recognises: ({ stream_id, start }) =>
      typeof stream_id === 'string' && typeof asFields(start)?.['call_control_id'] === 'string',
    webhook: {
      ...twimlAnswers({
        bidirectionalMode: 'rtp',
        bidirectionalCodec: codec,
        bidirectionalSamplingRate: String(outputFormat.sampleRateHz),
      }),
      prove: (request) => (key ? telnyxProof(key, request) : 'none'),
    },
    ...(apiKey
      ? {
          control: telnyxControl({
            apiKey: () => apiKey,
            codec,
            sampleRateHz: codec === 'L16' ? sampleRate : 8_000,
            baseUrl,
            ...(connectionId ? { connectionId } : {}),
            ...(token ? { streamToken: () => token.reveal() } : {}),
          }),
        }
      : {}),
  }
}

function formatOf(codec: 'PCMU' | 'PCMA' | 'L16', sampleRate: number): AudioFormat {
  return codec === 'PCMU' ? MULAW_8K : codec === 'PCMA' ? ALAW_8K : linearFormat(sampleRate)
}

/** In constant time, whatever their lengths. */
function same(given: string, right: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(right))
}
