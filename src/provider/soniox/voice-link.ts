/**
 * One socket to Soniox's voices and the streams on it, a stream for each sentence. One that was cancelled counts among
 * the five that a socket may have until the server says that it is over.
 */

import type { ProviderError } from '../../errors.ts'
import type { Sentence } from '../../stage/tts.ts'
import { AlignedWords, type Alignment } from '../aligned-words.ts'
import type { AnswerOptions, Line } from '../answer-stream.ts'
import { kindOfStatus } from '../dial.ts'
import type { Fields } from '../message.ts'
import { PartedAnswer, type PartHearing } from '../parted-answer.ts'
import { SpeechLink, type SpeechLinkOptions } from '../speech-link.ts'
import { cancelStream, readVoice, SONIOX_KEEP_ALIVE, type VoiceMessage, wholeText } from './voice-wire.ts'

/** Two sentences each, and one place for what was cancelled. */
const ANSWERS = 2
const STREAMS = 5
const STREAMS_AN_ANSWER = 2
const RULES = {
  answers: ANSWERS,
  idleMs: 240_000,
  keepAlive: { text: SONIOX_KEEP_ALIVE, everyMs: 20_000 },
}

interface Hearing {
  readonly audio: (bytes: Uint8Array) => void
  readonly alignment: (alignment: Alignment) => void
  readonly final: () => void
  readonly failed: (error: ProviderError) => void
}

export interface VoiceLine extends Line {
  /** Undefined while no stream is free. The function given back lets go of its sound. */
  speak(fields: Fields, text: string, hearing: Hearing): (() => void) | undefined
}

export class VoiceLink extends SpeechLink {
  /** Streams the server counts, with who hears them; null: nobody any more. */
  readonly #streams = new Map<string, Hearing | null>()
  readonly #waiting = new Set<() => void>()
  #opened = 0

  constructor(options: SpeechLinkOptions) {
    super(options, RULES)
  }

  override get roomy(): boolean {
    return super.roomy && STREAMS - this.#streams.size >= STREAMS_AN_ANSWER
  }

  lease(onRoom: () => void): VoiceLine {
    const line = this.hold()
    this.#waiting.add(onRoom)
    return {
      get usable() {
        return line.usable
      },
      suspect: line.suspect,
      release: () => {
        this.#waiting.delete(onRoom)
        line.release()
      },
      speak: (fields, text, hearing) => this.#speak(fields, text, hearing),
    }
  }

  protected heard(data: string | Uint8Array): boolean {
    const message = typeof data === 'string' ? readVoice(data) : undefined
    if (message) this.#hear(message)
    return message !== undefined
  }

  protected lost(error: ProviderError): void {
    const open = [...this.#streams.values()]
    this.#streams.clear()
    for (const hearing of open) hearing?.failed(error)
    for (const onRoom of [...this.#waiting]) onRoom()
  }

  #speak(fields: Fields, text: string, hearing: Hearing): (() => void) | undefined {
    if (this.#streams.size >= STREAMS) return undefined
    const stream = `s${++this.#opened}`
    this.#streams.set(stream, hearing)
    this.send(JSON.stringify({ ...fields, stream_id: stream }))
    this.send(wholeText(stream, text))
    return () => {
      if (this.#streams.get(stream) !== hearing) return
      this.#streams.set(stream, null)
      this.send(cancelStream(stream))
    }
  }

  #hear({ stream, audio, alignment, terminated, error }: VoiceMessage): void {
    if (error !== undefined) {
      const failure = this.error(kindOfStatus(error), `the provider says error ${error}`)
      // Without a stream it may be any of them.
      if (stream === undefined) return this.end(failure)
      return this.#over(stream, (hearing) => hearing.failed(failure))
    }
    if (stream === undefined) return
    const hearing = this.#streams.get(stream)
    if (audio) hearing?.audio(audio)
    if (alignment) hearing?.alignment(alignment)
    if (terminated) this.#over(stream, (one) => one.final())
  }

  #over(stream: string, tell: (hearing: Hearing) => void): void {
    const hearing = this.#streams.get(stream)
    if (!this.#streams.delete(stream)) return
    if (hearing) tell(hearing)
    for (const onRoom of [...this.#waiting]) onRoom()
  }
}

export class VoiceAnswer extends PartedAnswer<VoiceLine> {
  readonly #fields: Fields

  constructor(options: AnswerOptions<VoiceLine>, fields: Fields) {
    super(options)
    this.#fields = fields
  }

  protected speak({ text }: Sentence, line: VoiceLine, part: PartHearing): (() => void) | undefined {
    const words = new AlignedWords()
    let reachMs = 0
    return line.speak(this.#fields, text, {
      audio: (bytes) => part.audio(bytes),
      alignment: (alignment) => {
        const { startsMs, durationsMs } = alignment
        reachMs = Math.max(reachMs, ...startsMs.map((start, i) => start + durationsMs[i]!))
        part.words(words.add(alignment, 0), reachMs)
      },
      final: () => {
        part.words(words.rest(), reachMs)
        part.final()
      },
      failed: (error) => part.failed(error),
    })
  }
}
