/**
 * One answer on ElevenLabs: a context for each sentence, at most two of them at once.
 *
 * Why not one context for the whole answer, which would carry the melody from sentence to sentence: a `flush` is not
 * answered by anything that says where its sound ends (bolna-ai/bolna #790, tried against the real service), and
 * alignments cannot stand in for that, since a message may hold sound of two sentences and its characters differ from
 * the text in hyphens and marks (bolna #733). A context that is flushed and closed gives all its sound and then exactly
 * one `isFinal`; so a context is what can be matched to a sentence without a guess. Its sound belongs to it by id, and
 * that of the next sentence waits here until the one before is complete.
 */
import type { ProviderError } from '../../errors.ts'
import type { Sentence } from '../../stage/tts.ts'
import { AnswerStream } from '../answer-stream.ts'
import type { ElevenLabsLine } from './link.ts'
import { AlignedWords, type Alignment } from './wire.ts'

const AT_ONCE = 2

interface Part {
  readonly sentence: number
  readonly words: AlignedWords
  /** What came while the sentence before was not complete. */
  readonly early: { readonly audio: Uint8Array; readonly alignment: Alignment | undefined }[]
  end: 'open' | 'final' | ProviderError
  letGo: () => void
}

export class ElevenLabsStream extends AnswerStream<ElevenLabsLine> {
  /** Sentences asked for; the first is the one that sounds. */
  #parts: Part[] = []

  protected get outstanding(): number {
    return this.#parts.length
  }

  protected start({ index, text }: Sentence, line: ElevenLabsLine): boolean {
    if (this.#parts.length >= AT_ONCE) return false
    const part: Part = {
      sentence: index,
      words: new AlignedWords(),
      early: [],
      end: 'open',
      letGo: () => {},
    }
    const letGo = line.speak(text, {
      audio: (audio, alignment) => {
        if (part === this.#parts[0]) this.#sound(part, audio, alignment)
        else part.early.push({ audio, alignment })
      },
      final: () => {
        part.end = 'final'
        this.#advance()
      },
      // Of the sentence after the one that sounds: that one may still come whole.
      failed: (error) => {
        part.end = error
        this.#advance()
      },
    })
    if (!letGo) return false
    part.letGo = letGo
    this.#parts.push(part)
    return true
  }

  protected lastStarted(): void {}

  protected letGo(): void {
    for (const part of this.#parts.splice(0)) part.letGo()
  }

  #sound({ sentence, words }: Part, audio: Uint8Array, alignment: Alignment | undefined): void {
    const before = Math.round(this.output.audioMs)
    this.output.audio(sentence, audio)
    if (alignment) this.output.words(sentence, words.add(alignment, before), words.alignedMs)
  }

  /** Ends what is complete, and lets the next sound. */
  #advance(): void {
    for (let part = this.#parts[0]; part && part.end !== 'open'; part = this.#parts[0]) {
      if (part.end !== 'final') return this.fail(part.end)
      this.output.words(part.sentence, part.words.rest(), 0)
      const fault = this.output.done(part.sentence)
      if (fault) return this.fail(fault)
      this.#parts.shift()
      const next = this.#parts[0]
      if (next) for (const { audio, alignment } of next.early.splice(0)) this.#sound(next, audio, alignment)
    }
    this.pump()
  }
}
