/**
 * Asterisk's end of chan_websocket: control as lines of words or as JSON, sound in binary messages of any even length, nothing at
 * all while the far side is silent, a queue of 900 frames with XOFF and XON, and marks that never come back once they were
 * flushed. Paused media and media of one direction it does not imitate.
 */
import { type AudioFormat, bytesPerSample, msToBytes } from '../../audio/format.ts'
import { membersOf, nameOf, only, Unheard } from './checks.ts'
import type { CallFacts, PhoneDialect, PhoneEar, PhoneWire } from './dialect.ts'
import type { LineMessage } from './line.ts'

export interface AsteriskPhoneOptions {
  /** Of control messages; `plain` left out. */
  readonly spelling?: 'plain' | 'json'
  /** `slin16` left out. */
  readonly format?: keyof typeof FORMATS
  /** `odd`: lengths of messages as a resampler or the far side's packets make them; left out. */
  readonly frames?: 'odd' | 'whole'
}

const FORMATS = {
  ulaw: { encoding: 'mulaw', sampleRateHz: 8_000 },
  alaw: { encoding: 'alaw', sampleRateHz: 8_000 },
  slin: { encoding: 'pcm16', sampleRateHz: 8_000 },
  slin16: { encoding: 'pcm16', sampleRateHz: 16_000 },
  slin24: { encoding: 'pcm16', sampleRateHz: 24_000 },
} as const satisfies Readonly<Record<string, AudioFormat>>

const FRAME_MS = 20
/** In frames. Above the one it says XOFF and drops what comes until it is below the other. */
const XOFF_FRAMES = 900
const XON_FRAMES = 800
const MAX_COMMAND_BYTES = 128
const MAX_SOUND_BYTES = 65_500
/** Samples that wait for the next message. */
const HELD_BACK = [0, 47, 15, 33, 0, 8]

export function asteriskPhone(options: AsteriskPhoneOptions = {}): PhoneDialect {
  const { spelling = 'plain', format = 'slin16', frames = 'odd' } = options
  const audio: AudioFormat = FORMATS[format]
  let wire: AsteriskPhoneWire | undefined
  return {
    name: 'asterisk',
    inputFormat: audio,
    outputFormat: audio,
    frameMs: FRAME_MS,
    silence: 'withheld',
    marksOnClear: 'dropped',
    protocols: ['media'],
    holds: {
      // One message more, which finds it full.
      limitMs: (XOFF_FRAMES + 5) * FRAME_MS,
      flow: {
        highMs: XOFF_FRAMES * FRAME_MS,
        lowMs: XON_FRAMES * FRAME_MS,
        crossed: (state) => wire?.flow(state),
      },
    },
    headers: () => ({}),
    address: (url, { from, to, parameters }) => {
      const address = new URL(url)
      for (const [name, value] of Object.entries({ from, to, ...parameters }))
        address.searchParams.set(name, value)
      return address.href
    },
    connect: (call) => {
      wire = new AsteriskPhoneWire(call, { spelling, format, frames, audio })
      return wire
    },
  }
}

interface WireOptions extends Required<AsteriskPhoneOptions> {
  readonly audio: AudioFormat
}

class AsteriskPhoneWire implements PhoneWire {
  #ear: PhoneEar | undefined
  #state: 'frames' | 'buffering' = 'frames'
  #unsent: Uint8Array = new Uint8Array(0)
  #messages = 0

  constructor(
    private readonly call: CallFacts,
    private readonly options: WireOptions,
  ) {}

