/**
 * Vonage's end of a Voice WebSocket: linear sound in binary messages of exactly 20 ms, of which it holds 3,072
 * and loses the rest; a message of another size makes it hang up. A notification is its mark, and is forgotten at a clear.
 */
import { type AudioFormat, msToBytes } from '../../audio/format.ts'
import { membersOf, nameOf, objectOf, only, Unheard } from './checks.ts'
import type { CallFacts, PhoneDialect, PhoneEar, PhoneWire } from './dialect.ts'
import type { LineMessage } from './line.ts'

export interface VonagePhoneOptions {
  readonly sampleRateHz?: 8_000 | 16_000 | 24_000
  /** Of the upgrade: `authorization.value` of the document. */
  readonly authorization?: string
}

const HELD_MESSAGES = 3_072
const FRAME_MS = 20

export function vonagePhone(options: VonagePhoneOptions = {}): PhoneDialect {
  const { sampleRateHz = 16_000, authorization } = options
  const format: AudioFormat = { encoding: 'pcm16', sampleRateHz }
  return {
    name: 'vonage',
    inputFormat: format,
    outputFormat: format,
    frameMs: FRAME_MS,
    silence: 'sent',
    marksOnClear: 'dropped',
    protocols: [],
    holds: { limitMs: HELD_MESSAGES * FRAME_MS },
    headers: () => (authorization === undefined ? {} : { authorization }),
    connect: (call) => new VonagePhoneWire(call, format),
  }
}

class VonagePhoneWire implements PhoneWire {
  constructor(
    private readonly call: CallFacts,
    private readonly format: AudioFormat,
  ) {}

  /** The document's headers stand beside the event; who calls whom is among them or nowhere. */
  greeting(): LineMessage[] {
    const contentType = `audio/l16;rate=${this.format.sampleRateHz}`
    return [
      JSON.stringify({ event: 'websocket:connected', 'content-type': contentType, ...this.call.parameters }),
    ]
  }

  sound(bytes: Uint8Array): LineMessage {
    return bytes
  }

  digit(digit: string): LineMessage[] {
    return [JSON.stringify({ event: 'websocket:dtmf', digit, duration: 260 })]
  }

  marked(name: string): LineMessage[] {
    return [JSON.stringify({ event: 'websocket:notify', payload: { name } })]
  }

  cleared(): LineMessage[] {
    return ['{"event":"websocket:cleared"}']
  }

  goodbye(): LineMessage[] {
    return []
  }

  hear(message: LineMessage, ear: PhoneEar): void {
    if (typeof message !== 'string') return this.#sound(message, ear)
    const members = membersOf(message)
    const action = nameOf(members, 'action')
    ear.kind(action)
    if (action === 'clear') {
      only(members, 'action')
      return ear.clear()
    }
    if (action !== 'notify') throw new Unheard(`an action that is not known: ${action.slice(0, 32)}`)
    only(members, 'action', 'payload')
    ear.mark(nameOf(objectOf(members, 'payload'), 'name'))
  }

  #sound(bytes: Uint8Array, ear: PhoneEar): void {
    ear.kind('sound')
    const required = msToBytes(this.format, FRAME_MS)
    if (bytes.length !== required) {
      ear.mistake(`${bytes.length} bytes of sound, not ${required}`)
      return ear.hangUp()
    }
    ear.sound(bytes)
  }
}
