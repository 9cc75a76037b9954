/**
 * What was synthesised before, kept as sound in the codec it came in, said without asking anybody: phrases that must be there at once
 * (fillers, apologies, greetings), made ahead of need, and sentences that are said again and again. Exact: the same words in the same voice;
 * bounded, the longest unused go first. What a pipeline always says is kept on disk too, where there is a folder for it.
 *
 *     prepare(voice, texts) ─► memory ─► disk ─► the voice's adapter ─► kept ─► get(voice, text) ─► said
 */
import { bytesToMs } from '../audio/format.ts'
import { openScope, orAborted, type Scope } from '../cancel.ts'
import type { Clock } from '../clock.ts'
import { SPEECH_CACHE_MB } from '../config/defaults.ts'
import type { Sentence, SpokenWord } from '../stage/tts.ts'
import type { AudioFiles } from '../store/audio-files.ts'
import { bestOf, keyOf, MAX_PHRASE_MS, type Phrase, type PhraseVoice } from './phrase.ts'
import { headOf, phraseOf } from './phrase-head.ts'

export type { Phrase, PhraseVoice } from './phrase.ts'

export interface PhraseCacheOptions {
  readonly clock: Clock
  readonly maxBytes?: number
  /** Left out: nothing outlives the process. */
  readonly files?: AudioFiles
  /** A phrase could not be made; it is tried again when it is next prepared. */
  readonly onFailed?: (adapter: string) => void
}

const PHRASE_BYTES = SPEECH_CACHE_MB * 1024 * 1024
/** For all of one phrase. Nobody waits for it. */
const PREPARE_MS = 20_000

export class PhraseCache {
  readonly #clock: Clock
  readonly #maxBytes: number
  readonly #files: AudioFiles | undefined
  readonly #onFailed: (adapter: string) => void
  readonly #kept = new Map<string, { readonly phrase: Phrase; usedAt: number }>()
  readonly #making = new Map<string, Promise<void>>()
  readonly #scope: Scope = openScope()
  #bytes = 0
  #uses = 0
  #made = 0
  #fromDisk = 0

  constructor({ clock, maxBytes = PHRASE_BYTES, files, onFailed = () => {} }: PhraseCacheOptions) {
    this.#clock = clock
    this.#maxBytes = maxBytes
    this.#files = files
    this.#onFailed = onFailed
  }

  get(voice: PhraseVoice, text: string): Phrase | null {
    const found = this.#kept.get(keyOf(voice, text))
    if (!found) return null
    // A counter, and not the map's order: one that is set again at each use is rebuilt every few uses.
    found.usedAt = ++this.#uses
    return found.phrase
  }

  /** What it holds, and where that came from. */
  get figures() {
    const { bytes: diskBytes = 0, broken = 0 } = this.#files ?? {}
    return {
      entries: this.#kept.size,
      bytes: this.#bytes,
      made: this.#made,
      fromDisk: this.#fromDisk,
      diskBytes,
      broken,
    }
  }

  /** What somebody else synthesised. `where`: how far it is kept. */
  keep(voice: PhraseVoice, phrase: Phrase, where: 'memory' | 'disk'): void {
    this.#keep(keyOf(voice, phrase.text), phrase, where)
  }

  /** From disk, if it is there; nobody waits. */
  async recall(voice: PhraseVoice, text: string): Promise<void> {
    const key = keyOf(voice, text)
    if (!this.#files || this.#kept.has(key)) return
    const phrase = phraseOf(await this.#files.get(key), text)
    if (!phrase) return
    this.#fromDisk++
    this.#keep(key, phrase, 'memory')
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

  /** Resolves when what was to be kept is. */
  async close(): Promise<void> {
    this.#scope.cancel('done')
    await this.#files?.close()
  }

  async #make(key: string, voice: PhraseVoice, text: string): Promise<void> {
    await this.recall(voice, text)
    if (this.#kept.has(key)) return
    const scope = openScope(this.#scope.signal)
    const timer = this.#clock.setTimer(PREPARE_MS, () => scope.cancel('deadline'))
    try {
      const phrase = await synthesise(voice, text, scope.signal, this.#clock)
      this.#made++
      this.#keep(key, phrase, 'disk')
    } catch {
      if (!this.#scope.signal.aborted) this.#onFailed(voice.adapter.id)
    } finally {
      timer.cancel()
      scope.cancel('done')
    }
  }

  #keep(key: string, phrase: Phrase, where: 'memory' | 'disk'): void {
    if (where === 'disk') this.#files?.put(key, { head: headOf(phrase), audio: phrase.audio })
    if (phrase.audio.length > this.#maxBytes || this.#kept.has(key)) return
    this.#kept.set(key, { phrase, usedAt: ++this.#uses })
    this.#bytes += phrase.audio.length
    while (this.#bytes > this.#maxBytes) this.#forgetOne()
  }

  /** The longest unused. */
  #forgetOne(): void {
    let oldest: string | undefined
    let usedAt = Number.POSITIVE_INFINITY
    for (const [key, one] of this.#kept) {
      if (one.usedAt >= usedAt) continue
      oldest = key
      usedAt = one.usedAt
    }
    this.#bytes -= this.#kept.get(oldest ?? '')?.phrase.audio.length ?? 0
    this.#kept.delete(oldest ?? '')
  }
}

async function synthesise(
  { adapter, voice, language, format = bestOf(adapter), speed }: PhraseVoice,
  text: string,
  signal: AbortSignal,
  clock: Clock,
): Promise<Phrase> {
  const stream = await orAborted(
    adapter.open({
      voice,
      format,
      signal,
      clock,
      ...(speed === undefined ? {} : { speed }),
      ...(language === null ? {} : { language }),
    }),
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
  return {
    text,
    target: adapter.id,
    format,
    audio: Buffer.concat(chunks),
    ms: bytesToMs(format, bytes),
    words,
  }
}
