/** What the catalogue knows of one model at one provider. Pure data. */

export const KINDS = ['llm', 'embedding', 'stt', 'tts', 'realtime'] as const
export type Kind = (typeof KINDS)[number]

export const MODALITIES = ['text', 'audio', 'image', 'video', 'pdf'] as const
export type Modality = (typeof MODALITIES)[number]

/**
 * `streaming`: speech comes and goes while it is made, not as whole files. `streamingText`: a voice takes its text in pieces.
 * What is not listed is not known to be possible.
 */
export type Capability =
  | 'tools'
  | 'structuredOutput'
  | 'reasoning'
  | 'vision'
  | 'temperature'
  | 'openWeights'
  | 'streaming'
  | 'streamingText'

/** US dollars a million tokens. */
export interface TokenRates {
  readonly input?: number | undefined
  readonly output?: number | undefined
  readonly cacheRead?: number | undefined
  readonly cacheWrite?: number | undefined
  /** Of reasoning tokens, where they differ from other output. */
  readonly reasoning?: number | undefined
  readonly inputAudio?: number | undefined
  readonly outputAudio?: number | undefined
}

export interface Cost extends TokenRates {
  readonly usdPerAudioMinuteIn?: number | undefined
  readonly usdPerAudioMinuteOut?: number | undefined
  readonly usdPerThousandChars?: number | undefined
  /** Of prompts longer than so many tokens, ascending; the whole request is charged at a tier's rates. */
  readonly tiers?: readonly (TokenRates & { readonly aboveInputTokens: number })[] | undefined
}

export interface CatalogEntry {
  /** Canonical: `google`, not `gemini`. */
  readonly provider: string
  /** As the provider wants it; may hold slashes. */
  readonly id: string
  readonly name: string
  readonly kind: Kind
  /** Tokens; null: not known. */
  readonly contextTokens: number | null
  readonly outputTokens: number | null
  readonly input: readonly Modality[]
  readonly output: readonly Modality[]
  readonly can: readonly Capability[]
  /** Null: not known, which is not free. */
  readonly cost: Cost | null
  /** Primary tags; `any`: does not depend on it; null: not known. */
  readonly languages: readonly string[] | 'any' | null
  /** Typical time to the first output (LLM, TTS) or from the end of speech to the words (STT), before anybody measured here. */
  readonly ttftMs: number | null
  /** 0–1, by whoever wrote the entry; null: nobody did. */
  readonly quality: number | null
  /** `YYYY-MM` or `YYYY-MM-DD`. */
  readonly knowledge: string | null
  readonly releasedOn: string | null
  readonly status: 'alpha' | 'beta' | 'deprecated' | null
  /** Other ids of the same model at the same price. */
  readonly aliases: readonly string[]
  /** Where the price was read. */
  readonly source: string
  /** The day it was read, `YYYY-MM-DD`; null: the operator did not say. */
  readonly asOf: string | null
  /** What one should know about the price. */
  readonly note: string | null
}
