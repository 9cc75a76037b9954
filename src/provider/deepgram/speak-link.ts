/**
 * One socket to a voice of Deepgram. After a cut answer it is free again when `Cleared` came (v1); under v2, where an
 * interruption can be refused, it is closed.
 */
import type { ProviderErrorKind } from '../../errors.ts'
import { QueuedLink } from '../queued-link.ts'
import type { SpeechLinkOptions } from '../speech-link.ts'
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
const RULES = { idleMs: 60_000, goodbye: SPEAK_CLOSE }
/** https://developers.deepgram.com/docs/tts-ws-flush: more flushes are not carried out. */
const FLUSHES = { most: 20, withinMs: 60_000 }

export class SpeakLink extends QueuedLink {
  readonly #version: SpeakVersion
  /** Flushes not answered when `Clear` was sent: their answer may come or not. */
  #stray = 0
  #clearing = false
  #lastDone: string | undefined
  #flushedAt: number[] = []

  constructor(options: SpeechLinkOptions, version: SpeakVersion) {
    super(options, RULES)
    this.#version = version
  }

  protected override get free(): boolean {
    if (this.#clearing) return false
    if (this.#version === 'v2') return true
    const since = this.options.clock.now() - FLUSHES.withinMs
    this.#flushedAt = this.#flushedAt.filter((at) => at > since)
    return this.#flushedAt.length < FLUSHES.most
  }

  protected ask(text: string): void {
    this.#flushedAt.push(this.options.clock.now())
    this.send(speakText(text))
    this.send(SPEAK_FLUSH)
  }

  protected override cut(sentences: number): void {
    if (this.#version === 'v2') return super.cut(sentences)
    this.#stray += sentences
    this.#clearing = true
    this.send(SPEAK_CLEAR)
  }

  protected heard(data: string | Uint8Array): boolean {
    if (typeof data !== 'string') {
      this.current?.audio(data)
      return true
    }
    this.#hear(readSpeak(data, this.#version))
    return true
  }

  protected override kindOfClose(code: number, reason: string): ProviderErrorKind {
    return reasonOf({ code, reason }).kind
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
    const { current } = this
    // That of a sentence that was cleared away.
    if (this.#stray > 0 && (!current || current.bytes === 0)) return void this.#stray--
    if (!current) return
    this.#stray = 0
    if (soundMs !== undefined) current.words([], soundMs)
    this.complete()
  }
}