  get #channel(): { readonly channel_id: string } {
    return { channel_id: this.call.callId }
  }

  opened(ear: PhoneEar): void {
    this.#ear = ear
  }

  greeting(): LineMessage[] {
    const { format, audio } = this.options
    return [
      this.#event('MEDIA_START', {
        connection_id: 'parley',
        channel: 'WebSocket/parley/0x7f71c00057d0',
        channel_id: this.call.callId,
        format,
        optimal_frame_size: msToBytes(audio, FRAME_MS),
        ptime: FRAME_MS,
      }),
    ]
  }

  /** What is held back comes with the next message; at the end of speech it is a few ms, and lost. */
  sound(bytes: Uint8Array): LineMessage {
    const all = Buffer.concat([this.#unsent, bytes])
    const back = HELD_BACK[this.options.frames === 'odd' ? this.#messages++ % HELD_BACK.length : 0]!
    const sent = all.length - back * bytesPerSample(this.options.audio)
    this.#unsent = all.subarray(sent)
    return all.subarray(0, sent)
  }

  digit(digit: string): LineMessage[] {
    return [this.#event('DTMF_END', { digit, ...this.#channel })]
  }

  marked(name: string): LineMessage[] {
    return [this.#answer('MEDIA_MARK_PROCESSED', name)]
  }

  cleared(): LineMessage[] {
    return []
  }

  goodbye(): LineMessage[] {
    return []
  }

  flow(state: 'hold' | 'go'): void {
    const name = state === 'hold' ? 'MEDIA_XOFF' : 'MEDIA_XON'
    this.#ear?.reply(this.#event(name, this.#channel))
  }

  hear(message: LineMessage, ear: PhoneEar): void {
    if (typeof message !== 'string') return this.#heard(message, ear)
    if (Buffer.byteLength(message) > MAX_COMMAND_BYTES) throw new Unheard('a command of more than 128 bytes')
    const { command, id } = this.#command(message)
    ear.kind(command)
    switch (command) {
      case 'MARK_MEDIA':
        return ear.mark(id ?? '')
      case 'FLUSH_MEDIA':
        this.#state = 'frames'
        return ear.clear()
      case 'HANGUP':
        return ear.hangUp()
      case 'START_MEDIA_BUFFERING':
        this.#state = 'buffering'
        return
      case 'STOP_MEDIA_BUFFERING':
        this.#state = 'frames'
        return ear.playback.whenPlayed(
          () => ear.reply(this.#answer('MEDIA_BUFFERING_COMPLETED', id ?? '')),
          'forgotten',
        )
      case 'REPORT_QUEUE_DRAINED':
        return ear.playback.whenPlayed(() => ear.reply(this.#event('QUEUE_DRAINED', this.#channel)), 'acts')
      case 'ANSWER':
        return
      default:
        throw new Unheard(`a command that is not known: ${command.slice(0, 32)}`)
    }
  }

  #heard(message: Uint8Array, ear: PhoneEar): void {
    ear.kind('sound')
    if (message.length === 0 || message.length > MAX_SOUND_BYTES)
      throw new Unheard(`a message of ${message.length} bytes of sound`)
    const frame = msToBytes(this.options.audio, FRAME_MS)
    if (this.#state === 'frames' && message.length % frame !== 0)
      throw new Unheard(`${message.length} bytes of sound, no multiple of ${frame}`)
    ear.sound(message)
  }

  #command(message: string): { readonly command: string; readonly id: string | undefined } {
    if (this.options.spelling === 'plain') {
      const [command = '', id, ...more] = message.split(' ')
      if (more.length > 0) throw new Unheard('a command of three words')
      return { command, id }
    }
    const members = membersOf(message)
    only(members, 'command', 'correlation_id')
    const id = members['correlation_id']
    if (id !== undefined && typeof id !== 'string') throw new Unheard('a correlation_id that is no text')
    return { command: nameOf(members, 'command'), id }
  }

  #answer(event: string, id: string): string {
    if (this.options.spelling === 'plain') return `${event} ${id}`
    return this.#event(event, { ...this.#channel, correlation_id: id })
  }

  #event(event: string, members: Readonly<Record<string, string | number>>): string {
    if (this.options.spelling === 'json') return JSON.stringify({ event, ...members })
    return [event, ...Object.entries(members).map(([name, value]) => `${name}:${value}`)].join(' ')
  }
}
