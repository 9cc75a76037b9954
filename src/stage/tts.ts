/**
 * What a text-to-speech adapter offers: sentences in, audio out, every event naming its sentence.
 * Sentences are spoken in the order they were said; `sentenceDone` follows the last audio of each.
 */
import { type AudioFormat, PCM16_24K, sameFormat } from '../audio/format.ts'
import type { Clock } from '../clock.ts'

export interface TtsCaps {
  readonly input: 'incremental' | 'whole'
  /** Formats it can produce, best first. */
  readonly outputs: readonly AudioFormat[]
  readonly times: 'word' | 'char' | 'none'
  /** Answers that may be synthesised at once on one connection. */
  readonly contexts: number
  readonly cancel: boolean
  readonly languages: readonly string[] | 'any'
}

export interface Sentence {
  /** Rising within an answer. */
  readonly index: number
  /** Speakable text: no markup, at least one letter or digit. */
  readonly text: string
}

export interface SpokenWord {
  readonly text: string
  /** Milliseconds from the start of the sentence's own audio. */
  readonly startMs: number
  readonly endMs: number
}

export type TtsEvent =
  | { readonly type: 'audio'; readonly sentence: number; readonly audio: Uint8Array }
  | { readonly type: 'words'; readonly sentence: number; readonly words: readonly SpokenWord[] }
  | { readonly type: 'sentenceDone'; readonly sentence: number }

/** Iteration ends after `end()` and the last `sentenceDone`; throws `ProviderError`; settles when the signal aborts. */
export interface TtsStream extends AsyncIterable<TtsEvent> {
  say(sentence: Sentence): void
  /** No more sentences. */
  end(): void
}

export interface TtsOpenOptions {
  /** The provider's own voice id. */
  readonly voice: string
  readonly format: AudioFormat
  readonly language?: string
  /** 1 is the voice's own pace. */
  readonly speed?: number
  /** Nobody could say again what ends too soon: a sentence that seems too short stays as it came. Left out: it is `transient`. */
  readonly shortSound?: 'kept'
  readonly signal: AbortSignal
  readonly clock: Clock
}

/** What an answer will be opened with, known before there is one. */
export type TtsWarmOptions = Pick<TtsOpenOptions, 'voice' | 'format' | 'language' | 'speed'>

export interface TtsAdapter {
  /** `provider/model`. */
  readonly id: string
  readonly caps: TtsCaps
  /**
   * Somebody will be answered soon: connects what `open`, or its first sentence, would wait for, unless that stands already. Never throws; what is wrong the answer
   * finds out. Left out: there is nothing to connect before the first sentence.
   */
  warm?(options: TtsWarmOptions): void
  open(options: TtsOpenOptions): Promise<TtsStream>
}

/** The format to ask a voice for: the one wanted if it has it, else its best, which is then converted. */
export function bestFormat(adapter: TtsAdapter, wanted: AudioFormat): AudioFormat {
  const { outputs } = adapter.caps
  return outputs.find((format) => sameFormat(format, wanted)) ?? outputs[0] ?? PCM16_24K
}
