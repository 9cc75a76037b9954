/** The voices of a pipeline: for each name, which of a provider's own voices it is, and what the operator says of it. */
import type { Gender } from '../catalog/voice-entry.ts'
import { primaryTag } from '../route/language.ts'

/** Voice name → provider → its voice. Without prototype: any client's name may be looked up. */
export type VoiceTable = Readonly<Record<string, Readonly<Record<string, Voice>>>>

export interface Voice {
  /** The provider's own. */
  readonly id: string
  /** Its voices for other languages, by primary tag. */
  readonly byLanguage: Readonly<Record<string, string>>
  /** As the operator says; null: as the catalogue has it. */
  readonly gender: Gender | null
  readonly languages: readonly string[] | null
  readonly sampleRateHz: number | null
}

/** The voice id of `provider` for a voice name, or undefined: then the provider's own default speaks. `language`: what is to be spoken. */
export function voiceIdIn(
  voices: VoiceTable,
  voice: string,
  provider: string,
  language?: string | null,
): string | undefined {
  const found = voices[voice]?.[provider]
  const tag = primaryTag(language)
  return (tag === null ? undefined : found?.byLanguage[tag]) ?? found?.id
}
