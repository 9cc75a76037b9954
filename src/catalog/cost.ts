/** What a request cost, of an entry's prices. Pure. */
import type { CatalogEntry, Cost, TokenRates } from './entry.ts'

/** Parts left out were not used. */
export interface Usage {
  readonly inputTokens?: number | undefined
  readonly outputTokens?: number | undefined
  /** Part of the input, read from the provider's cache. */
  readonly cachedTokens?: number | undefined
  /** Part of the input, written into it. */
  readonly cacheWriteTokens?: number | undefined
  /** Part of the output. */
  readonly reasoningTokens?: number | undefined
  /** Part of the input, and of the output. */
  readonly inputAudioTokens?: number | undefined
  readonly outputAudioTokens?: number | undefined
  /** Recognised. */
  readonly audioInMs?: number | undefined
  /** Voiced. */
  readonly audioOutMs?: number | undefined
  readonly characters?: number | undefined
}

/** US dollars; null: the price of something that was used is not known. */
export function costOf({ cost }: Pick<CatalogEntry, 'cost'>, usage: Usage): number | null {
  if (!cost) return null
  const tokens = tokenCost(cost, usage)
  const heard = times(cost.usdPerAudioMinuteIn, (usage.audioInMs ?? 0) / 60_000)
  const voiced = voiceCost(cost, usage)
  return tokens === null || heard === null || voiced === null ? null : tokens + heard + voiced
}

/** A voice is charged by its text or by its sound, not by both. */
function voiceCost(cost: Cost, { characters = 0, audioOutMs = 0 }: Usage): number | null {
  if (characters > 0 && cost.usdPerThousandChars !== undefined) {
    return (characters / 1000) * cost.usdPerThousandChars
  }
  if (audioOutMs > 0) return times(cost.usdPerAudioMinuteOut, audioOutMs / 60_000)
  return times(cost.usdPerThousandChars, characters / 1000)
}

function tokenCost(cost: Cost, usage: Usage): number | null {
  const { inputTokens = 0, outputTokens = 0 } = usage
  if (inputTokens === 0 && outputTokens === 0) return 0
  const rates = ratesFor(cost, inputTokens)
  const input = within(inputTokens, usage.cachedTokens, usage.cacheWriteTokens, usage.inputAudioTokens)
  const output = within(outputTokens, usage.reasoningTokens, usage.outputAudioTokens)
  const [cached, written, heard] = input.parts
  const [reasoned, voiced] = output.parts
  // What has no rate of its own is charged as the rest of its side.
  const perMillion = [
    times(rates.input, input.rest),
    times(rates.cacheRead ?? rates.input, cached!),
    times(rates.cacheWrite ?? rates.input, written!),
    times(rates.inputAudio ?? rates.input, heard!),
    times(rates.output, output.rest),
    times(rates.reasoning ?? rates.output, reasoned!),
    times(rates.outputAudio ?? rates.output, voiced!),
  ]
  let sum = 0
  for (const part of perMillion) {
    if (part === null) return null
    sum += part
  }
  return sum / 1e6
}

/** The rates of a prompt of so many tokens. */
export function ratesFor(cost: Cost, inputTokens: number): TokenRates {
  const tier = cost.tiers?.findLast(({ aboveInputTokens }) => inputTokens > aboveInputTokens)
  return tier ? { ...cost, ...defined(tier) } : cost
}

/** Parts of a whole, none of them counted twice: a provider's own numbers need not add up. */
function within(whole: number, ...parts: readonly (number | undefined)[]) {
  let rest = whole
  const taken = parts.map((part = 0) => {
    const has = Math.min(Math.max(0, part), rest)
    rest -= has
    return has
  })
  return { rest, parts: taken }
}

function times(rate: number | undefined, amount: number): number | null {
  if (amount === 0) return 0
  return rate === undefined ? null : rate * amount
}

function defined(rates: TokenRates): TokenRates {
  return Object.fromEntries(Object.entries(rates).filter(([, value]) => value !== undefined))
}
