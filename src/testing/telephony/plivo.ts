/**
 * Plivo's end of an audio stream: numbers as numbers, one content type both ways, checkpoints that come back only if played,
 * clears that are acknowledged, no goodbye but the closing.
 */
import { type AudioFormat, MULAW_8K, msToBytes } from '../../audio/format.ts'
import { base64Of, membersOf, nameOf, objectOf, only, same, soundIn, swapped, Unheard } from './checks.ts'
import type { CallFacts, PhoneDialect, PhoneEar, PhoneWire } from './dialect.ts'
import type { LineMessage } from './line.ts'

export interface PlivoPhoneOptions {
  readonly contentType?: 'audio/x-mulaw;rate=8000' | 'audio/x-l16;rate=8000' | 'audio/x-l16;rate=16000'
  /** Of linear sound. */
  readonly byteOrder?: 'little' | 'network'
  /** What the page on checkpoints calls the message, or the one of support. */
  readonly playedEvent?: 'playedStream' | 'played'
}

/** A call's parameters go as `a=1;b=2`. */
export function plivoPhone(options: PlivoPhoneOptions = {}): PhoneDialect {
  const format = formatOf(options)
  return {
    name: 'plivo',
    inputFormat: format,
    outputFormat: format,
    frameMs: 20,
    silence: 'sent',
    marksOnClear: 'dropped',
    protocols: [],
    headers: () => ({}),
    connect: (call, stream) => new PlivoPhoneWire(call, stream, options),
  }
}

class PlivoPhoneWire implements PhoneWire {
  readonly #streamId: string
  readonly #format: AudioFormat
  readonly #encoding: string
  readonly #extraHeaders: string
  #sequence = 1
  #chunk = 1

  constructor(
    private readonly call: CallFacts,
    stream: number,
    private readonly options: PlivoPhoneOptions,
  ) {
    this.#streamId = `stream-${call.callId}-${stream}`
    this.#format = formatOf(options)
    this.#encoding = this.#format.encoding === 'mulaw' ? 'audio/x-mulaw' : 'audio/x-l16'
    const pairs = Object.entries(call.parameters).map(([name, value]) => `${name}=${value}`)
    this.#extraHeaders = pairs.join(';')
  }

  greeting(): LineMessage[] {
    const start = {
      callId: this.call.callId,
      streamId: this.#streamId,
      accountId: 'MADOUBLE',
      tracks: ['inbound'],
      mediaFormat: { encoding: this.#encoding, sampleRate: this.#format.sampleRateHz },
    }
    const message = { event: 'start', sequenceNumber: this.#sequence++, start }
    return [JSON.stringify({ ...message, extra_headers: this.#extraHeaders })]
  }

  sound(bytes: Uint8Array, placeMs: number): LineMessage {
    const media = {
      track: 'inbound',
      timestamp: String(1_705_312_200_000 + placeMs),
      chunk: this.#chunk++,
      payload: base64Of(this.#ordered(bytes)),
    }
    return this.#message('media', { media, extra_headers: this.#extraHeaders })
  }

  digit(digit: string, placeMs: number): LineMessage[] {
    const timestamp = String(1_705_312_200_000 + placeMs)
    return [this.#message('dtmf', { dtmf: { track: 'inbound', digit, timestamp } })]
  }

  marked(name: string): LineMessage[] {
    return [this.#message(this.options.playedEvent ?? 'playedStream', { name })]
  }

  cleared(): LineMessage[] {
    return [this.#message('clearedAudio', {})]
  }

  goodbye(): LineMessage[] {
    return []
  }

  hear(message: LineMessage, ear: PhoneEar): void {
    const members = membersOf(message)
    const event = nameOf(members, 'event')
    ear.kind(event)
    switch (event) {
      case 'playAudio': {
        only(members, 'event', 'media')
        const media = objectOf(members, 'media')
        only(media, 'contentType', 'sampleRate', 'payload')
        if (media['contentType'] !== this.#encoding || media['sampleRate'] !== this.#format.sampleRateHz)
          throw new Unheard('another content type than the stream has')
        return ear.sound(this.#ordered(soundIn(media, msToBytes(this.#format, 20))))
      }
      case 'checkpoint':
        only(members, 'event', 'streamId', 'name')
        same(members, 'streamId', this.#streamId)
        return ear.mark(nameOf(members, 'name'))
      case 'clearAudio':
        only(members, 'event', 'streamId')
        same(members, 'streamId', this.#streamId)
        return ear.clear()
      default:
        throw new Unheard(`an event that is not known: ${event.slice(0, 32)}`)
    }
  }

  #ordered(bytes: Uint8Array): Uint8Array {
    const swaps = this.#format.encoding === 'pcm16' && this.options.byteOrder === 'network'
    return swaps ? swapped(bytes) : bytes
  }

  #message(event: string, members: object): LineMessage {
    return JSON.stringify({
      event,
      sequenceNumber: this.#sequence++,
      streamId: this.#streamId,
      ...members,
    })
  }
}

function formatOf({ contentType = 'audio/x-mulaw;rate=8000' }: PlivoPhoneOptions): AudioFormat {
  if (contentType === 'audio/x-mulaw;rate=8000') return MULAW_8K
  return { encoding: 'pcm16', sampleRateHz: Number(contentType.split('rate=')[1]) }
}
