/**
 * jambonz's end of a `listen`: linear sound in binary messages of any size, marks that come back when played or when the sound
 * is killed, of which it takes 30, and a subprotocol without which it hangs up.
 */
import type { AudioFormat } from '../../audio/format.ts'
import { membersOf, nameOf, objectOf, only, Unheard } from './checks.ts'
import type { CallFacts, PhoneDialect, PhoneEar, PhoneWire } from './dialect.ts'
import type { LineMessage } from './line.ts'

export interface JambonzPhoneOptions {
  /** Of the caller's sound. */
  readonly sampleRateHz?: number
  /** `bidirectionalAudio.sampleRate`; left out: the same. */
  readonly outputRateHz?: number
  readonly mixType?: 'mono' | 'stereo' | 'mixed'
  readonly wsAuth?: { readonly username: string; readonly password: string }
}

const MAX_MARKS = 30

export function jambonzPhone(options: JambonzPhoneOptions = {}): PhoneDialect {
  const { sampleRateHz = 16_000, outputRateHz = sampleRateHz, mixType = 'mono', wsAuth } = options
  const inputFormat: AudioFormat = { encoding: 'pcm16', sampleRateHz }
  return {
    name: 'jambonz',
    inputFormat,
    outputFormat: { encoding: 'pcm16', sampleRateHz: outputRateHz },
    frameMs: 20,
    silence: 'sent',
    marksOnClear: 'echoed',
    protocols: ['audio.jambonz.org'],
    headers: () => {
      if (!wsAuth) return {}
      const pair = Buffer.from(`${wsAuth.username}:${wsAuth.password}`).toString('base64')
      return { authorization: `Basic ${pair}` }
    },
    connect: (call) => new JambonzPhoneWire(call, sampleRateHz, mixType),
  }
}

class JambonzPhoneWire implements PhoneWire {
  #killing = false

  constructor(
    private readonly call: CallFacts,
    private readonly sampleRateHz: number,
    private readonly mixType: string,
  ) {}

  /** The call's attributes as in its webhooks, the stream's, and what the verb's `metadata` held. */
  greeting(): LineMessage[] {
    const { callId, from, to, parameters } = this.call
    const { sampleRateHz: sampleRate, mixType } = this
    const call = { callSid: callId, callId: 'sip-1', direction: 'inbound', callStatus: 'in-progress' }
    return [JSON.stringify({ sampleRate, mixType, ...call, from, to, ...parameters })]
  }

  sound(bytes: Uint8Array): LineMessage {
    return bytes
  }

  digit(digit: string): LineMessage[] {
    return [JSON.stringify({ event: 'dtmf', dtmf: digit, duration: '1600' })]
  }

  marked(name: string): LineMessage[] {
    const event = this.#killing ? 'cleared' : 'playout'
    return [JSON.stringify({ type: 'mark', data: { name, event } })]
  }

  cleared(): LineMessage[] {
    return []
  }

  goodbye(): LineMessage[] {
    return []
  }

  hear(message: LineMessage, ear: PhoneEar): void {
    if (typeof message !== 'string') {
      ear.kind('sound')
      if (message.length === 0 || message.length % 2 !== 0) throw new Unheard('half a sample of sound')
      return ear.sound(message)
    }
    const members = membersOf(message)
    const type = nameOf(members, 'type')
    ear.kind(type)
    switch (type) {
      case 'killAudio':
        only(members, 'type')
        this.#killing = true
        ear.clear()
        this.#killing = false
        return
      case 'mark':
        only(members, 'type', 'data')
        if (ear.playback.waiting >= MAX_MARKS) throw new Unheard(`a mark beside ${MAX_MARKS} open ones`)
        return ear.mark(nameOf(objectOf(members, 'data'), 'name'))
      case 'disconnect':
        only(members, 'type')
        return ear.hangUp()
      default:
        throw new Unheard(`a type that is not known: ${type.slice(0, 32)}`)
    }
  }
}
