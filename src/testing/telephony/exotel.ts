/**
 * Exotel's end of a Voicebot stream: snake case, linear sound, 100 ms a message. Sound of another size than it takes is heard
 * with gaps; here it is a mistake.
 */
import type { AudioFormat } from '../../audio/format.ts'
import { base64Of, membersOf, nameOf, objectOf, only, same, soundIn, Unheard } from './checks.ts'
import type { CallFacts, PhoneDialect, PhoneEar, PhoneWire } from './dialect.ts'
import type { LineMessage } from './line.ts'

export interface ExotelPhoneOptions {
  readonly sampleRateHz?: 8_000 | 16_000 | 24_000
  /** Of the address it was configured with: `wss://user:password@…`. */
  readonly user?: string
  readonly password?: string
  /** Whether cleared marks come back, which nothing tells. */
  readonly marksOnClear?: 'echoed' | 'dropped'
}

const ACCOUNT = 'double1'
const MULTIPLE_BYTES = 320
const LEAST_BYTES = 3_200
const MOST_BYTES = 100_000

export function exotelPhone(options: ExotelPhoneOptions = {}): PhoneDialect {
  const { sampleRateHz = 8_000, user, password, marksOnClear = 'dropped' } = options
  const format: AudioFormat = { encoding: 'pcm16', sampleRateHz }
  const basic = Buffer.from(`${user}:${password}`).toString('base64')
  return {
    name: 'exotel',
    inputFormat: format,
    outputFormat: format,
    frameMs: 100,
    silence: 'sent',
    marksOnClear,
    protocols: [],
    headers: () => (user === undefined ? {} : { authorization: `Basic ${basic}` }),
    connect: (call, stream) => new ExotelPhoneWire(call, stream, format),
  }
}

class ExotelPhoneWire implements PhoneWire {
  readonly #streamSid: string
  #sequence = 1
  #chunk = 1

  constructor(
    private readonly call: CallFacts,
    stream: number,
    private readonly format: AudioFormat,
  ) {
    this.#streamSid = `MZ-${call.callId}-${stream}`
  }

  greeting(): LineMessage[] {
    const { callId, from, to, parameters } = this.call
    const start = {
      stream_sid: this.#streamSid,
      call_sid: callId,
      account_sid: ACCOUNT,
      from,
      to,
      custom_parameters: parameters,
      media_format: {
        encoding: 'audio/x-raw',
        sample_rate: String(this.format.sampleRateHz),
        bit_rate: '16',
      },
    }
    return [JSON.stringify({ event: 'connected' }), this.#message('start', { start })]
  }

  sound(bytes: Uint8Array, placeMs: number): LineMessage {
    const chunk = String(this.#chunk++)
    return this.#message('media', { media: { chunk, timestamp: String(placeMs), payload: base64Of(bytes) } })
  }

  digit(digit: string): LineMessage[] {
    return [this.#message('dtmf', { dtmf: { digit, duration: '100' } })]
  }

  marked(name: string): LineMessage[] {
    return [this.#message('mark', { mark: { name } })]
  }

  cleared(): LineMessage[] {
    return []
  }

  goodbye(): LineMessage[] {
    const stop = { call_sid: this.call.callId, account_sid: ACCOUNT, reason: 'callended' }
    return [this.#message('stop', { stop })]
  }

  hear(message: LineMessage, ear: PhoneEar): void {
    const members = membersOf(message)
    const event = nameOf(members, 'event')
    ear.kind(event)
    same(members, 'stream_sid', this.#streamSid)
    switch (event) {
      case 'media': {
        only(members, 'event', 'stream_sid', 'media')
        const media = objectOf(members, 'media')
        only(media, 'payload')
        const bytes = soundIn(media, MULTIPLE_BYTES)
        if (bytes.length < LEAST_BYTES || bytes.length > MOST_BYTES)
          throw new Unheard(`${bytes.length} bytes of sound, not 3,200 to 100,000`)
        return ear.sound(bytes)
      }
      case 'mark':
        only(members, 'event', 'stream_sid', 'mark')
        return ear.mark(nameOf(objectOf(members, 'mark'), 'name'))
      case 'clear':
        only(members, 'event', 'stream_sid')
        return ear.clear()
      default:
        throw new Unheard(`an event that is not known: ${event.slice(0, 32)}`)
    }
  }

  #message(event: string, members: object): LineMessage {
    const sequence_number = String(this.#sequence++)
    return JSON.stringify({ event, sequence_number, stream_sid: this.#streamSid, ...members })
  }
}
