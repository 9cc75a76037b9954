/**
 * Bandwidth's end of a bidirectional stream: `eventType`, µ-law from the call, either of two formats to it, no marks, no keys.
 */
import { type AudioFormat, MULAW_8K, msToBytes, PCM16_24K } from '../../audio/format.ts'
import { base64Of, membersOf, nameOf, objectOf, only, soundIn, Unheard } from './checks.ts'
import type { CallFacts, PhoneDialect, PhoneEar, PhoneWire } from './dialect.ts'
import type { LineMessage } from './line.ts'

export interface BandwidthPhoneOptions {
  /** What the server is to send. */
  readonly output?: 'pcmu' | 'pcm'
  /** Of the stream's destination. */
  readonly user?: string
  readonly password?: string
}

const CONTENT_TYPES = {
  pcmu: 'audio/pcmu',
  pcm: 'audio/pcm;rate=24000;channels=1;bit-depth=16;endian=little;encoding=signed',
} as const

export function bandwidthPhone({
  output = 'pcmu',
  user,
  password,
}: BandwidthPhoneOptions = {}): PhoneDialect {
  const basic = Buffer.from(`${user}:${password}`).toString('base64')
  const outputFormat = output === 'pcmu' ? MULAW_8K : PCM16_24K
  return {
    name: 'bandwidth',
    inputFormat: MULAW_8K,
    outputFormat,
    frameMs: 20,
    silence: 'sent',
    marksOnClear: 'dropped',
    protocols: [],
    headers: () => (user === undefined ? {} : { authorization: `Basic ${basic}` }),
    connect: (call, stream) => new BandwidthPhoneWire(call, stream, outputFormat, CONTENT_TYPES[output]),
  }
}

class BandwidthPhoneWire implements PhoneWire {
  readonly #metadata: object
  #sequence = 1

  constructor(
    private readonly call: CallFacts,
    stream: number,
    private readonly outputFormat: AudioFormat,
    private readonly contentType: string,
  ) {
    this.#metadata = {
      accountId: '9900000',
      callId: call.callId,
      streamId: `s-${call.callId}-${stream}`,
      streamName: 'parley',
      tracks: [{ name: 'inbound', mediaFormat: { encoding: 'PCMU', sampleRate: 8000 } }],
    }
  }

  greeting(): LineMessage[] {
    const { parameters } = this.call
    const params = Object.keys(parameters).length > 0 ? { streamParams: parameters } : {}
    return [JSON.stringify({ eventType: 'start', metadata: this.#metadata, ...params })]
  }

  sound(bytes: Uint8Array): LineMessage {
    const sequenceNumber = String(this.#sequence++)
    return JSON.stringify({ eventType: 'media', track: 'inbound', payload: base64Of(bytes), sequenceNumber })
  }

  /** They go to its webhook, if the document asks for them. */
  digit(): LineMessage[] {
    return []
  }

  marked(): LineMessage[] {
    return []
  }

  cleared(): LineMessage[] {
    return []
  }

  goodbye(): LineMessage[] {
    return [JSON.stringify({ eventType: 'stop', metadata: this.#metadata })]
  }

  hear(message: LineMessage, ear: PhoneEar): void {
    const members = membersOf(message)
    const eventType = nameOf(members, 'eventType')
    ear.kind(eventType)
    switch (eventType) {
      case 'playAudio': {
        only(members, 'eventType', 'media')
        const media = objectOf(members, 'media')
        only(media, 'contentType', 'payload')
        if (media['contentType'] !== this.contentType)
          throw new Unheard('a content type that is not expected')
        return ear.sound(soundIn(media, msToBytes(this.outputFormat, 20)))
      }
      case 'clear':
        only(members, 'eventType')
        return ear.clear()
      default:
        throw new Unheard(`an event that is not known: ${eventType.slice(0, 32)}`)
    }
  }
}
