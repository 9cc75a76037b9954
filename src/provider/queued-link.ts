/**
 * A socket whose sound bears no name: it speaks one text after the other, so it serves one answer at a time, and what
 * comes belongs to the text that was asked for first. An answer that was cut leaves sound on the way; unless the
 * provider can say where that ends, the socket is closed.
 */
import type { ProviderError } from '../errors.ts'
import type { Sentence } from '../stage/tts.ts'
import type { Line } from './answer-stream.ts'
import { PartedAnswer, type PartHearing } from './parted-answer.ts'
import { SpeechLink, type SpeechLinkOptions, type SpeechLinkRules } from './speech-link.ts'

export interface QueuedLine extends Line {
  /** The function given back lets go of its sound. */
  speak(text: string, hearing: PartHearing): () => void
}

export abstract class QueuedLink extends SpeechLink {
  /** Sentences asked for, in the order in which they sound. */
  #asked: PartHearing[] = []

  constructor(options: SpeechLinkOptions, rules: Omit<SpeechLinkRules, 'answers'>) {
    super(options, { ...rules, answers: 1 })
  }

  override get roomy(): boolean {
    return super.roomy && this.free
  }

  lease(): QueuedLine {
    const line = this.hold()
    const link = this
    return {
      suspect: line.suspect,
      release: line.release,
      get usable() {
        return line.usable && link.free
      },
      speak: (text, hearing) => {
        this.#asked.push(hearing)
        this.ask(text)
        return () => this.#letGo(hearing)
      },
    }
  }

  /** Sends a text, and what makes it be spoken. */
  protected abstract ask(text: string): void

  /** Whether another text may be sent. */
  protected get free(): boolean {
    return true
  }

  /** The sentence that sounds. */
  protected get current(): PartHearing | undefined {
    return this.#asked[0]
  }

  /** The sentence that sounds is complete. */
  protected complete(): void {
    this.#asked.shift()?.final()
  }

  /** An answer was cut with so many sentences outstanding. */
  protected cut(_sentences: number): void {
    this.retire()
  }

  protected lost(error: ProviderError): void {
    for (const hearing of this.#asked.splice(0)) hearing.failed(error)
  }

  #letGo(hearing: PartHearing): void {
    if (this.#asked.includes(hearing)) this.cut(this.#asked.splice(0).length)
  }
}

export class QueuedAnswer extends PartedAnswer<QueuedLine> {
  protected speak({ text }: Sentence, line: QueuedLine, hearing: PartHearing): () => void {
    return line.speak(text, hearing)
  }
}
