/**
 * One socket to a voice of Deepgram. It speaks one text after the other and its sound bears no name, so it serves one
 * answer at a time. An answer that was cut leaves sound on the way: under v1 the socket is free again when `Cleared`
 * came, under v2, where an interruption can be refused, it is closed.
 */
import type { ProviderError, ProviderErrorKind } from '../../errors.ts'
import type { Line } from '../answer-stream.ts'
import type { PartHearing } from '../parted-answer.ts'
import { Malformed } from '../recognition.ts'
import { SpeechLink, type SpeechLinkOptions } from '../speech-link.ts'
import {
  readSpeak,
  SPEAK_CLEAR,
  SPEAK_CLOSE,
  SPEAK_FLUSH,
  type SpeakMessage,
  type SpeakVersion,
  speakText,
} from './speak-wire.ts'
import { reasonOf } from './wire.ts'

/** How long it keeps an idle socket is not documented; every one that is open counts against the plan. */
const RULES = { answers: 1, idleMs: 60_000, goodbye: SPEAK_CLOSE }
/** https://developers.deepgram.com/docs/tts-ws-flush: more flushes are not carried out. */
const FLUSHES = { most: 20, withinMs: 60_000 }

export interface SpeakLine extends Line {
  /** The function given back lets go of its sound. */
  speak(text: string, hearing: PartHearing): () => void
}

export class SpeakLink extends SpeechLink {
  readonly #version: SpeakVersion
  /** Sentences asked for, in the order in which they sound. */
  #asked: PartHearing[] = []
  /** Flushes not answered when `Clear` was sent: their answer may come or not. */
  #stray = 0
  #clearing = false
  #lastDone: string | undefined
  #flushedAt: number[] = []

  constructor(options: SpeechLinkOptions, version: SpeakVersion) {
    super(options, RULES)
    this.#version = version
  }

  override get roomy(): boolean {
    return super.roomy && !this.#clearing && this.#mayFlush
  }

  lease(): SpeakLine {
    const line = this.hold()
    const link = this
    return {
      suspect: line.suspect,
      release: line.release,
      get usable() {
        return line.usable && !link.#clearing && link.#mayFlush
      },
      speak: (text, hearing) => this.#speak(text, hearing),
    }
  }

  protected heard(data: string | Uint8Array): boolean {
    if (typeof data !== 'string') {
      if (!this.#clearing) this.#asked[0]?.audio(data)
      return true
    }
    try {
      this.#hear(readSpeak(data, this.#version))
      return true
    } catch (error) {
      if (error instanceof Malformed) return false
      throw error
    }
  }

  protected lost(error: ProviderError): void {
    for (const hearing of this.#asked.splice(0)) hearing.failed(error)
  }

  protected kindOfClose(code: number, reason: string): ProviderErrorKind {
    return reasonOf({ code, reason }).kind
  }

  get #mayFlush(): boolean {
    if (this.#version === 'v2') return true
    const since = this.options.clock.now() - FLUSHES.withinMs
    this.#flushedAt = this.#flushedAt.filter((at) => at > since)
    return this.#flushedAt.length < FLUSHES.most
  }

  #speak(text: string, hearing: PartHearing): () => void {
    this.#asked.push(hearing)
    this.#flushedAt.push(this.options.clock.now())
    this.send(speakText(text))
    this.send(SPEAK_FLUSH)
    return () => this.#cut(hearing)
  }

  #cut(hearing: PartHearing): void {
    if (!this.#asked.includes(hearing)) return
    this.#stray += this.#asked.length
    this.#asked = []
    if (this.#version === 'v2') return this.retire()
    this.#clearing = true
    this.send(SPEAK_CLEAR)
  }

  #hear(message: SpeakMessage): void {
    switch (message.type) {
      case 'done':
        if (message.id !== this.#lastDone) this.#done(message.soundMs)
        this.#lastDone = message.id
        return
      case 'cleared':
        this.#clearing = false
        return
      case 'error':
        return this.end(this.error(message.kind, message.message))
      case 'other':
        return
      default:
        message satisfies never
    }
  }

  #done(soundMs: number | undefined): void {
    const [hearing] = this.#asked
    // That of a sentence that was cleared away.
    if (this.#stray > 0 && (!hearing || hearing.bytes === 0)) return void this.#stray--
    if (!hearing) return
    this.#stray = 0
    this.#asked.shift()
    if (soundMs !== undefined) hearing.words([], soundMs)
    hearing.final()
  }
}
