/** The cache of speech as the settings want it: in memory, with a folder or without, with sentences of answers or without. */
import type { Clock } from '../clock.ts'
import type { Settings } from '../config/settings.ts'
import { AudioFiles } from '../store/audio-files.ts'
import { PhraseCache } from './phrases.ts'
import { SentenceCache } from './sentence-cache.ts'

const MB = 1024 * 1024

export interface SpeechCacheDeps {
  readonly clock: Clock
  readonly note: (message: string, facts?: Readonly<Record<string, unknown>>) => void
}

/** Throws the system's error when the folder cannot be made or written to. */
export function openSpeechCache(setting: Settings['speechCache'], { clock, note }: SpeechCacheDeps) {
  const { memoryMb, dir, diskMb, sentencesAfter: after, sentences: keep } = setting
  const phrases = new PhraseCache({
    clock,
    maxBytes: Math.round(memoryMb * MB),
    ...(dir === null
      ? {}
      : { files: new AudioFiles({ dir, maxBytes: Math.round(diskMb * MB), clock, note }) }),
    onFailed: (voice) => note(`a phrase could not be made ready in the voice of ${voice}`),
  })
  const sentences = after > 0 ? new SentenceCache({ cache: phrases, after, keep }) : undefined
  return {
    phrases,
    sentences,
    figures: () => ({ ...phrases.figures, misses: sentences?.misses ?? 0 }),
  }
}
