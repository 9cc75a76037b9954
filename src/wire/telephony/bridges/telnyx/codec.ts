/**
 * Telnyx media streaming with `stream_bidirectional_mode: rtp`: JSON text, payloads of RTP without its head in base64. What
 * comes is in the format that `start` names; what goes is in the one the stream was asked for, which no message tells.
 * https://developers.telnyx.com/api-reference/websockets/stream-call-media-over-websocket, read 2026-11-25.
 */
import { ALAW_8K, type AudioFormat, MULAW_8K } from '../../../../audio/format.ts'
import { type BridgeCodec, type BridgeEvents, BridgeMistake, type Frame } from '../../bridge.ts'
import { type ByteOrder, linearFormat, ordered } from '../linear.ts'
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

export interface TelnyxCodecOptions {
  /** What the stream was asked to take: `stream_bidirectional_codec`. */
  readonly outputFormat: AudioFormat
  /** Of linear sound, both ways. */
  readonly byteOrder: ByteOrder
}

const HEAD = '{"event":"media","media":{"payload":"'
const CODE = /^[\w.-]{1,32}$/

export class TelnyxCodec implements BridgeCodec {
  #input: AudioFormat | undefined

  constructor(private readonly options: TelnyxCodecOptions) {}

  read(message: Buffer, kind: 'text' | 'binary', events: BridgeEvents): void {
    const fields = readJson(message, kind)
    switch (fields['event']) {
      case 'media':
        return this.#media(fieldsOf(fields, 'media'), events)
      case 'start':
        return this.#start(fields, events)
      case 'mark':
        return events.marked(idOf(fieldsOf(fields, 'mark'), 'name'))
      case 'dtmf':
        return pressed(fieldsOf(fields, 'dtmf')['digit'], events)
      case 'error': {
        const code = String(asFields(fields['payload'])?.['code'] ?? '')
        return events.complaint(CODE.test(code) ? code : 'unknown')
      }
      case 'stop':
        return events.stop()
      default:
        return
    }
  }

  audio(bytes: Uint8Array): Frame {
    return `${HEAD}${base64(this.#ordered(bytes, this.options.outputFormat))}"}}`
  }

  mark(name: string): Frame {
    return JSON.stringify({ event: 'mark', mark: { name } })
  }

  clear(): Frame {
    return '{"event":"clear"}'
  }

  /** Telnyx goes on with the document, or ends the call, when the socket closes. */
  goodbye(): null {
    return null
  }

  /** Frames may overtake each other; `timestamp` is ms since the stream began. */
  #media(media: Fields, events: BridgeEvents): void {
    // Our own voice, of a stream that was asked for both tracks.
    if (media['track'] === 'outbound') return
    if (!this.#input) throw new BridgeMistake('sound before the start')
    const bytes = soundOf(media['payload'])
    events.audio(this.#ordered(bytes, this.#input), numberOf(media, 'timestamp'))
  }

  #ordered(bytes: Uint8Array, format: AudioFormat): Uint8Array {
    return format.encoding === 'pcm16' ? ordered(bytes, this.options.byteOrder) : bytes
  }

  #start(fields: Fields, events: BridgeEvents): void {
    const start = fieldsOf(fields, 'start')
    const inputFormat = formatOf(fieldsOf(start, 'media_format'))
    const callId = idOf(start, 'call_control_id')
    const streamId = idOf(fields, 'stream_id')
    const parameters = parametersOf({
      ...clientState(start['client_state']),
      ...customParameters(start['custom_parameters']),
    })
    this.#input = inputFormat
    events.start({
      callId,
      streamId,
      inputFormat,
      outputFormat: this.options.outputFormat,
      ...partiesOf({ from: textOf(start, 'from'), to: textOf(start, 'to') }, parameters),
      parameters,
    })
  }
}

function formatOf(mediaFormat: Fields): AudioFormat {
  switch (mediaFormat['encoding']) {
    case 'PCMU':
      return MULAW_8K
    case 'PCMA':
      return ALAW_8K
    case 'L16':
      return linearFormat(numberOf(mediaFormat, 'sample_rate'))
    default:
      throw new BridgeMistake('an encoding that is not PCMU, PCMA or L16')
  }
}

/** By name; requests for a stream have them as a list of `{ name, value }`. */
function customParameters(given: unknown): Fields {
  if (!Array.isArray(given)) return asFields(given) ?? {}
  const pairs = given.flatMap((each) => {
    const { name, value } = asFields(each) ?? {}
    return typeof name === 'string' ? [[name, value] as const] : []
  })
  return Object.fromEntries(pairs)
}

/** Calls that we placed have their parameters in it, as JSON in base64; anything else is whoever placed the call's own. */
function clientState(given: unknown): Fields {
  if (typeof given !== 'string') return {}
  try {
    return asFields(JSON.parse(Buffer.from(given, 'base64').toString('utf8'))) ?? {}
  } catch {
    return {}
  }
}
