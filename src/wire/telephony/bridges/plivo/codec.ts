/**
 * Plivo's audio streams, both directions (`<Stream bidirectional="true">`): JSON text, µ-law or linear sound in base64, 20 ms a
 * message. https://plivo.com/docs/voice/audio-streaming/audio-streaming, read 2026-11-25. Numbers come as numbers; marks are
 * called checkpoints and come back only if played.
 */
import { type AudioFormat, MULAW_8K } from '../../../../audio/format.ts'
import { type BridgeCodec, type BridgeEvents, BridgeMistake, type Frame } from '../../bridge.ts'
import { type ByteOrder, linearFormat, ordered } from '../linear.ts'
import {
  base64,
  type Fields,
  fieldsOf,
  idOf,
  numberOf,
  partiesOf,
  pressed,
  readJson,
  soundOf,
} from '../message.ts'
import { readExtraHeaders } from './extra-headers.ts'

export class PlivoCodec implements BridgeCodec {
  #format: AudioFormat | undefined
  #head = ''
  #streamId = ''

  /** `byteOrder`: of linear sound, both ways. */
  constructor(private readonly byteOrder: ByteOrder) {}

  read(message: Buffer, kind: 'text' | 'binary', events: BridgeEvents): void {
    const fields = readJson(message, kind)
    switch (fields['event']) {
      case 'media':
        return this.#media(fieldsOf(fields, 'media'), events)
      case 'start':
        return this.#start(fields, events)
      case 'playedStream':
      case 'played':
        return events.marked(idOf(fields, 'name'))
      case 'clearedAudio':
        return events.cleared()
      case 'dtmf':
        return pressed(fieldsOf(fields, 'dtmf')['digit'], events)
      case 'stop':
        return events.stop()
      default:
        return
    }
  }

  audio(bytes: Uint8Array): Frame {
    return `${this.#head}${base64(this.#ordered(bytes))}"}}`
  }

  mark(name: string): Frame {
    return JSON.stringify({ event: 'checkpoint', streamId: this.#streamId, name })
  }

  clear(): Frame {
    return JSON.stringify({ event: 'clearAudio', streamId: this.#streamId })
  }

  /** Plivo goes on with the next element when the socket closes. */
  goodbye(): null {
    return null
  }

  #media(media: Fields, events: BridgeEvents): void {
    // Our own voice, of a stream that was asked for both tracks.
    if (media['track'] === 'outbound') return
    if (!this.#format) throw new BridgeMistake('sound before the start')
    events.audio(this.#ordered(soundOf(media['payload'])))
  }

  #ordered(bytes: Uint8Array): Uint8Array {
    return this.#format?.encoding === 'pcm16' ? ordered(bytes, this.byteOrder) : bytes
  }

  #start(fields: Fields, events: BridgeEvents): void {
    const start = fieldsOf(fields, 'start')
    const format = formatOf(fieldsOf(start, 'mediaFormat'))
    const callId = idOf(start, 'callId')
    const streamId = idOf(start, 'streamId')
    const parameters = readExtraHeaders(fields['extra_headers'])
    this.#format = format
    this.#streamId = streamId
    const contentType = format.encoding === 'mulaw' ? 'audio/x-mulaw' : 'audio/x-l16'
    this.#head = `{"event":"playAudio","media":{"contentType":"${contentType}","sampleRate":${format.sampleRateHz},"payload":"`
    events.start({
      callId,
      streamId,
      inputFormat: format,
      outputFormat: format,
      ...partiesOf({}, parameters),
      parameters,
    })
  }
}

function formatOf(mediaFormat: Fields): AudioFormat {
  switch (mediaFormat['encoding']) {
    case 'audio/x-mulaw':
      return MULAW_8K
    case 'audio/x-l16':
      return linearFormat(numberOf(mediaFormat, 'sampleRate'))
    default:
      throw new BridgeMistake('an encoding that is neither µ-law nor linear')
  }
}
