/**
 * Asterisk's chan_websocket: sound in binary messages, control in text, in the spelling of its first message. It queues what it
 * is sent, 900 frames at most, and plays at the pace of listening. It says nothing at the end: it closes.
 *
 * Whole frames need no START_MEDIA_BUFFERING, which is for sound of any length. QUEUE_DRAINED is for those who have no marks.
 */
import { ALAW_8K, type AudioFormat, MULAW_8K, msToBytes } from '../../../../audio/format.ts'
import {
  type BridgeCodec,
  type BridgeEvents,
  BridgeMistake,
  BridgeRefused,
  type Frame,
} from '../../bridge.ts'
import { asFields, type Fields, idOf, numberOf, parametersOf, partiesOf, pressed } from '../message.ts'
import { command, readControl, type Spelling } from './message.ts'

const FRAME_MS = 20

/** Asterisk's names of formats. Of those that are packed (`opus`, `g729`) the queue would know no length. */
const FORMATS: ReadonlyMap<string, AudioFormat> = new Map([
  ['ulaw', MULAW_8K],
  ['alaw', ALAW_8K],
  ['slin', pcm(8_000)],
  ['slin12', pcm(12_000)],
  ['slin16', pcm(16_000)],
  ['slin24', pcm(24_000)],
  ['slin32', pcm(32_000)],
  ['slin48', pcm(48_000)],
])

/** Variables that Asterisk sets itself; one of them repeats the dial string, and a token in it. */
const OWN_VARIABLES = /^(DIALEDPEER|MEDIA_WEBSOCKET_)/

export class AsteriskCodec implements BridgeCodec {
  readonly #query: Readonly<Record<string, string>>
  #spelling: Spelling | undefined
  #format: AudioFormat | undefined

  /** `query`: of the upgrade; what the dialplan's `v(…)` and the connection's `uri` gave. */
  constructor(query: Readonly<Record<string, string>> = {}) {
    this.#query = query
  }

  read(message: Buffer, kind: 'text' | 'binary', events: BridgeEvents): void {
    if (kind === 'binary') return this.#sound(message, events)
    const { event, fields, spelling } = readControl(message)
    switch (event) {
      case 'MEDIA_START':
        return this.#start(fields, spelling, events)
      case 'MEDIA_MARK_PROCESSED':
        return events.marked(idOf(fields, 'correlation_id'))
      case 'DTMF_END':
        return pressed(fields['digit'], events)
      case 'MEDIA_XOFF':
        return events.flow('hold')
      case 'MEDIA_XON':
        return events.flow('go')
      case 'ERROR':
        return events.complaint('error')
      default:
        return
    }
  }

  audio(bytes: Uint8Array): Frame {
    return bytes
  }

  mark(name: string): Frame {
    return command(this.#spelling ?? 'plain', 'MARK_MEDIA', name)
  }

  clear(): Frame {
    return command(this.#spelling ?? 'plain', 'FLUSH_MEDIA')
  }

  /** Without it the dialplan would go on after `Dial`, as after any far side that hung up; the same, but at once. */
  goodbye(): Frame | null {
    return this.#spelling ? command(this.#spelling, 'HANGUP') : null
  }

  /** Frames are of any length: what the far side's packets and the resampler made of them. */
  #sound(bytes: Buffer, events: BridgeEvents): void {
    if (this.#format?.encoding === 'pcm16' && bytes.length % 2 !== 0)
      throw new BridgeMistake('sound with half a sample')
    events.audio(bytes)
  }

  #start(fields: Fields, spelling: Spelling, events: BridgeEvents): void {
    const format = FORMATS.get(idOf(fields, 'format'))
    if (!format)
      throw new BridgeRefused('a format that is not spoken: want c(slin16) or another of slin, ulaw, alaw')
    const frameBytes = numberOf(fields, 'optimal_frame_size')
    if (frameBytes !== undefined && !(frameBytes > 0 && msToBytes(format, FRAME_MS) % frameBytes === 0))
      throw new BridgeRefused('a packet time that is no part of 20 ms')
    this.#spelling = spelling
    this.#format = format
    const parameters = this.#parameters(asFields(fields['channel_variables']) ?? {})
    events.start({
      callId: idOf(fields, 'channel_id'),
      streamId: null,
      inputFormat: format,
      outputFormat: format,
      ...partiesOf({}, parameters),
      parameters,
    })
  }

  /** What was written for this stream comes before the channel's variables, and wins over them. */
  #parameters(variables: Fields): Readonly<Record<string, string>> {
    // A proof that was judged already, and no parameter.
    const { token: _, ...query } = this.#query
    const named = Object.entries(variables).filter(([name]) => !OWN_VARIABLES.test(name))
    return parametersOf({ ...query, ...Object.fromEntries(named), ...query })
  }
}

function pcm(sampleRateHz: number): AudioFormat {
  return { encoding: 'pcm16', sampleRateHz }
}
