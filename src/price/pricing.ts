/**
 * What targets cost: the operator's own prices first, then the catalogue's. What runs on this machine costs nothing.
 *
 *     prices (settings) ► catalog (settings) ► refreshed ► built-in
 */
import { builtInCatalog } from '../catalog/builtin.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { costOf } from '../catalog/cost.ts'
import type { Cost } from '../catalog/entry.ts'
import type { StageName } from '../errors.ts'

/** Of one target; members of other stages are left out. */
export interface PriceSetting {
  readonly usdPerMillionInputTokens?: number | undefined
  readonly usdPerMillionOutputTokens?: number | undefined
  readonly usdPerMinute?: number | undefined
  readonly usdPerThousandChars?: number | undefined
}

export interface Tokens {
  readonly inputTokens: number
  readonly outputTokens: number
  /** Part of the input. */
  readonly cachedTokens?: number
  readonly cacheWriteTokens?: number
  /** Part of the output. */
  readonly reasoningTokens?: number
}

const FREE: Cost = { input: 0, output: 0, usdPerAudioMinuteIn: 0, usdPerThousandChars: 0 }
/** As `usd` compares language models: three of four tokens are read. */
const INPUT_SHARE = 0.75

/** What an attempt cost, US dollars; null: no price is known. */
export interface Costs {
  tokens(target: string, used: Tokens): number | null
  /** `ms` of audio were recognised. */
  audio(target: string, ms: number): number | null
  /** So many characters were voiced. */
  characters(target: string, count: number): number | null
}

export class Pricing implements Costs {
  readonly #settings: Readonly<Record<string, PriceSetting>>
  readonly #quality: Readonly<Record<string, number>>
  readonly #catalog: Catalog

  /** `catalog` left out: the one that comes with Parley. */
  constructor(
    settings: Readonly<Record<string, PriceSetting>> = {},
    quality: Readonly<Record<string, number>> = {},
    catalog: Catalog = builtInCatalog(),
  ) {
    this.#settings = settings
    this.#quality = quality
    this.#catalog = catalog
  }

  /** As rules and `sort` compare it: a minute (STT), a million tokens, three of four of them input (LLM), a thousand characters (TTS). */
  usd(stage: StageName, target: string): number | null {
    const cost = this.#cost(stage, target)
    if (!cost) return null
    if (stage === 'stt') return cost.usdPerAudioMinuteIn ?? null
    if (stage === 'tts') return cost.usdPerThousandChars ?? null
    const { input, output } = cost
    return input === undefined || output === undefined
      ? null
      : INPUT_SHARE * input + (1 - INPUT_SHARE) * output
  }

  /** 0–1, from the operator's table, else the catalogue's entry. */
  quality(target: string): number | null {
    return own(this.#quality, target) ?? this.#catalog.target(target)?.quality ?? null
  }

  tokens(target: string, used: Tokens): number | null {
    return costOf({ cost: this.#cost('llm', target) }, used)
  }

  audio(target: string, ms: number): number | null {
    return costOf({ cost: this.#cost('stt', target) }, { audioInMs: ms })
  }

  characters(target: string, count: number): number | null {
    return costOf({ cost: this.#cost('tts', target) }, { characters: count })
  }

  #cost(stage: StageName, target: string): Cost | null {
    if (target.startsWith('local/')) return FREE
    const setting = own(this.#settings, target)
    return (setting && settingCost(stage, setting)) ?? this.#catalog.target(target)?.cost ?? null
  }
}

/** Undefined: the operator says nothing of this stage. One of the two prices of tokens alone makes the other free. */
function settingCost(stage: StageName, setting: PriceSetting): Cost | undefined {
  const { usdPerMinute, usdPerThousandChars } = setting
  if (stage === 'stt') return usdPerMinute === undefined ? undefined : { usdPerAudioMinuteIn: usdPerMinute }
  if (stage === 'tts') return usdPerThousandChars === undefined ? undefined : { usdPerThousandChars }
  const { usdPerMillionInputTokens: input, usdPerMillionOutputTokens: output } = setting
  return input === undefined && output === undefined ? undefined : { input: input ?? 0, output: output ?? 0 }
}

function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined
}
