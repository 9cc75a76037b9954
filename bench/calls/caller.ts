/** One Twilio call of the load: streams in real time, plays what it is sent, gives marks back when they were played. */
import type { WebSocket } from 'ws'
import type { Metronome, Ticked } from '../harness/metronome.ts'
import { FRAME_MS } from '../harness/speech.ts'
import type { PlayedAnswer } from './lateness.ts'

export interface CallerOptions {
  readonly n: number
  readonly metronome: Metronome
  /** Sound in base64, 20 ms each. */
  readonly words: readonly string[]
  readonly quiet: readonly string[]
  readonly answerMs: number
  readonly turns: number
  readonly firstPauseMs: number
  readonly pauseMs: () => number
  readonly answered: (answer: PlayedAnswer) => void
  readonly done: (how: 'finished' | 'closed') => void
}

interface Mark {
  readonly name: string
  readonly at: number
}

/** Of µ-law in base64: four characters are three bytes, and eight bytes a millisecond. */
const msOf = (base64: string) =>
  ((base64.length * 3) / 4 - (base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0)) / 8

export class Caller implements Ticked {
  readonly #options: CallerOptions
  readonly #socket: WebSocket
  #speaking: readonly string[] | undefined
  #at = 0
  #silentUntil: number
  #chunk = 0
  #turns = 0
  #spokeUntil = 0
  /** Of the answer that comes: arrival and end of each message. */
  #arrivals: number[] = []
  #ends: number[] = []
  #heardMs = 0
  #playsUntil = 0
  readonly #marks: Mark[] = []

  constructor(socket: WebSocket, options: CallerOptions) {
    this.#socket = socket
    this.#options = options
    this.#silentUntil = performance.now() + options.firstPauseMs
    const { n } = options
    this.#send({ event: 'connected', protocol: 'Call', version: '1.0.0' })
    const mediaFormat = { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 }
    const start = {
      accountSid: 'AC',
      streamSid: `MZ${n}`,
      callSid: `CA${n}`,
      tracks: ['inbound'],
      mediaFormat,
      customParameters: { n: String(n) },
    }
    this.#send({ event: 'start', sequenceNumber: '1', start, streamSid: `MZ${n}` })
    socket.on('message', (data) => this.#message(String(data)))
    socket.on('close', () => this.#end('closed'))
    options.metronome.join(this)
  }

  tick(): void {
    const now = performance.now()
    while (this.#marks[0] && this.#marks[0].at <= now) {
      this.#send({
        event: 'mark',
        streamSid: `MZ${this.#options.n}`,
        mark: { name: this.#marks.shift()!.name },
      })
    }
    const { words, quiet } = this.#options
    if (!this.#speaking && now >= this.#silentUntil) {
      this.#speaking = words
      this.#at = 0
    }
    const frame = this.#speaking ? this.#speaking[this.#at++]! : quiet[this.#chunk % quiet.length]!
    this.#chunk++
    this.#socket.send(
      `{"event":"media","sequenceNumber":"${this.#chunk + 1}","media":{"track":"inbound","chunk":"${this.#chunk}","timestamp":"${this.#chunk * FRAME_MS}","payload":"${frame}"},"streamSid":"MZ${this.#options.n}"}`,
    )
    if (this.#speaking && this.#at >= this.#speaking.length) {
      this.#speaking = undefined
      this.#silentUntil = Number.POSITIVE_INFINITY
      this.#spokeUntil = now
    }
  }

  hangUp(): void {
    this.#options.metronome.leave(this)
    if (this.#socket.readyState !== this.#socket.OPEN) return
    this.#send({ event: 'stop', streamSid: `MZ${this.#options.n}`, stop: {} })
    this.#socket.close(1000)
  }

  #message(text: string): void {
    const now = performance.now()
    const { event, media, mark } = JSON.parse(text) as {
      event: string
      media: { payload: string }
      mark: { name: string }
    }
    if (event === 'media') return this.#sound(msOf(media.payload), now)
    if (event === 'mark') this.#marks.push({ name: mark.name, at: Math.max(now, this.#playsUntil) })
    if (event === 'clear') this.#playsUntil = now
  }

  #sound(ms: number, now: number): void {
    this.#heardMs += ms
    this.#playsUntil = Math.max(now, this.#playsUntil) + ms
    this.#arrivals.push(now)
    this.#ends.push(this.#heardMs)
    if (this.#heardMs < this.#options.answerMs) return
    this.#options.answered({
      arrivals: this.#arrivals,
      ends: this.#ends,
      waitedMs: this.#arrivals[0]! - this.#spokeUntil,
    })
    this.#arrivals = []
    this.#ends = []
    this.#heardMs = 0
    if (++this.#turns >= this.#options.turns) return this.#end('finished')
    this.#silentUntil = this.#playsUntil + this.#options.pauseMs()
  }

  #end(how: 'finished' | 'closed'): void {
    if (this.#turns > this.#options.turns) return
    if (how === 'closed' && this.#turns === this.#options.turns) return
    this.#turns = how === 'closed' ? this.#options.turns + 1 : this.#turns
    this.#options.done(how)
  }

  #send(message: object): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(message))
  }
}
