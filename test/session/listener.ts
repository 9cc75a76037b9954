/**
 * The far side's loudspeaker, computed from nothing but the outputs a wire took and when: what was playing at any time,
 * and so which words a listener had heard. It shares no code with the server's own ledger.
 */
import { type AudioFormat, bytesToMs } from '../../src/audio/format.ts'
import type { SessionOutput } from '../../src/session/output.ts'

type AnswerAudio = Extract<SessionOutput, { type: 'answerAudio' }>

/** A piece of one sentence that plays from `startsAt` on. `bytes` is its sound, where a test wants to hear it. */
export interface Played {
  readonly response: string
  readonly sentence: number
  readonly startsAt: number
  ms: number
  bytes: Uint8Array
}

export class Listener {
  readonly played: Played[] = []
  readonly #format: AudioFormat
  #endsAt = 0

  constructor(format: AudioFormat) {
    this.#format = format
  }

  /** When the loudspeaker runs dry. */
  get endsAt(): number {
    return this.#endsAt
  }

  hears(output: AnswerAudio, now: number): void {
    let offset = 0
    for (const { tag, ms } of output.parts) {
      const startsAt = Math.max(now, this.#endsAt)
      const length = Math.round((ms * this.#bytesPerMs) / 2) * 2
      const bytes = output.audio.subarray(offset, offset + length)
      offset += length
      this.played.push({ response: output.responseId, sentence: tag, startsAt, ms, bytes })
      this.#endsAt = startsAt + ms
    }
    // What no part counts is padding: it plays all the same.
    this.#endsAt += bytesToMs(this.#format, output.audio.length - offset)
  }

  /** What is buffered is thrown away. */
  clear(now: number): void {
    this.#endsAt = Math.min(this.#endsAt, now)
    for (let i = this.played.length - 1; i >= 0; i--) {
      const piece = this.played[i]!
      if (piece.startsAt + piece.ms <= now) break
      piece.ms = Math.max(0, now - piece.startsAt)
      piece.bytes = piece.bytes.subarray(0, Math.round(piece.ms * this.#bytesPerMs))
    }
    while (this.played.at(-1)?.ms === 0) this.played.pop()
  }

  /** Milliseconds of each sentence of a response that were played by `now`. */
  sentences(response: string, now: number): Map<number, number> {
    const sums = new Map<number, number>()
    for (const piece of this.played) {
      if (piece.response !== response) continue
      const ms = Math.max(0, Math.min(piece.ms, now - piece.startsAt))
      sums.set(piece.sentence, (sums.get(piece.sentence) ?? 0) + ms)
    }
    return sums
  }

  playedMs(response: string, now: number): number {
    let sum = 0
    for (const ms of this.sentences(response, now).values()) sum += ms
    return sum
  }

  /** Words heard, of an answer whose sentences these are, spoken at `msPerChar`. */
  words(response: string, now: number, texts: readonly string[], msPerChar: number): string[] {
    const heard: string[] = []
    const sentences = this.sentences(response, now)
    texts.forEach((text, index) => {
      const ms = sentences.get(index) ?? 0
      let end = 0
      for (const word of text.split(/(?<=\s)/)) {
        const wordEnd = (end + word.trimEnd().length) * msPerChar
        if (wordEnd <= ms + 1e-6) heard.push(word.trim())
        end += word.length
      }
    })
    return heard
  }

  get #bytesPerMs(): number {
    return (this.#format.sampleRateHz * (this.#format.encoding === 'pcm16' ? 2 : 1)) / 1000
  }
}
