/** Words in somebody's voice, as sound; and what makes two of them the same. */
import { type AudioFormat, PCM16_24K } from '../audio/format.ts'
import type { SpokenWord, TtsAdapter } from '../stage/tts.ts'

/** A phrase is a sentence or two; a voice that goes on for longer is at fault. */
export const MAX_PHRASE_MS = 30_000

/** Who says it. */
export interface PhraseVoice {
  readonly adapter: TtsAdapter
  /** The provider's own voice id; '' for its default. */
  readonly voice: string
  readonly language: string | null
  /** Left out: the adapter's best. */
  readonly format?: AudioFormat
  /** Left out: its own pace. */
  readonly speed?: number
}

export interface Phrase {
  readonly text: string
  /** Whose voice it is: `provider/model`. */
  readonly target: string
  readonly format: AudioFormat
  readonly audio: Uint8Array
  readonly ms: number
  /** From its start, where the voice tells. */
  readonly words: readonly SpokenWord[]
}

/** All that the sound depends on; what a provider's name means is the operator's. */
export function keyOf(
  { adapter, voice, language, format = bestOf(adapter), speed = 1 }: PhraseVoice,
  text: string,
): string {
  return JSON.stringify([adapter.id, voice, language, format.encoding, format.sampleRateHz, speed, text])
}

export function bestOf({ caps }: TtsAdapter): AudioFormat {
  return caps.outputs[0] ?? PCM16_24K
}
