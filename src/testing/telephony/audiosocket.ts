/**
 * Asterisk's end of AudioSocket: the UUID, then frames of sound both ways. It queues nothing: what comes ahead of its time runs into
 * the telephone's jitter buffer, and over it. It hangs up when no byte came for two seconds.
 */
import { createHash } from 'node:crypto'
import { type AudioFormat, msToBytes } from '../../audio/format.ts'
import type { Timer } from '../../clock.ts'
import { Unheard } from './checks.ts'
import type { PhoneDialect, PhoneEar, PhoneWire } from './dialect.ts'
import type { LineMessage } from './line.ts'

export interface AudioSocketPhoneOptions {
  /** 8 kHz left out, which is all that the dialplan's application speaks. */
  readonly sampleRateHz?: keyof typeof TYPES
}

const TYPES = {
  8000: 0x10,
  12000: 0x11,
  16000: 0x12,
  24000: 0x13,
  32000: 0x14,
  44100: 0x15,
  48000: 0x16,
} as const
const FRAME_MS = 20
const PATIENCE_MS = 2_000
/** Of a telephone's jitter buffer. */
const JITTER_MS = 200

export function audioSocketPhone({ sampleRateHz = 8000 }: AudioSocketPhoneOptions = {}): PhoneDialect {
  const format: AudioFormat = { encoding: 'pcm16', sampleRateHz }
  return {
    name: 'audiosocket',
    inputFormat: format,
    outputFormat: format,
    frameMs: FRAME_MS,
    silence: 'withheld',
    marksOnClear: 'dropped',
    protocols: [],
    holds: { limitMs: JITTER_MS },
    headers: () => ({}),
    connect: ({ callId }) => new AudioSocketPhoneWire(uuidOf(callId), format, TYPES[sampleRateHz]),
  }
}

class AudioSocketPhoneWire implements PhoneWire {
  #patience: Timer | undefined
  #unread: Uint8Array = new Uint8Array(0)
  #ear: PhoneEar | undefined

  constructor(
    private readonly uuid: Uint8Array,
    private readonly format: AudioFormat,
    private readonly type: number,
  ) {}

  opened(ear: PhoneEar): void {
    this.#ear = ear
    this.#wait()
  }

  closed(): void {
    this.#patience?.cancel()
    this.#ear = undefined
  }

  greeting(): LineMessage[] {
    return [frameOf(0x01, this.uuid)]
  }

  sound(bytes: Uint8Array): LineMessage {
    return frameOf(this.type, bytes)
  }

  digit(digit: string): LineMessage[] {
    return [frameOf(0x03, Buffer.from(digit))]
  }

  marked(): LineMessage[] {
    return []
  }

  cleared(): LineMessage[] {
    return []
  }

  /** It closes, and that is all. */
  goodbye(): LineMessage[] {
    return []
  }

  /** A message is what TCP makes of it: a piece of the stream. */
  hear(message: LineMessage, ear: PhoneEar): void {
    if (typeof message === 'string') throw new Unheard('a text message')
    this.#wait()
    this.#unread = Buffer.concat([this.#unread, message])
    for (let length = wholeFrame(this.#unread); length !== undefined; length = wholeFrame(this.#unread)) {
      const frame = this.#unread.subarray(0, length)
      this.#unread = this.#unread.subarray(length)
      this.#frame(frame[0]!, frame.subarray(3), ear)
    }
  }

  #frame(type: number, payload: Uint8Array, ear: PhoneEar): void {
    if (type === 0x00) {
      ear.kind('hangup')
      return ear.hangUp()
    }
    if (type !== this.type) throw new Unheard(`a frame of type ${type}`)
    ear.kind('sound')
    if (payload.length !== msToBytes(this.format, FRAME_MS))
      throw new Unheard(`a frame of ${payload.length} bytes`)
    ear.sound(payload)
  }

  #wait(): void {
    this.#patience?.cancel()
    this.#patience = this.#ear?.later(PATIENCE_MS, () => {
      this.#ear?.mistake('no byte for two seconds')
      this.#ear?.hangUp()
    })
  }
}

function frameOf(type: number, payload: Uint8Array): Uint8Array {
  return Uint8Array.of(type, payload.length >> 8, payload.length & 0xff, ...payload)
}

/** Its length; undefined: it is not all there. */
function wholeFrame(bytes: Uint8Array): number | undefined {
  const length = 3 + (bytes[1] ?? 0) * 256 + (bytes[2] ?? 0)
  return bytes.length >= length ? length : undefined
}

/** The same for the same call. */
function uuidOf(callId: string): Uint8Array {
  return createHash('sha256').update(callId).digest().subarray(0, 16)
}
