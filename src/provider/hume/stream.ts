/**
 * One socket to Hume. Its sound bears the name of a snippet, which may be less than the sentence that was sent: a sentence
 * is complete when the snippets that ended have all its letters. Nothing can be called back: a socket that was cut is closed.
 */
import { QueuedLink } from '../queued-link.ts'
import type { SpeechLinkOptions } from '../speech-link.ts'
import { RisingWords, WordClock } from '../word-clock.ts'
import { HUME_CLOSE, type HumeMessage, humeText, readHume } from './wire.ts'

/** How long it keeps an idle socket is not documented. */
const RULES = { idleMs: 60_000, goodbye: HUME_CLOSE }
/** 48 kHz, 16 bits. */
const BYTES_PER_MS = 96

export interface HumeVoice {
  readonly voice: string
  readonly speed: number
}

export class HumeLink extends QueuedLink {
  readonly #voice: HumeVoice
  /** Letters of the sentences asked for that no ended snippet had, oldest first. */
  #unspoken: string[] = []
  /** The one that ended last. */
  #ended = ''
  readonly #clock = new WordClock()
  #words = new RisingWords()
  /** Sound of the sentences before. */
  #beforeMs = 0

  constructor(options: SpeechLinkOptions, voice: HumeVoice) {
    super(options, RULES)
    this.#voice = voice
  }

  protected ask(text: string): void {
    this.#unspoken.push(lettersOf(text))
    this.send(humeText(text, this.#voice.voice, this.#voice.speed))
  }

  protected heard(data: string | Uint8Array): boolean {
    if (typeof data !== 'string') return false
    this.#hear(readHume(data))
    return true
  }

  #hear(message: HumeMessage): void {
    switch (message.type) {
      case 'audio':
        // Said twice.
        if (message.snippet === this.#ended) return
        this.current?.audio(message.audio)
        if (message.isLast) this.#snippetEnded(message.snippet, message.text)
        return
      case 'word': {
        // Too late to tell whose it is.
        if (message.snippet === this.#ended || message.word.text === '') return
        const words = this.#words.rise(this.#clock.shift([message.word], this.#beforeMs))
        return this.current?.words(words, this.#words.endMs)
      }
      case 'error':
        return this.end(this.error(message.kind, 'the provider says error'))
      case 'other':
        return
      default:
        message satisfies never
    }
  }

  #snippetEnded(snippet: string, text: string): void {
    this.#ended = snippet
    const [whole = ''] = this.#unspoken
    const letters = lettersOf(text)
    // One that is written otherwise than it was sent is taken for all of it.
    const rest = letters !== '' && whole.startsWith(letters) ? whole.slice(letters.length) : ''
    if (rest !== '') {
      this.#unspoken[0] = rest
      return
    }
    this.#unspoken.shift()
    this.#beforeMs += (this.current?.bytes ?? 0) / BYTES_PER_MS
    this.#words = new RisingWords()
    this.complete()
  }
}

function lettersOf(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N}]/gu, '').toLowerCase()
}
