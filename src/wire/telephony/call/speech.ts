/**
 * What the session says, on its way to the bridge: gathered into messages of the bridge's size, marked, and taken back at an
 * interruption.
 *
 *     20 ms frames ─► gather to messageMs ─► codec.audio ─► link          every 250 ms and at a sentence's end: codec.mark
 */
import { silenceByte } from '../../../audio/convert.ts'
import { type AudioFormat, bytesToMs, msToBytes } from '../../../audio/format.ts'
import type { Clock } from '../../../clock.ts'
import type { SessionOutput } from '../../../session/output.ts'
import type { BridgeCaps } from '../bridge.ts'
import type { CallRecorder } from '../recording/recorder.ts'
import type { Link } from './link.ts'
import { type Place, Playback, type Played } from './playback.ts'

export type SaidAudio = Extract<SessionOutput, { type: 'answerAudio' }>

export interface SpeechOptions {
  readonly clock: Clock
  readonly caps: BridgeCaps
  readonly format: AudioFormat
  /** Told what plays at the far side, and from when on it does not. Left out: nobody writes it down. */
  readonly recorder?: Pick<CallRecorder, 'heard' | 'cut'> | undefined
}

export class Speech {
  readonly playback = new Playback()
  readonly #options: SpeechOptions
  readonly #messageBytes: number
  #gathered: Uint8Array[] = []
  #gatheredBytes = 0
  #place: Place | undefined
  /** The sentence that the newest frame belongs to. */
  #sentence: number | undefined

  constructor(options: SpeechOptions) {
    this.#options = options
    this.#messageBytes = msToBytes(options.format, options.caps.messageMs)
  }

  say(output: SaidAudio, link: Link): void {
    const sentence = output.parts[0]?.tag
    if (output.responseId !== this.#place?.responseId) this.finish(link)
    else if (this.#endsSentence(sentence)) this.#flush(link, 'sentence')
    this.#place = output
    this.#sentence = output.parts.at(-1)?.tag ?? this.#sentence
    this.#gathered.push(output.audio)
    this.#gatheredBytes += output.audio.length
    if (this.#gatheredBytes >= this.#messageBytes) this.#flush(link, 'nothing')
  }

  /** Where no mark can follow it, or only whole messages are taken, a sentence's end is no reason for a small one. */
  #endsSentence(next: number | undefined): boolean {
    const { marks, lastMessage } = this.#options.caps
    return next !== undefined && next !== this.#sentence && marks !== 'none' && lastMessage === 'short'
  }

  /** No more of the answer comes. How much silence its last message was filled up with, ms. */
  finish(link: Link): number {
    const filledMs = this.#flush(link, 'sentence', this.#options.caps.lastMessage)
    this.#place = undefined
    this.#sentence = undefined
    return filledMs
  }

  /** Takes back what waits here and at the bridge. `link` undefined: the bridge is gone, and with it what it held. */
  clear(link: Link | undefined): void {
    this.#gathered = []
    this.#gatheredBytes = 0
    if (!this.playback.holdsSome) return
    const { clock, recorder } = this.#options
    this.playback.clear(clock.now())
    recorder?.cut(clock.now())
    const frame = link?.codec.clear()
    if (frame) link?.send(frame)
  }

  /** Undefined for a mark of what was taken back. */
  marked(name: string): Played | undefined {
    return this.playback.marked(name, this.#options.clock.now())
  }

  #flush(link: Link, ends: 'sentence' | 'nothing', last: BridgeCaps['lastMessage'] = 'short'): number {
    const { clock, format, recorder } = this.#options
    let filledMs = 0
    if (this.#place && this.#gatheredBytes > 0) {
      const message = this.#message(last === 'filled' ? this.#messageBytes : 0)
      const now = clock.now()
      const ms = bytesToMs(format, this.#gatheredBytes)
      link.send(link.codec.audio(message))
      recorder?.heard(message, format, now + this.playback.waitingMs(now))
      this.playback.sent(this.#place, ms, now)
      filledMs = bytesToMs(format, message.length) - ms
      this.playback.padded(filledMs, now)
      this.#gathered = []
      this.#gatheredBytes = 0
    }
    if (this.#options.caps.marks === 'none' || !this.playback.wantsMark(ends)) return filledMs
    const frame = link.codec.mark(this.playback.mark())
    if (frame !== null) link.send(frame)
    return filledMs
  }

  /** What was gathered, as one; filled up with silence to `leastBytes`. */
  #message(leastBytes: number): Uint8Array {
    const [only] = this.#gathered
    if (only && this.#gathered.length === 1 && only.length >= leastBytes) return only
    const message = Buffer.allocUnsafe(Math.max(leastBytes, this.#gatheredBytes))
    let at = 0
    for (const piece of this.#gathered) {
      message.set(piece, at)
      at += piece.length
    }
    return message.fill(silenceByte(this.#options.format), at)
  }
}
