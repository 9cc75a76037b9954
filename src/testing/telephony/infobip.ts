/**
 * Infobip's end of a WebSocket endpoint: linear sound in binary messages of 20 ms and no commands, so what it was sent is heard. Its
 * media stream, which tells of a call and takes no sound, is another face of it. How much it holds is not known, nor what it does about
 * a message of another size: here it is a mistake.
 */
import { type AudioFormat, msToBytes } from '../../audio/format.ts'
import { Unheard } from './checks.ts'
import type { CallFacts, PhoneDialect, PhoneEar, PhoneWire } from './dialect.ts'
import type { LineMessage } from './line.ts'

export interface InfobipPhoneOptions {
  readonly sampleRateHz?: 8_000 | 16_000 | 24_000
  readonly stream?: 'endpoint' | 'media-stream'
}

const FRAME_MS = 20

export function infobipPhone(options: InfobipPhoneOptions = {}): PhoneDialect {
  const { sampleRateHz = 16_000, stream = 'endpoint' } = options
  const format: AudioFormat = { encoding: 'pcm16', sampleRateHz }
  return {
    name: 'infobip',
    inputFormat: format,
    outputFormat: format,
    frameMs: FRAME_MS,
    silence: 'sent',
    marksOnClear: 'dropped',
    protocols: [],
    headers: () => ({}),
    connect: (call) => new InfobipPhoneWire(call, format, stream),
  }
}

class InfobipPhoneWire implements PhoneWire {
  constructor(
    private readonly call: CallFacts,
    private readonly format: AudioFormat,
    private readonly stream: 'endpoint' | 'media-stream',
  ) {}

  /** `customData` of the leg stands among the members; who calls whom is there or nowhere. */
  greeting(): LineMessage[] {
    const { sampleRateHz } = this.format
    if (this.stream === 'media-stream') {
      const { callId } = this.call
      return [JSON.stringify({ callId, sampleRate: sampleRateHz, packetizationTime: FRAME_MS })]
    }
    const contentType = `audio/l16;rate=${sampleRateHz}`
    return [
      JSON.stringify({ event: 'websocket:connected', 'content-type': contentType, ...this.call.parameters }),
    ]
  }

  sound(bytes: Uint8Array): LineMessage {
    return bytes
  }

  digit(digit: string): LineMessage[] {
    if (this.stream === 'media-stream') return []
    return [JSON.stringify({ event: 'websocket:dtmf', digit, duration: 250 })]
  }

  marked(): LineMessage[] {
    return []
  }

  cleared(): LineMessage[] {
    return []
  }

  goodbye(): LineMessage[] {
    return []
  }

  hear(message: LineMessage, ear: PhoneEar): void {
    if (typeof message === 'string') {
      ear.kind('text')
      throw new Unheard('a command where none is known')
    }
    ear.kind('sound')
    if (this.stream === 'media-stream') throw new Unheard('sound into a media stream')
    const required = msToBytes(this.format, FRAME_MS)
    if (message.length !== required) throw new Unheard(`${message.length} bytes of sound, not ${required}`)
    ear.sound(message)
  }
}
