/**
 * The conversation as it happens: words are written as they come, one speaker a line. A speaker who was cut
 * into goes on in a line of their own.
 */
import type { Terminal } from '../terminal.ts'

type Speaker = 'you' | 'answer'

export class Transcript {
  readonly #terminal: Terminal
  #speaking: Speaker | undefined
  /** What was written of each caller's item, so that the final transcript is not written twice. */
  readonly #shown = new Map<string, string>()

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  /** Words of the caller as the server recognised them; `itemId` tells the utterances apart. */
  heard(itemId: string, delta: string): void {
    this.#shown.set(itemId, (this.#shown.get(itemId) ?? '') + delta)
    this.#say('you', delta)
  }

  /** The final transcript of an utterance: writes what the deltas had not told yet. */
  heardAll(itemId: string, transcript: string): void {
    const shown = this.#shown.get(itemId) ?? ''
    this.#shown.delete(itemId)
    if (transcript.trim() === shown.trim()) return
    if (transcript.startsWith(shown)) return this.#say('you', transcript.slice(shown.length))
    this.endLine()
    this.#say('you', transcript)
  }

  answer(delta: string): void {
    this.#say('answer', delta)
  }

  note(text: string): void {
    this.endLine()
    this.#terminal.line(`  ${this.#terminal.paint.dim(`· ${text}`)}`)
  }

  endLine(): void {
    if (this.#speaking) this.#terminal.line()
    this.#speaking = undefined
  }

  #say(speaker: Speaker, text: string): void {
    if (text === '') return
    const { paint } = this.#terminal
    if (this.#speaking === speaker) return this.#terminal.write(text)
    this.endLine()
    this.#speaking = speaker
    const label = speaker === 'you' ? paint.cyan('you    ') : paint.green('parley ')
    this.#terminal.write(`  ${paint.bold(label)} ${text.trimStart()}`)
  }
}
