/**
 * One answer's sound on its way from a provider's socket to the reader: whole samples only, sentences in their order,
 * each checked at its end for sound that is missing or plainly of another sample rate.
 */
import { type AudioFormat, bytesPerSample, bytesToMs } from '../audio/format.ts'
import { Channel } from '../channel.ts'
import { ProviderError } from '../errors.ts'
import type { SpokenWord, TtsEvent } from '../stage/tts.ts'

/**
 * Sound ahead of the reader at which no further sentence is asked for. A shared socket cannot be paused for one
 * reader, so what is asked for is what is bounded.
 */
const AHEAD_MS = 30_000
/**
 * Words and sound of one sentence end together but for a breath. The nearest wrong formats differ by half and more
 * (16 for 24 kHz, G.711 for 16-bit), so a wide tolerance still finds them.
 */
const SHORTER = { share: 1.25, ms: 200 }
const LONGER = { share: 1.4, ms: 1_500 }

export interface SpeechOutputOptions {
  readonly provider: string
  readonly format: AudioFormat
  readonly signal: AbortSignal
  /** The reader took something. */
  readonly onTaken: () => void
  /** The reader has all, or left. */
  readonly onLeft: () => void
}

export class SpeechOutput implements AsyncIterable<TtsEvent> {
  readonly #options: SpeechOutputOptions
  /** Bounded by `full`, not by a number of items. */
  readonly #events: Channel<TtsEvent>
  readonly #iterator: AsyncGenerator<TtsEvent>
  #unreadBytes = 0
  /** Of the sentence in progress. */
  #bytes = 0
  #wordsEndMs = 0
  /** The first byte of a sample whose second has not come. */
  #odd: Uint8Array | undefined

  constructor(options: SpeechOutputOptions) {
    this.#options = options
    this.#events = new Channel({ capacity: Number.POSITIVE_INFINITY, signal: options.signal })
    this.#iterator = this.#read()
  }

  get full(): boolean {
    return bytesToMs(this.#options.format, this.#unreadBytes) >= AHEAD_MS
  }

  /** Of the sentence in progress. */
  get audioMs(): number {
    return bytesToMs(this.#options.format, this.#bytes)
  }

  audio(sentence: number, bytes: Uint8Array): void {
    const audio = this.#wholeSamples(bytes)
    this.#bytes += audio.length
    if (audio.length === 0 || !this.#events.push({ type: 'audio', sentence, audio })) return
    this.#unreadBytes += audio.length
  }

  /** `reachMs`: how far the sentence's words reach so far, by the provider's own count and not by the sound's length. */
  words(sentence: number, words: readonly SpokenWord[], reachMs: number): void {
    this.#wordsEndMs = Math.max(this.#wordsEndMs, reachMs)
    if (words.length > 0) this.#events.push({ type: 'words', sentence, words })
  }

  /** Says that the sentence is complete, or why it cannot be. */
  done(sentence: number): ProviderError | undefined {
    const fault = this.#fault()
    this.#bytes = 0
    this.#wordsEndMs = 0
    this.#odd = undefined
    if (fault) return this.#error(fault)
    this.#events.push({ type: 'sentenceDone', sentence })
    return undefined
  }

  close(): void {
    this.#events.close()
  }

  /** What came before is still read. */
  fail(error: unknown): void {
    this.#events.fail(error)
  }

  [Symbol.asyncIterator](): AsyncIterator<TtsEvent> {
    return this.#iterator
  }

  #wholeSamples(bytes: Uint8Array): Uint8Array {
    if (bytesPerSample(this.#options.format) === 1) return bytes
    const whole = this.#odd ? Buffer.concat([this.#odd, bytes]) : bytes
    const length = whole.length & ~1
    this.#odd = length < whole.length ? whole.subarray(length) : undefined
    return whole.subarray(0, length)
  }

  #fault(): string | undefined {
    const ms = this.audioMs
    if (ms === 0) return 'a sentence came back without sound'
    const words = this.#wordsEndMs
    if (words === 0) return undefined
    const wrong = words > ms * SHORTER.share + SHORTER.ms || ms > words * LONGER.share + LONGER.ms
    if (!wrong) return undefined
    return `the sound is not in the format asked for: ${Math.round(ms)} ms of it for ${Math.round(words)} ms of words`
  }

  #error(message: string): ProviderError {
    return new ProviderError({ provider: this.#options.provider, stage: 'tts', kind: 'transient', message })
  }

  async *#read(): AsyncGenerator<TtsEvent> {
    const { signal, onTaken, onLeft } = this.#options
    try {
      for await (const event of this.#events) {
        signal.throwIfAborted()
        if (event.type === 'audio') this.#unreadBytes -= event.audio.length
        onTaken()
        yield event
      }
    } finally {
      onLeft()
    }
  }
}
