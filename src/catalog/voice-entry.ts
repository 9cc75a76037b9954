/** What the catalogue says of a voice. Pure data. */

/** As callers hear it. `neutral`: taken for either. */
export const GENDERS = ['female', 'male', 'neutral'] as const
export type Gender = (typeof GENDERS)[number]

export interface VoiceFacts {
  readonly name: string
  /** Null: nobody says. */
  readonly gender: Gender | null
  /** Primary tags; `any`: whatever the model speaks; null: nobody says. */
  readonly languages: readonly string[] | 'any' | null
  /** The most it is sampled at; null: nobody says. */
  readonly sampleRateHz: number | null
  /** The page, or who read it, and when. */
  readonly source: string
  readonly asOf: string
}
