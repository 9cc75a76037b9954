/** SignalWire's end of a cXML stream: Twilio's messages, in one of three formats; a bearer on the upgrade where it was given one. */
import { type AudioFormat, MULAW_8K, PCM16_16K, PCM16_24K } from '../../audio/format.ts'
import type { PhoneDialect } from './dialect.ts'
import { TwilioPhoneWire } from './twilio.ts'

export interface SignalWirePhoneOptions {
  readonly codec?: 'PCMU@8000h' | 'L16@16000h' | 'L16@24000h'
  readonly bearerToken?: string
}

export function signalWirePhone({
  codec = 'PCMU@8000h',
  bearerToken,
}: SignalWirePhoneOptions = {}): PhoneDialect {
  const format: AudioFormat =
    codec === 'PCMU@8000h' ? MULAW_8K : codec === 'L16@16000h' ? PCM16_16K : PCM16_24K
  const encoding = format.encoding === 'mulaw' ? 'audio/x-mulaw' : 'audio/x-L16'
  const mediaFormat = { encoding, sampleRate: format.sampleRateHz, channels: 1 }
  return {
    name: 'signalwire',
    inputFormat: format,
    outputFormat: format,
    frameMs: 20,
    silence: 'sent',
    marksOnClear: 'echoed',
    protocols: [],
    headers: () => (bearerToken === undefined ? {} : { authorization: `Bearer ${bearerToken}` }),
    connect: (call, stream) => new TwilioPhoneWire(call, stream, format, mediaFormat),
  }
}
