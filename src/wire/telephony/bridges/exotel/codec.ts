/**
 * Exotel's Voicebot applet: Twilio's messages in snake case, linear sound of 16 bits, little-endian, in base64, some 100 ms a
 * message. https://developer.exotel.com/docs/agentstream/websocket-protocol, read 2026-11-25. Numbers come as text.
 */
import type { AudioFormat } from '../../../../audio/format.ts'
import { type BridgeCodec, type BridgeEvents, BridgeMistake, type Frame } from '../../bridge.ts'
import { linearFormat, ordered } from '../linear.ts'
import {
  asFields,
  base64,
  type Fields,
  fieldsOf,
  idOf,
  numberOf,
  parametersOf,
  partiesOf,
  pressed,
  readJson,
  soundOf,
  textOf,
} from '../message.ts'

export class ExotelCodec implements BridgeCodec {
  #streamSid = ''
  #head = ''

  read(message: Buffer, kind: 'text' | 'binary', events: BridgeEvents): void {
    const fields = readJson(message, kind)
    switch (fields['event']) {
      case 'media':
        return events.audio(ordered(soundOf(fieldsOf(fields, 'media')['payload']), 'little'))
      case 'start':
        return this.#start(fieldsOf(fields, 'start'), events)
      case 'mark':
        return events.marked(idOf(fieldsOf(fields, 'mark'), 'name'))
      case 'dtmf':
        return pressed(fieldsOf(fields, 'dtmf')['digit'], events)
      case 'stop':
        return events.stop()
      default:
        return
    }
  }

  audio(bytes: Uint8Array): Frame {
    return `${this.#head}${base64(bytes)}"}}`
  }

  mark(name: string): Frame {
    return JSON.stringify({ event: 'mark', stream_sid: this.#streamSid, mark: { name } })
  }

  clear(): Frame {
    return JSON.stringify({ event: 'clear', stream_sid: this.#streamSid })
  }

  /** The flow's next applet has the call when the socket closes. */
  goodbye(): null {
    return null
  }

  #start(start: Fields, events: BridgeEvents): void {
    const format = formatOf(fieldsOf(start, 'media_format'))
    const streamId = idOf(start, 'stream_sid')
    const callId = idOf(start, 'call_sid')
    const given = asFields(start['custom_parameters']) ?? {}
    const parameters = parametersOf({ ...customField(given['CustomField']), ...given })
    this.#streamSid = streamId
    this.#head = `{"event":"media","stream_sid":${JSON.stringify(streamId)},"media":{"payload":"`
    events.start({
      callId,
      streamId,
      inputFormat: format,
      outputFormat: format,
      ...partiesOf({ from: textOf(start, 'from'), to: textOf(start, 'to') }, parameters),
      parameters,
    })
  }
}

/** Pages name the encoding differently (`audio/x-raw`, `base64`); µ-law, which a beta can be set to, is refused by name. */
function formatOf(mediaFormat: Fields): AudioFormat {
  if (/mulaw|pcmu/i.test(String(mediaFormat['encoding'] ?? '')))
    throw new BridgeMistake('an encoding that is not linear')
  return linearFormat(numberOf(mediaFormat, 'sample_rate') ?? 8_000)
}

/** Calls that were placed through the interface have their parameters in it, as JSON. */
function customField(given: unknown): Fields {
  if (typeof given !== 'string') return {}
  try {
    return asFields(JSON.parse(given)) ?? {}
  } catch {
    return {}
  }
}
