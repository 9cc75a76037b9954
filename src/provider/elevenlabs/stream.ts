/**
 * One answer on ElevenLabs: a context for each sentence, at most two of them at once.
 *
 * Why not one context for the whole answer, which would carry the melody from sentence to sentence: a `flush` is not
 * answered by anything that says where its sound ends (bolna-ai/bolna #790, tried against the real service), and
 * alignments cannot stand in for that, since a message may hold sound of two sentences and its characters differ from
 * the text in hyphens and marks (bolna #733). A context that is flushed and closed gives all its sound and then exactly
 * one `isFinal`; so a context is what can be matched to a sentence without a guess. Its sound belongs to it by id.
 */
import { bytesToMs } from '../../audio/format.ts'
import type { Sentence } from '../../stage/tts.ts'
import { AlignedWords } from '../aligned-words.ts'
import { PartedAnswer, type PartHearing } from '../parted-answer.ts'
import type { ElevenLabsLine } from './link.ts'

export class ElevenLabsStream extends PartedAnswer<ElevenLabsLine> {
  protected speak({ text }: Sentence, line: ElevenLabsLine, part: PartHearing): (() => void) | undefined {
    const words = new AlignedWords()
    return line.speak(text, {
      audio: (audio, alignment) => {
        const before = Math.round(bytesToMs(this.options.format, part.bytes))
        part.audio(audio)
        if (alignment) part.words(words.add(alignment, before), words.alignedMs)
      },
      final: () => {
        part.words(words.rest(), 0)
        part.final()
      },
      failed: (error) => part.failed(error),
    })
  }
}
