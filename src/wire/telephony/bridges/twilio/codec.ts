/**
 * Twilio Media Streams, both directions (`<Connect><Stream>`): JSON text, µ-law at 8 kHz in base64, 20 ms a message from Twilio.
 * https://www.twilio.com/docs/voice/media-streams/websocket-messages, read 2026-11-25. Numbers come as text.
 *
 * SignalWire's cXML `<Stream>` speaks the same with other formats; it is this codec with another format.
 */
import { type AudioFormat, MULAW_8K } from '../../../../audio/format.ts'
import type { BridgeCodec, BridgeEvents, Frame } from '../../bridge.ts'
import { BridgeMistake } from '../../bridge.ts'
import {
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
} from '../message.ts'

export interface TwilioCodecOptions {
  /** Of both directions, by what `start.mediaFormat` names. Throws `BridgeMistake`. */
  readonly formatOf: (mediaFormat: Fields) => AudioFormat
}

export class TwilioCodec implements BridgeCodec {
  readonly #options: TwilioCodecOptions
  /** What stands before and after the sound of a message, once `start` has named the stream. */
  #head = ''
  #tail = ''
  #streamSid = ''

  constructor(options: TwilioCodecOptions = { formatOf: mulawOnly }) {
    this.#options = options
  }

  read(message: Buffer, kind: 'text' | 'binary', events: BridgeEvents): void {
    const fields = readJson(message, kind)
    switch (fields['event']) {
      case 'media':
        return this.#media(fieldsOf(fields, 'media'), events)
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
    return this.#head + base64(bytes) + this.#tail
  }

  mark(name: string): Frame {
    return JSON.stringify({ event: 'mark', streamSid: this.#streamSid, mark: { name } })
  }

  clear(): Frame {
    return JSON.stringify({ event: 'clear', streamSid: this.#streamSid })
  }

  /** Twilio goes on with the next verb when the socket closes; there is nothing to say before. */
  goodbye(): null {
    return null
  }

  #media(media: Fields, events: BridgeEvents): void {
    // Of a one-way stream with both tracks: our own voice.
    if (media['track'] === 'outbound') return
    events.audio(soundOf(media['payload']), numberOf(media, 'timestamp'))
  }

  #start(start: Fields, events: BridgeEvents): void {
    const format = this.#options.formatOf(fieldsOf(start, 'mediaFormat'))
    const streamId = idOf(start, 'streamSid')
    const parameters = parametersOf(start['customParameters'])
    this.#streamSid = streamId
    this.#head = `{"event":"media","streamSid":${JSON.stringify(streamId)},"media":{"payload":"`
    this.#tail = '"}}'
    events.start({
      callId: idOf(start, 'callSid'),
      streamId,
      inputFormat: format,
      outputFormat: format,
      ...partiesOf({}, parameters),
      parameters,
    })
  }
}

function mulawOnly(mediaFormat: Fields): AudioFormat {
  if (mediaFormat['encoding'] !== 'audio/x-mulaw') throw new BridgeMistake('an encoding that is not µ-law')
  return MULAW_8K
}
