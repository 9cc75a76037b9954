/**
 * Sentences of answers that are said again and again ("Can I have your name?"): from a number of times on their sound is kept, and they are said from there.
 * Of sentences said less often only a digest is remembered, for a while.
 */
import { createHash } from 'node:crypto'
import { type AudioFormat, bytesToMs } from '../audio/format.ts'
import type { SpokenWord } from '../stage/tts.ts'
import { keyOf, MAX_PHRASE_MS, type Phrase, type PhraseVoice } from './phrase.ts'
import type { PhraseCache } from './phrases.ts'

export interface SentenceCacheOptions {
  readonly cache: PhraseCache
  /** Times; at least 1. */
  readonly after: number
  readonly keep: 'memory' | 'disk'
}

/** The sound of one sentence as it comes. */
export interface Gathering {
  audio(bytes: Uint8Array): void
  words(words: readonly SpokenWord[]): void
  /** It is complete. */
  done(): void
}

/** Digests of a generation; the one before counts too, so that up to twice as many are known. */
const GENERATION = 5_000

export class SentenceCache {
  readonly #options: SentenceCacheOptions
  #young = new Map<string, number>()
  #old = new Map<string, number>()
  #misses = 0

  constructor(options: SentenceCacheOptions) {
    this.#options = options
  }

  /** Sentences that were looked for in vain. */
  get misses(): number {
    return this.#misses
  }

  find(voice: PhraseVoice, text: string): Phrase | null {
    const found = this.#options.cache.get(voice, text)
    if (!found) this.#misses++
    return found
  }

  /** A voice is asked for it; null: its sound is of no use. */
  said(voice: PhraseVoice, format: AudioFormat, text: string): Gathering | null {
    const { cache, after, keep } = this.#options
    const times = this.#count(keyOf(voice, text))
    if (times === 1 && keep === 'disk') void cache.recall(voice, text)
    if (times < after || cache.get(voice, text)) return null
    const chunks: Uint8Array[] = []
    const words: SpokenWord[] = []
    let bytes = 0
    const fits = () => bytesToMs(format, bytes) <= MAX_PHRASE_MS
    return {
      audio(chunk) {
        bytes += chunk.length
        if (fits()) chunks.push(chunk)
      },
      words(more) {
        words.push(...more)
      },
      done() {
        if (bytes === 0 || !fits()) return
        const ms = bytesToMs(format, bytes)
        const phrase = { text, target: voice.adapter.id, format, audio: Buffer.concat(chunks), ms, words }
        cache.keep(voice, phrase, keep)
      },
    }
  }

  #count(key: string): number {
    const digest = createHash('sha256').update(key).digest('base64')
    const times = (this.#young.get(digest) ?? this.#old.get(digest) ?? 0) + 1
    if (this.#young.size >= GENERATION) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(digest, times)
    return times
  }
}
