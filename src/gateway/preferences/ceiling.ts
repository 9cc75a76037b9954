/** `max_price`: what a target costs for prompts and for completions, against what the client pays at most. Pure. */
import type { Costs } from '../../price/pricing.ts'
import type { MaxPrice } from './preferences.ts'

/** US dollars a million tokens; null: not known. */
export interface TokenPrices {
  readonly prompt: number | null
  readonly completion: number | null
}

export type PricesOf = (target: string) => TokenPrices

/** A thousand of each: enough to be exact, too few for the surcharges that some models have on very long prompts. */
const SAMPLE = 1000

export function pricesOf(costs: Costs): PricesOf {
  const perMillion = (usd: number | null) => (usd === null ? null : (usd / SAMPLE) * 1e6)
  return (target) => ({
    prompt: perMillion(costs.tokens(target, { inputTokens: SAMPLE, outputTokens: 0 })),
    completion: perMillion(costs.tokens(target, { inputTokens: 0, outputTokens: SAMPLE })),
  })
}

/** Why a target is too dear; null: it is not. A price that is not known may be any. */
export function tooDear(prices: TokenPrices, most: MaxPrice): string | null {
  for (const kind of ['prompt', 'completion'] as const) {
    const [price, limit] = [prices[kind], most[kind]]
    if (limit === undefined) continue
    if (price === null) return `its ${kind} price is not known, and there is a highest one`
    // Floating point: 0.00015 a thousand is not quite 0.15 a million.
    if (price > limit * (1 + 1e-9)) return `costs ${round(price)} a million ${kind} tokens, ${limit} at most`
  }
  return null
}

function round(usd: number): number {
  return Number(usd.toPrecision(6))
}
