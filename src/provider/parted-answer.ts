/**
 * An answer whose sentences are asked for apart, each with sound of its own: at most two at once. The sound of the
 * second waits here until the first is complete.
 */
import type { ProviderError } from '../errors.ts'
import type { Sentence, SpokenWord } from '../stage/tts.ts'
import { AnswerStream, type Line } from './answer-stream.ts'
import type { SpeechOutput } from './speech-output.ts'

const AT_ONCE = 2

/** What the provider says of one sentence. Nothing is heard after `final` or `failed`. */
export interface PartHearing {
  /** Bytes of sound so far. */
  readonly bytes: number
  audio(bytes: Uint8Array): void
  /** `reachMs`: as `SpeechOutput.words` has it. */
  words(words: readonly SpokenWord[], reachMs: number): void
  final(): void
  failed(error: ProviderError): void
}

interface Part {
  readonly sentence: number
  /** What came while the sentence before was not complete. */
  readonly early: ((output: SpeechOutput) => void)[]
  end: 'open' | 'final' | ProviderError
  letGo: () => void
}

export abstract class PartedAnswer<L extends Line> extends AnswerStream<L> {
  /** Sentences asked for; the first is the one that sounds. */
  #parts: Part[] = []

  /** Asks for one sentence. Gives what lets go of it, or undefined when it cannot be asked for now. */
  protected abstract speak(sentence: Sentence, line: L, hearing: PartHearing): (() => void) | undefined

  protected get outstanding(): number {
    return this.#parts.length
  }

  protected start(sentence: Sentence, line: L): boolean {
    if (this.#parts.length >= AT_ONCE) return false
    const part: Part = { sentence: sentence.index, early: [], end: 'open', letGo: () => {} }
    const letGo = this.speak(sentence, line, this.#hearing(part))
    if (!letGo) return false
    part.letGo = letGo
    this.#parts.push(part)
    return true
  }

  protected lastStarted(): void {}

  protected letGo(): void {
    for (const part of this.#parts.splice(0)) part.letGo()
  }

  #hearing(part: Part): PartHearing {
    let bytes = 0
    const tell = (event: (output: SpeechOutput) => void) => {
      if (part.end !== 'open') return
      if (part === this.#parts[0]) event(this.output)
      else part.early.push(event)
    }
    const end = (how: 'final' | ProviderError) => {
      if (part.end !== 'open') return
      part.end = how
      this.#advance()
    }
    return {
      get bytes() {
        return bytes
      },
      audio: (audio) => {
        bytes += audio.length
        tell((output) => output.audio(part.sentence, audio))
      },
      words: (words, reachMs) => tell((output) => output.words(part.sentence, words, reachMs)),
      final: () => end('final'),
      // Of the sentence after the one that sounds: that one may still come whole.
      failed: (error) => end(error),
    }
  }

  /** Ends what is complete, and lets the next sound. */
  #advance(): void {
    for (let part = this.#parts[0]; part && part.end !== 'open'; part = this.#parts[0]) {
      if (part.end !== 'final') return this.fail(part.end)
      const fault = this.output.done(part.sentence)
      if (fault) return this.fail(fault)
      this.#parts.shift()
      for (const event of this.#parts[0]?.early.splice(0) ?? []) event(this.output)
    }
    this.pump()
  }
}
