/**
 * Asterisk's AudioSocket: frames over TCP, each read here as one binary message. The UUID first, then sound, keys and at last
 * maybe a hangup; back goes sound, in frames of 20 ms. Nothing can be taken back and nothing is marked: the server owns the clock.
 * https://docs.asterisk.org/Configuration/Channel-Drivers/AudioSocket/ and Asterisk 22.10.1 itself, 2026-11-25.
 */
import { type AudioFormat, msToBytes } from '../../../../audio/format.ts'
import {
  type BridgeCodec,
  type BridgeEvents,
  BridgeMistake,
  BridgeRefused,
  type Frame,
} from '../../bridge.ts'
import { digitOf } from '../message.ts'
import { HEAD_BYTES } from './framer.ts'

export const HANGUP = 0x00
export const UUID = 0x01
export const DIGIT = 0x03
export const ERROR = 0xff

/** The type of linear 16-bit little-endian sound by its rate. */
export const SOUND_TYPES: ReadonlyMap<number, number> = new Map([
  [8_000, 0x10],
  [12_000, 0x11],
  [16_000, 0x12],
  [24_000, 0x13],
  [32_000, 0x14],
  [44_100, 0x15],
  [48_000, 0x16],
])
const LAST_SOUND_TYPE = 0x18
const UUID_BYTES = 16
const FRAME_MS = 20

export class AudioSocketCodec implements BridgeCodec {
  readonly #format: AudioFormat
  readonly #type: number
  readonly #frameBytes: number

  /** `sampleRateHz`: one of `SOUND_TYPES`. The UUID comes before any sound does, and says nothing of it. */
  constructor(sampleRateHz: number) {
    this.#format = { encoding: 'pcm16', sampleRateHz }
    this.#type = SOUND_TYPES.get(sampleRateHz)!
    this.#frameBytes = msToBytes(this.#format, FRAME_MS)
  }

  read(message: Buffer, kind: 'text' | 'binary', events: BridgeEvents): void {
    const type = message[0]
    if (kind === 'text' || type === undefined || message.length < HEAD_BYTES)
      throw new BridgeMistake('a message that is no frame')
    const payload = message.subarray(HEAD_BYTES)
    if (type >= 0x10 && type <= LAST_SOUND_TYPE) return this.#sound(type, payload, events)
    switch (type) {
      case UUID:
        return this.#start(payload, events)
      case DIGIT: {
        const digit = payload.length === 1 ? digitOf(payload.toString('latin1')) : undefined
        return digit === undefined ? undefined : events.digit(digit)
      }
      case HANGUP:
        return events.stop()
      case ERROR:
        return events.complaint(`error ${payload.subarray(0, 4).toString('hex')}`.trimEnd())
      default:
        return
    }
  }

  /** 20 ms a frame, as Asterisk's own are. */
  audio(bytes: Uint8Array): Frame {
    const frames = Math.ceil(bytes.length / this.#frameBytes)
    const out = Buffer.allocUnsafe(bytes.length + frames * HEAD_BYTES)
    let to = 0
    for (let at = 0; at < bytes.length; at += this.#frameBytes) {
      const sound = bytes.subarray(at, at + this.#frameBytes)
      out[to] = this.#type
      out.writeUInt16BE(sound.length, to + 1)
      out.set(sound, to + HEAD_BYTES)
      to += HEAD_BYTES + sound.length
    }
    return out
  }

  mark(): null {
    return null
  }

  clear(): null {
    return null
  }

  goodbye(): Frame {
    return Uint8Array.of(HANGUP, 0, 0)
  }

  #start(payload: Buffer, events: BridgeEvents): void {
    if (payload.length !== UUID_BYTES) throw new BridgeMistake('a UUID that is not of 16 bytes')
    events.start({
      callId: uuidText(payload),
      streamId: null,
      inputFormat: this.#format,
      outputFormat: this.#format,
      from: null,
      to: null,
      parameters: {},
    })
  }

  #sound(type: number, payload: Buffer, events: BridgeEvents): void {
    if (type !== this.#type)
      throw new BridgeRefused('sound at another rate than telephony.audiosocket.sampleRateHz')
    if (payload.length % 2 !== 0) throw new BridgeMistake('sound with half a sample')
    events.audio(payload)
  }
}

/** As the dialplan wrote it, in lower case. */
function uuidText(bytes: Buffer): string {
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
