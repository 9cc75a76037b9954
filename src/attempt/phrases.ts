/**
 * Phrases that must be there at once: fillers, apologies, greetings. Synthesised ahead of need, kept as sound, said without
 * asking anybody. Exact: the same words in the same voice; bounded, the longest unused go first.
 *
 *     prepare(voice, texts) ─► the voice's adapter ─► kept ─► get(voice, text) ─► said
 */
import { type AudioFormat, bytesToMs, PCM16_24K } from '../audio/format.ts'
import { openScope, orAborted, type Scope } from '../cancel.ts'
import type { Clock } from '../clock.ts'
import type { Sentence, SpokenWord, TtsAdapter } from '../stage/tts.ts'

/** Who says it. */
export interface PhraseVoice {
  readonly adapter: TtsAdapter
  /** The provider's own voice id; '' for its default. */
  readonly voice: string
  readonly language: string | null
}

export interface Phrase {
  readonly text: string
  readonly format: AudioFormat
  readonly audio: Uint8Array
  readonly ms: number
  /** From its start, where the voice tells. */
  readonly words: readonly SpokenWord[]
}

export interface PhraseCacheOptions {
  readonly clock: Clock
  readonly maxBytes?: number
  /** A phrase could not be made; it is tried again when it is next prepared. */
  readonly onFailed?: (adapter: string) => void
}

/** About eleven minutes of 24 kHz PCM: hundreds of phrases. */
const MAX_BYTES = 32 * 1024 * 1024
/** A phrase is a sentence or two; a voice that goes on for longer is at fault. */
const MAX_PHRASE_MS = 30_000
/** For all of one phrase. Nobody waits for it. */
const PREPARE_MS = 20_000

export class PhraseCache {
  readonly #clock: Clock
  readonly #maxBytes: number
  readonly #onFailed: (adapter: string) => void
  /** In the order of use. */
  readonly #kept = new Map<string, Phrase>()
  readonly #making = new Map<string, Promise<void>>()
  readonly #scope: Scope = openScope()
  #bytes = 0

  constructor({ clock, maxBytes = MAX_BYTES, onFailed = () => {} }: PhraseCacheOptions) {
    this.#clock = clock
    this.#maxBytes = maxBytes
    this.#onFailed = onFailed
  }

  get(voice: PhraseVoice, text: string): Phrase | null {
    const key = keyOf(voice, text)
    const found = this.#kept.get(key)
    if (!found) return null
    this.#kept.delete(key)
    this.#kept.set(key, found)
    return found
  }

  /** Makes those that are not there, one after the other. Never rejects; `get` tells what came of it. */
  async prepare(voice: PhraseVoice, texts: readonly string[]): Promise<void> {
    for (const text of texts) {
      const key = keyOf(voice, text)
      if (this.#kept.has(key) || this.#scope.signal.aborted) continue
      const making = this.#making.get(key) ?? this.#make(key, voice, text)
      this.#making.set(key, making)
      await making
      this.#making.delete(key)
    }
  }

  close(): void {
    this.#scope.cancel('done')
  }

  async #make(key: string, voice: PhraseVoice, text: string): Promise<void> {
    const scope = openScope(this.#scope.signal)
    const timer = this.#clock.setTimer(PREPARE_MS, () => scope.cancel('deadline'))
    try {
      this.#keep(key, await synthesise(voice, text, scope.signal, this.#clock))
    } catch {
      if (!this.#scope.signal.aborted) this.#onFailed(voice.adapter.id)
    } finally {
      timer.cancel()
      scope.cancel('done')
    }
  }

  #keep(key: string, phrase: Phrase): void {
    if (phrase.audio.length > this.#maxBytes) return
    this.#kept.set(key, phrase)
    this.#bytes += phrase.audio.length
    for (const [oldest, { audio }] of this.#kept) {
      if (this.#bytes <= this.#maxBytes) break
      this.#kept.delete(oldest)
      this.#bytes -= audio.length
    }
  }
}

async function synthesise(
  { adapter, voice, language }: PhraseVoice,
  text: string,
  signal: AbortSignal,
  clock: Clock,
): Promise<Phrase> {
  const format = adapter.caps.outputs[0] ?? PCM16_24K
  const stream = await orAborted(
    adapter.open({ voice, format, signal, clock, ...(language === null ? {} : { language }) }),
    signal,
  )
  const sentence: Sentence = { index: 0, text }
  stream.say(sentence)
  stream.end()
  const chunks: Uint8Array[] = []
  const words: SpokenWord[] = []
  let bytes = 0
  for await (const event of stream) {
    signal.throwIfAborted()
    if (event.type === 'words') words.push(...event.words)
    if (event.type !== 'audio') continue
    chunks.push(event.audio)
    bytes += event.audio.length
    if (bytesToMs(format, bytes) > MAX_PHRASE_MS) throw new RangeError('a phrase that does not end')
  }
  if (bytes === 0) throw new RangeError('a phrase without sound')
  return { text, format, audio: Buffer.concat(chunks), ms: bytesToMs(format, bytes), words }
}

function keyOf({ adapter, voice, language }: PhraseVoice, text: string): string {
  return JSON.stringify([adapter.id, voice, language, text])
}
