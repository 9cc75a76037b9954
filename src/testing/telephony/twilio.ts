/**
 * Twilio's end of a bidirectional media stream: µ-law at 8 kHz, 20 ms a message, numbers as text, marks that come back when
 * played or cleared, and a signature on the upgrade. It takes 160-byte frames alone, which Twilio advises and we promise.
 */
import { createHmac } from 'node:crypto'
import { type AudioFormat, MULAW_8K, msToBytes } from '../../audio/format.ts'
import { base64Of, membersOf, nameOf, objectOf, only, same, soundIn, Unheard } from './checks.ts'
import type { CallFacts, PhoneDialect, PhoneEar, PhoneWire } from './dialect.ts'
import type { LineMessage } from './line.ts'

export interface TwilioPhoneOptions {
  /** Signs the upgrade; left out: no signature. */
  readonly authToken?: string
  /** The address it was configured with, and so signs; left out: the one it dials. */
  readonly signedUrl?: string
}

const ACCOUNT = `AC${'0'.repeat(32)}`

export function twilioPhone({ authToken, signedUrl }: TwilioPhoneOptions = {}): PhoneDialect {
  return {
    name: 'twilio',
    inputFormat: MULAW_8K,
    outputFormat: MULAW_8K,
    frameMs: 20,
    silence: 'sent',
    marksOnClear: 'echoed',
    protocols: [],
    headers: (url) =>
      authToken === undefined
        ? {}
        : {
            'x-twilio-signature': createHmac('sha1', authToken)
              .update(signedUrl ?? url)
              .digest('base64'),
          },
    connect: (call, stream) =>
      new TwilioPhoneWire(call, stream, MULAW_8K, {
        encoding: 'audio/x-mulaw',
        sampleRate: 8000,
        channels: 1,
      }),
  }
}

/** Also SignalWire's, with other formats. */
export class TwilioPhoneWire implements PhoneWire {
  readonly #streamSid: string
  #sequence = 1
  #chunk = 1

  constructor(
    private readonly call: CallFacts,
    stream: number,
    private readonly format: AudioFormat,
    private readonly mediaFormat: object,
  ) {
    this.#streamSid = `MZ-${call.callId}-${stream}`
  }

  greeting(): LineMessage[] {
    const { callId, parameters } = this.call
    return [
      JSON.stringify({ event: 'connected', protocol: 'Call', version: '1.0.0' }),
      this.#message('start', {
        start: {
          accountSid: ACCOUNT,
          streamSid: this.#streamSid,
          callSid: callId,
          tracks: ['inbound'],
          mediaFormat: this.mediaFormat,
          customParameters: parameters,
        },
      }),
    ]
  }

  sound(bytes: Uint8Array, placeMs: number): LineMessage {
    const chunk = String(this.#chunk++)
    return this.#message('media', {
      media: { track: 'inbound', chunk, timestamp: String(placeMs), payload: base64Of(bytes) },
    })
  }

  digit(digit: string): LineMessage[] {
    return [this.#message('dtmf', { dtmf: { track: 'inbound_track', digit } })]
  }

  marked(name: string): LineMessage[] {
    return [this.#message('mark', { mark: { name } })]
  }

  cleared(): LineMessage[] {
    return []
  }

  goodbye(): LineMessage[] {
    return [this.#message('stop', { stop: { accountSid: ACCOUNT, callSid: this.call.callId } })]
  }

  hear(message: LineMessage, ear: PhoneEar): void {
    const members = membersOf(message)
    const event = nameOf(members, 'event')
    ear.kind(event)
    same(members, 'streamSid', this.#streamSid)
    switch (event) {
      case 'media': {
        only(members, 'event', 'streamSid', 'media')
        const media = objectOf(members, 'media')
        only(media, 'payload')
        return ear.sound(soundIn(media, msToBytes(this.format, 20)))
      }
      case 'mark':
        only(members, 'event', 'streamSid', 'mark')
        return ear.mark(nameOf(objectOf(members, 'mark'), 'name'))
      case 'clear':
        only(members, 'event', 'streamSid')
        return ear.clear()
      default:
        throw new Unheard(`an event that is not known: ${event.slice(0, 32)}`)
    }
  }

  #message(event: string, members: object): LineMessage {
    const sequenceNumber = String(this.#sequence++)
    return JSON.stringify({ event, sequenceNumber, ...members, streamSid: this.#streamSid })
  }
}
