/** What an answer has to do with sound that is there already: what it says is gathered for the next time, and what it did not have to ask for is written down. */
import type { Phrase, PhraseVoice } from '../attempt/phrases.ts'
import type { Gathering, SentenceCache } from '../attempt/sentence-cache.ts'
import { bestFormat, type Sentence, type TtsEvent } from '../stage/tts.ts'
import type { AttemptLog } from './attempt-log.ts'

/** In the record: nobody was asked, it cost nothing. */
const CACHED = 'cached'

export function logCached(log: AttemptLog | undefined, { target }: Phrase): void {
  // Recordings of earlier versions do not know whose voice it was.
  const slash = target?.indexOf('/') ?? -1
  if (!log || slash < 0) return
  const attempt = log.start(
    'tts',
    { provider: target.slice(0, slash), model: target.slice(slash + 1) },
    CACHED,
  )
  log.firstOutput(attempt)
  log.cost?.(attempt, 0)
  log.end(attempt, 'ok')
}

/** The sounds of one voice's sentences, as they come; what is not complete is no sentence. */
export class Gathered {
  readonly #sentences: SentenceCache | undefined
  readonly #owed: () => readonly Sentence[]
  #index = -1
  #gathering: Gathering | null = null

  constructor(sentences: SentenceCache | undefined, owed: () => readonly Sentence[]) {
    this.#sentences = sentences
    this.#owed = owed
  }

  take(event: TtsEvent, voiceOf: () => PhraseVoice): void {
    if (!this.#sentences) return
    if (event.sentence !== this.#index) this.#begin(event.sentence, voiceOf())
    if (event.type === 'audio') this.#gathering?.audio(event.audio)
    else if (event.type === 'words') this.#gathering?.words(event.words)
    else this.#gathering?.done()
  }

  /** Sentences sound in order: one that begins ends the one before. */
  #begin(index: number, voice: PhraseVoice): void {
    this.#index = index
    const text = this.#owed().find((one) => one.index === index)?.text
    const format = voice.format ?? bestFormat(voice.adapter, voice.adapter.caps.outputs[0]!)
    this.#gathering = text === undefined ? null : (this.#sentences?.said(voice, format, text) ?? null)
  }
}
