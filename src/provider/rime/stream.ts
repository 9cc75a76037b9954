/**
 * One socket to a voice of Rime. Sound bears an id, but "the most recent one", so none is sent and it is told by order.
 * `clear` empties the buffer and does not stop what is being spoken: a socket that was cut is closed.
 */
import { QueuedLink } from '../queued-link.ts'
import type { SpeechLinkOptions } from '../speech-link.ts'
import { RIME_CLEAR, RIME_FLUSH, type RimeMessage, readRime, rimeText } from './wire.ts'

/** How long it keeps an idle socket is not documented. */
const RULES = { idleMs: 60_000 }

export class RimeLink extends QueuedLink {
  constructor(options: SpeechLinkOptions) {
    super(options, RULES)
  }

  protected ask(text: string): void {
    this.send(rimeText(text))
    this.send(RIME_FLUSH)
  }

  protected override cut(sentences: number): void {
    this.send(RIME_CLEAR)
    super.cut(sentences)
  }

  protected heard(data: string | Uint8Array): boolean {
    if (typeof data !== 'string') return false
    this.#hear(readRime(data))
    return true
  }

  #hear(message: RimeMessage): void {
    switch (message.type) {
      case 'chunk':
        return this.current?.audio(message.audio)
      case 'timestamps':
        return this.current?.words(message.words, message.words.at(-1)?.endMs ?? 0)
      case 'done':
        return this.complete()
      case 'error':
        return this.end(this.error('bad_request', 'the provider says error'))
      case 'other':
        return
      default:
        message satisfies never
    }
  }
}
