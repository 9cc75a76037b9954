/**
 * jambonz `listen`, both directions: linear sound in binary messages, everything else as JSON text, the first of which has the
 * call's attributes. https://docs.jambonz.org/verbs/verbs/listen and the media server's module, read 2026-11-25.
 *
 * `killAudio` brings all open marks back by itself (`cleared`); `clearMarks` would have the module forget them in silence.
 */
import type { BridgeCodec, BridgeEvents, Frame } from '../../bridge.ts'
import { BridgeMistake } from '../../bridge.ts'
import {
  asFields,
  digitOf,
  type Fields,
  fieldsOf,
  idOf,
  numberOf,
  parametersOf,
  partiesOf,
  readJson,
  textOf,
} from '../message.ts'
import { linearSound } from '../vonage/codec.ts'

export interface JambonzCodecOptions {
  /** `bidirectionalAudio.sampleRate`, which no message names; null: the rate of the caller's sound. */
  readonly outputRateHz: number | null
}

const RATES = [8_000, 16_000, 24_000, 48_000]
/** Attributes of the call, of the stream and of the platform, which are no parameters. */
const OWN_MEMBERS = new Set([
  ...['callSid', 'from', 'to', 'sampleRate', 'mixType', 'metadata', 'customerData'],
  ...['applicationSid', 'accountSid', 'callId', 'parentCallSid', 'sbcCallid', 'sipStatus', 'sipReason'],
  ...['direction', 'callStatus', 'traceId', 'fsSipAddress', 'fsPublicIp', 'apiBaseUrl'],
])

export class JambonzCodec implements BridgeCodec {
  constructor(private readonly options: JambonzCodecOptions) {}

  read(message: Buffer, kind: 'text' | 'binary', events: BridgeEvents): void {
    if (kind === 'binary') return events.audio(linearSound(message))
    const fields = readJson(message, kind)
    if (fields['event'] === 'dtmf') {
      const digit = digitOf(fields['dtmf'])
      return digit === undefined ? undefined : events.digit(digit)
    }
    // `playout` or `cleared`: what it was that brought it back is for the call to know.
    if (fields['type'] === 'mark') return events.marked(idOf(fieldsOf(fields, 'data'), 'name'))
    if (fields['callSid'] !== undefined) this.#start(fields, events)
  }

  audio(bytes: Uint8Array): Frame {
    return bytes
  }

  mark(name: string): Frame {
    return JSON.stringify({ type: 'mark', data: { name } })
  }

  clear(): Frame {
    return '{"type":"killAudio"}'
  }

  /** Ends the verb; the application goes on with the next. */
  goodbye(): Frame {
    return '{"type":"disconnect"}'
  }

  #start(fields: Fields, events: BridgeEvents): void {
    const sampleRateHz = numberOf(fields, 'sampleRate')
    if (sampleRateHz === undefined || !RATES.includes(sampleRateHz))
      throw new BridgeMistake('a sample rate that is not known')
    if ((fields['mixType'] ?? 'mono') !== 'mono') throw new BridgeMistake('sound that is not mono')
    const others = Object.entries(fields).filter(([name]) => !OWN_MEMBERS.has(name))
    const given = { ...asFields(fields['metadata']), ...asFields(fields['customerData']) }
    const parameters = parametersOf({ ...given, ...Object.fromEntries(others) })
    events.start({
      callId: idOf(fields, 'callSid'),
      streamId: null,
      inputFormat: { encoding: 'pcm16', sampleRateHz },
      outputFormat: { encoding: 'pcm16', sampleRateHz: this.options.outputRateHz ?? sampleRateHz },
      ...partiesOf({ from: textOf(fields, 'from'), to: textOf(fields, 'to') }, parameters),
      parameters,
    })
  }
}
