/**
 * One answer being spoken: sentences in, clause after clause through the engine, audio out in small chunks.
 * Synthesis runs at most a few clauses ahead of the reader.
 */
import { type AudioFormat, msToBytes } from '../../../audio/format.ts'
import { openScope, type Scope } from '../../../cancel.ts'
import { Channel } from '../../../channel.ts'
import { ProviderError } from '../../../errors.ts'
import type { Sentence, TtsEvent, TtsStream } from '../../../stage/tts.ts'
import type { FliteEngine } from './engine.ts'
import { clausesOf } from './text.ts'

/** A reader that cancels drops at most this much that it has not taken yet, piece by piece. */
const CHUNK_MS = 120
/** Sentences that may wait to be spoken in one answer. */
const SENTENCE_LIMIT = 2_000
const SENTENCE_CHARACTERS = 20_000
/** Clauses ready ahead of the reader: with the one being spoken, some 30 s of speech. */
const CLAUSES_AHEAD = 3

export interface SpeechOptions {
  readonly engine: FliteEngine
  /** Unique among the engine's answers. */
  readonly answer: number
  readonly voice: string
  readonly stretch: number
  readonly format: AudioFormat
  readonly signal: AbortSignal
}

export class FliteStream implements TtsStream {
  readonly #options: SpeechOptions
  readonly #scope: Scope
  readonly #sentences: Channel<Sentence>
  readonly #ready: Channel<TtsEvent>
  readonly #events: AsyncGenerator<TtsEvent>

  constructor(options: SpeechOptions) {
    this.#options = options
    this.#scope = openScope(options.signal)
    this.#sentences = new Channel({ capacity: SENTENCE_LIMIT, signal: this.#scope.signal })
    this.#ready = new Channel({ capacity: CLAUSES_AHEAD, signal: this.#scope.signal })
    this.#events = this.#chunks()
    void this.#speakAll()
  }

  say(sentence: Sentence): void {
    if (this.#sentences.ended) return
    if (sentence.text.length > SENTENCE_CHARACTERS || !this.#sentences.push(sentence)) {
      this.#ready.fail(
        new ProviderError({
          provider: 'local',
          stage: 'tts',
          kind: 'bad_request',
          message: `more than ${SENTENCE_LIMIT} sentences, or more than ${SENTENCE_CHARACTERS} characters in one`,
        }),
      )
      this.#scope.cancel('done')
    }
  }

  end(): void {
    this.#sentences.close()
  }

  [Symbol.asyncIterator](): AsyncIterator<TtsEvent> {
    return this.#events
  }

  async #speakAll(): Promise<void> {
    const { engine, answer, voice, stretch, format } = this.#options
    const { signal } = this.#scope
    try {
      for await (const { index, text } of this.#sentences) {
        for (const clause of clausesOf(text)) {
          const audio = await engine.speak({ answer, voice, stretch, format, ...clause }, signal)
          if (audio.length > 0) await this.#ready.send({ type: 'audio', sentence: index, audio })
        }
        await this.#ready.send({ type: 'sentenceDone', sentence: index })
      }
      this.#ready.close()
    } catch (error) {
      this.#ready.fail(error)
    } finally {
      engine.forget(answer)
      this.#scope.release()
    }
  }

  async *#chunks(): AsyncGenerator<TtsEvent> {
    const { format, signal } = this.#options
    const chunk = msToBytes(format, CHUNK_MS)
    try {
      for await (const event of this.#ready) {
        if (event.type !== 'audio') {
          yield event
          continue
        }
        for (let at = 0; at < event.audio.length; at += chunk) {
          signal.throwIfAborted()
          yield { ...event, audio: event.audio.subarray(at, at + chunk) }
        }
      }
    } finally {
      // A reader that leaves early wants no more synthesis.
      this.#scope.cancel('done')
    }
  }
}
