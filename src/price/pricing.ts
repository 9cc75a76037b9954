/**
 * What targets cost: the operator's own prices first, then published ones. Language models by the catalogue of
 * `@pydantic/genai-prices`, looked up once a target; speech by our own table. What runs on this machine costs nothing.
 */
import { calcPrice, findProvider } from '@pydantic/genai-prices'
import type { StageName } from '../errors.ts'
import { SPEECH_PRICES } from './speech.ts'

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
}

/** US dollars a token. */
interface Rates {
  readonly input: number
  readonly output: number
  readonly cached: number
}

const FREE: Rates = { input: 0, output: 0, cached: 0 }
/** Enough to be exact, too few for the surcharges that some models have on very long prompts. */
const SAMPLE = 1000
/** Models that a client named; targets of pipelines are fewer. */
const MAX_KNOWN = 1000

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
  readonly #rates = new Map<string, Rates | null>()

  constructor(
    settings: Readonly<Record<string, PriceSetting>> = {},
    quality: Readonly<Record<string, number>> = {},
  ) {
    this.#settings = settings
    this.#quality = quality
  }

  /** As rules and `sort` compare it: a minute (STT), a million tokens, three of four of them input (LLM), a thousand characters (TTS). */
  usd(stage: StageName, target: string): number | null {
    if (stage === 'stt') return this.#minute(target)
    if (stage === 'tts') return this.#thousandChars(target)
    const rates = this.#ratesOf(target)
    return rates && (0.75 * rates.input + 0.25 * rates.output) * 1e6
  }

  /** 0–1, from the operator's table. */
  quality(target: string): number | null {
    return own(this.#quality, target) ?? null
  }

  tokens(target: string, { inputTokens, outputTokens, cachedTokens = 0 }: Tokens): number | null {
    const rates = this.#ratesOf(target)
    if (!rates) return null
    const cached = Math.min(cachedTokens, inputTokens)
    return (inputTokens - cached) * rates.input + cached * rates.cached + outputTokens * rates.output
  }

  audio(target: string, ms: number): number | null {
    const minute = this.#minute(target)
    return minute === null ? null : (minute * ms) / 60_000
  }

  characters(target: string, count: number): number | null {
    const thousand = this.#thousandChars(target)
    return thousand === null ? null : (thousand * count) / 1000
  }

  #minute(target: string): number | null {
    if (isHere(target)) return 0
    return own(this.#settings, target)?.usdPerMinute ?? listed(target)?.usdPerMinute ?? null
  }

  #thousandChars(target: string): number | null {
    if (isHere(target)) return 0
    return own(this.#settings, target)?.usdPerThousandChars ?? listed(target)?.usdPerThousandChars ?? null
  }

  #ratesOf(target: string): Rates | null {
    const known = this.#rates.get(target)
    if (known !== undefined) return known
    const rates = this.#settingRates(target) ?? catalogueRates(target)
    if (this.#rates.size < MAX_KNOWN) this.#rates.set(target, rates)
    return rates
  }

  #settingRates(target: string): Rates | null {
    if (isHere(target)) return FREE
    const setting = own(this.#settings, target)
    const { usdPerMillionInputTokens: input, usdPerMillionOutputTokens: output } = setting ?? {}
    if (input === undefined && output === undefined) return null
    const inputRate = (input ?? 0) / 1e6
    return { input: inputRate, output: (output ?? 0) / 1e6, cached: inputRate }
  }
}

/** Null for a provider or a model that the catalogue does not have: a guess by the model's name could be somebody else's price. */
function catalogueRates(target: string): Rates | null {
  const [providerId, model] = parts(target)
  try {
    if (!findProvider({ providerId })) return null
    const usd = (usage: Parameters<typeof calcPrice>[0]) =>
      calcPrice(usage, model, { providerId })?.total_price
    const input = usd({ input_tokens: SAMPLE })
    const output = usd({ input_tokens: 0, output_tokens: SAMPLE })
    const cached = usd({ input_tokens: SAMPLE, cache_read_tokens: SAMPLE })
    if (input === undefined || output === undefined) return null
    return { input: input / SAMPLE, output: output / SAMPLE, cached: (cached ?? input) / SAMPLE }
  } catch {
    // A model whose prices have a form of their own.
    return null
  }
}

function listed(target: string) {
  return own(SPEECH_PRICES, target) ?? own(SPEECH_PRICES, `${parts(target)[0]}/*`)
}

function isHere(target: string): boolean {
  return target.startsWith('local/')
}

function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined
}

function parts(target: string): readonly [string, string] {
  const slash = target.indexOf('/')
  return [target.slice(0, slash), target.slice(slash + 1)]
}
