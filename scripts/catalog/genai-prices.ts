/**
 * Models out of `@pydantic/genai-prices` (MIT): older models, providers that the first source lacks, embeddings, other ids of one
 * model, audio rates. Read 2026-11-25 in version 0.1.8.
 */
import { type ConditionalPrice, findProvider, type MatchLogic, type ModelPrice } from '@pydantic/genai-prices'
import type { ModelFields } from '../../src/catalog/fields.ts'

export const GENAI_PRICES = { package: '@pydantic/genai-prices', version: '0.1.8', asOf: '2026-09-23' }

/** The package does not list its providers. Resellers' lists are taken from the other source, which is newer. */
const PROVIDERS =
  `anthropic avian aws azure cerebras cohere deepseek fireworks google groq minimax mistral moonshotai novita
  openai ovhcloud perplexity together voyageai x-ai zai`.split(/\s+/)

/** No text comes out of them, or our own table of speech has them. */
const LEFT_OUT =
  /image|moderation|transcribe|tts|whisper|^ft:|davinci|curie|babbage|^ada$|rerank|veo|imagen|ocr/

export function readGenAiPrices(): ReadonlyMap<string, ReadonlyMap<string, ModelFields>> {
  const providers = new Map<string, Map<string, ModelFields>>()
  for (const providerId of PROVIDERS) {
    const provider = findProvider({ providerId })
    if (!provider) throw new Error(`${GENAI_PRICES.package} has no provider ${providerId} any more`)
    for (const { id, match, prices, context_window, deprecated } of provider.models) {
      if (deprecated || LEFT_OUT.test(id)) continue
      const cost = costOf(inForce(prices))
      if (!cost) continue
      const aliases = [...namesIn(match)].filter((name) => name !== id && name.length > 3).sort()
      const name = canonicalOf(providerId, id)
      const models = providers.get(name) ?? new Map<string, ModelFields>()
      providers.set(name, models)
      models.set(id, {
        ...(context_window && { limit: { context: context_window } }),
        cost,
        ...(aliases.length > 0 && { aliases }),
      })
    }
  }
  return providers
}

/** Amazon's and Google's names there stand for all they sell. */
function canonicalOf(providerId: string, model: string): string {
  if (providerId === 'aws') return 'amazon-bedrock'
  return providerId === 'google' && !/^(gemini|gemma|text-embedding)/.test(model)
    ? 'google-vertex'
    : providerId
}

/** Of prices with a beginning the newest that has begun; those of an hour of the day are left out. */
function inForce(prices: ConditionalPrice[] | ModelPrice): ModelPrice {
  if (!Array.isArray(prices)) return prices
  const begun = prices.filter(({ constraint }) => {
    if (!constraint) return true
    return constraint.type === 'start_date' && constraint.start_date <= GENAI_PRICES.asOf
  })
  return begun.at(-1)?.prices ?? {}
}

const RATES = {
  input_mtok: 'input',
  output_mtok: 'output',
  cache_read_mtok: 'cache_read',
  cache_write_mtok: 'cache_write',
  input_audio_mtok: 'input_audio',
  output_audio_mtok: 'output_audio',
} as const

function costOf(price: ModelPrice): ModelFields['cost'] {
  const base: Record<string, number> = {}
  const tiers = new Map<number, Record<string, number>>()
  for (const [key, rate] of Object.entries(RATES)) {
    const value = price[key]
    if (value === undefined) continue
    base[rate] = typeof value === 'number' ? value : value.base
    for (const { start, price: above } of typeof value === 'number' ? [] : value.tiers) {
      tiers.set(start, { ...tiers.get(start), [rate]: above })
    }
  }
  if (base['input'] === undefined) return undefined
  const list = [...tiers].sort(([a], [b]) => a - b).map(([above, rates]) => ({ above, ...rates }))
  return { ...base, ...(list.length > 0 && { tiers: list }) }
}

/** Ids that the package matches: whole ones, and beginnings, which with a date behind them are snapshots. */
function* namesIn(match: MatchLogic): Generator<string> {
  if ('or' in match) for (const one of match.or) yield* namesIn(one)
  else if ('equals' in match) yield match.equals
  else if ('starts_with' in match) yield match.starts_with.replace(/[-@:]+$/, '')
}
