/** How a voice's double speaks: twice as fast as it sounds, each word as a sound of its own; it breaks once, in the middle of a sentence. */
import type { SoundOptions } from '../../src/testing/tts/double.ts'
import { codesOf } from '../chaos/words.ts'
import type { Break } from './break.ts'
import { levelsOf } from './levels.ts'

export const MS_PER_CHAR = 30
const CHUNK_MS = 90
const EVERY_MS = 45
const FIRST_AUDIO_MS = 90
/** The second sentence begins with it. */
export const WORDS_A_SENTENCE = 6

export function soundsOf(broken: Break): Omit<SoundOptions, 'clock'> {
  return {
    faultOf(text) {
      const [first] = codesOf(text)
      if (!first || first.place < WORDS_A_SENTENCE || !broken.armed) return undefined
      const fault = broken.of({})
      return fault && { fault, at: 'middle' }
    },
    samplesOf: levelsOf,
    msPerChar: MS_PER_CHAR,
    chunkMs: CHUNK_MS,
    firstAudioMs: FIRST_AUDIO_MS,
    everyMs: EVERY_MS,
  }
}
