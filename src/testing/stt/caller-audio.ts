/** Which words of a script were said by now: they are where the caller says them, and silence that a client made up (zeros) moves them. */
import { type AudioFormat, bytesToMs } from '../../audio/format.ts'
import type { HeardWord } from './double.ts'

const ZEROS = { pcm16: [0], mulaw: [0xff, 0x7f], alaw: [0xd5, 0x55] } as const

export class CallerAudio {
  /** Words said so far, and where they lie in all audio. */
  readonly heard: HeardWord[] = []
  #spokenMs = 0
  #allMs = 0

  constructor(private readonly format: AudioFormat) {}

  /** Is one of these being said? */
  isWithin(words: readonly HeardWord[]): boolean {
    const next = words[this.heard.length]
    return next !== undefined && next.startMs < this.#spokenMs
  }

  /** Returns how much of it is silence, which stands at the end of a message or fills it. */
  take(bytes: Uint8Array, words: readonly HeardWord[]): number {
    const zeros: readonly number[] = ZEROS[this.format.encoding]
    let count = 0
    while (count < bytes.length && zeros.includes(bytes[bytes.length - 1 - count]!)) count++
    // A sine passes through nothing, too.
    const silentMs = count < 8 ? 0 : bytesToMs(this.format, count)
    const ms = bytesToMs(this.format, bytes.length)
    const madeUpMs = this.#allMs - this.#spokenMs
    this.#allMs += ms
    this.#spokenMs += ms - silentMs
    for (const word of words.slice(this.heard.length)) {
      const { startMs, endMs } = word
      if ((startMs + endMs) / 2 >= this.#spokenMs) break
      this.heard.push({ ...word, startMs: startMs + madeUpMs, endMs: endMs + madeUpMs })
    }
    return silentMs
  }
}
