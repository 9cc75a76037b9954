/**
 * Telnyx's end of a bidirectional stream in RTP mode: snake case, its own format each way, marks that come back when played or
 * cleared, errors by code for what it cannot read. A message holds 20 ms to 30 s.
 */
import { ALAW_8K, type AudioFormat, bytesToMs, MULAW_8K, msToBytes } from '../../audio/format.ts'
import { base64Of, membersOf, nameOf, objectOf, only, soundIn, swapped, Unheard } from './checks.ts'
import type { CallFacts, PhoneDialect, PhoneEar, PhoneWire } from './dialect.ts'
import type { LineMessage } from './line.ts'

export type TelnyxSound = 'PCMU' | 'PCMA' | 'L16@8000' | 'L16@16000' | 'L16@24000'

export interface TelnyxPhoneOptions {
  /** Of the call, as the telephone network has it. */
  readonly input?: TelnyxSound
  /** `stream_bidirectional_codec`. */
  readonly output?: TelnyxSound
  /** Of linear sound. */
  readonly byteOrder?: 'network' | 'little'
  /** `stream_auth_token`. */
  readonly authToken?: string
  /** Whether our own voice comes back too. */
  readonly tracks?: 'inbound' | 'both'
}

const LONGEST_MS = 30_000

export function telnyxPhone(options: TelnyxPhoneOptions = {}): PhoneDialect {
  const { input = 'PCMU', output = 'PCMU', authToken } = options
  return {
    name: 'telnyx',
    inputFormat: formatOf(input),
    outputFormat: formatOf(output),
    frameMs: 20,
    silence: 'sent',
    marksOnClear: 'echoed',
    protocols: [],
    headers: () => (authToken === undefined ? {} : { 'x-telnyx-streaming-auth-token': authToken }),
    connect: (call, stream) => new TelnyxPhoneWire(call, stream, options),
  }
}

class TelnyxPhoneWire implements PhoneWire {
  readonly #streamId: string
  readonly #input: AudioFormat
  readonly #output: AudioFormat
  #sequence = 1
  #chunk = 1

  constructor(
    private readonly call: CallFacts,
    stream: number,
    private readonly options: TelnyxPhoneOptions,
  ) {
    this.#streamId = `stream-${call.callId}-${stream}`
    this.#input = formatOf(options.input ?? 'PCMU')
    this.#output = formatOf(options.output ?? 'PCMU')
  }

  greeting(): LineMessage[] {
    const { callId, from, to, parameters } = this.call
    const { authToken, input = 'PCMU' } = this.options
    const shown = authToken === undefined ? {} : { 'x-telnyx-streaming-auth-token': authToken }
    return [
      JSON.stringify({ event: 'connected', version: '1.0.0', ...shown }),
      this.#message('start', {
        start: {
          user_id: 'user-1',
          call_control_id: callId,
          call_session_id: `session-${callId}`,
          from,
          to,
          tags: [],
          client_state: null,
          custom_parameters: parameters,
          media_format: {
            encoding: input.split('@')[0],
            sample_rate: this.#input.sampleRateHz,
            channels: 1,
          },
        },
      }),
    ]
  }

  sound(bytes: Uint8Array, placeMs: number): LineMessage {
    const chunk = String(this.#chunk++)
    const payload = base64Of(this.#ordered(bytes, this.#input))
    return this.#message('media', { media: { track: 'inbound', chunk, timestamp: String(placeMs), payload } })
  }

  digit(digit: string): LineMessage[] {
    return [this.#message('dtmf', { occurred_at: '2026-11-25T12:00:00.000000Z', dtmf: { digit } })]
  }

  marked(name: string): LineMessage[] {
    return [this.#message('mark', { mark: { name } })]
  }

  cleared(): LineMessage[] {
    return []
  }

  goodbye(): LineMessage[] {
    return [this.#message('stop', { stop: { user_id: 'user-1', call_control_id: this.call.callId } })]
  }

  hear(message: LineMessage, ear: PhoneEar): void {
    try {
      this.#hear(message, ear)
    } catch (error) {
      if (error instanceof Unheard)
        ear.reply(this.#message('error', { payload: { code: 100003, title: 'malformed_frame', detail: '' } }))
      throw error
    }
  }

  #hear(message: LineMessage, ear: PhoneEar): void {
    const members = membersOf(message)
    const event = nameOf(members, 'event')
    ear.kind(event)
    switch (event) {
      case 'media': {
        only(members, 'event', 'stream_id', 'media')
        const media = objectOf(members, 'media')
        only(media, 'payload')
        const bytes = soundIn(media, msToBytes(this.#output, 20))
        if (bytesToMs(this.#output, bytes.length) > LONGEST_MS)
          throw new Unheard('more than 30 s in a message')
        if (this.options.tracks === 'both') ear.reply(this.#ownVoice(bytes))
        return ear.sound(this.#ordered(bytes, this.#output))
      }
      case 'mark':
        only(members, 'event', 'stream_id', 'mark')
        return ear.mark(nameOf(objectOf(members, 'mark'), 'name'))
      case 'clear':
        only(members, 'event', 'stream_id')
        return ear.clear()
      default:
        throw new Unheard(`an event that is not known: ${event.slice(0, 32)}`)
    }
  }

  #ownVoice(bytes: Uint8Array): LineMessage {
    return this.#message('media', {
      media: { track: 'outbound', chunk: '1', timestamp: '0', payload: base64Of(bytes) },
    })
  }

  #ordered(bytes: Uint8Array, { encoding }: AudioFormat): Uint8Array {
    return encoding === 'pcm16' && this.options.byteOrder !== 'little' ? swapped(bytes) : bytes
  }

  #message(event: string, members: object): LineMessage {
    const sequence_number = String(this.#sequence++)
    return JSON.stringify({ event, sequence_number, stream_id: this.#streamId, ...members })
  }
}

function formatOf(sound: TelnyxSound): AudioFormat {
  if (sound === 'PCMU') return MULAW_8K
  if (sound === 'PCMA') return ALAW_8K
  return { encoding: 'pcm16', sampleRateHz: Number(sound.split('@')[1]) }
}
