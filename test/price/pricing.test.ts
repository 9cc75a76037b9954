/** What targets cost: the operator's word first, the catalogue second, nothing guessed. */
import { expect, test } from 'vitest'
import { Catalog } from '../../src/catalog/catalog.ts'
import { loadCatalog } from '../../src/catalog/load.ts'
import { rowsOfFile, rowsOfSettings } from '../../src/catalog/rows.ts'
import { Pricing } from '../../src/price/pricing.ts'

test('a published language model by its tokens, cached ones for less', () => {
  const pricing = new Pricing()
  const whole = pricing.tokens('openai/gpt-4o-mini', { inputTokens: 1_000_000, outputTokens: 0 }) as number
  const cached = pricing.tokens('openai/gpt-4o-mini', {
    inputTokens: 1_000_000,
    outputTokens: 0,
    cachedTokens: 1_000_000,
  }) as number
  expect(whole).toBeCloseTo(0.15, 6)
  expect(cached).toBeCloseTo(0.075, 6)
  expect(pricing.tokens('openai/gpt-4o-mini', { inputTokens: 0, outputTokens: 1_000_000 })).toBeCloseTo(
    0.6,
    6,
  )
  expect(pricing.usd('llm', 'openai/gpt-4o-mini')).toBeCloseTo(0.75 * 0.15 + 0.25 * 0.6, 6)
})

test('what nobody lists costs an unknown sum, not nothing and not somebody else’s price', () => {
  const pricing = new Pricing()
  for (const target of ['my-vllm/gpt-4o-mini', 'openai/no-such-model-here', '__proto__/x', 'constructor/y']) {
    expect(pricing.usd('llm', target)).toBeNull()
    expect(pricing.tokens(target, { inputTokens: 10, outputTokens: 10 })).toBeNull()
    expect(pricing.audio(target, 1000)).toBeNull()
    expect(pricing.characters(target, 10)).toBeNull()
  }
})

test('this machine is free; the operator’s prices stand above the published ones', () => {
  const pricing = new Pricing(
    {
      'openai/gpt-4o-mini': { usdPerMillionInputTokens: 1, usdPerMillionOutputTokens: 2 },
      'my-stt/whisper': { usdPerMinute: 0.6 },
      'my-tts/kokoro': { usdPerThousandChars: 0.01 },
    },
    { 'openai/gpt-4o-mini': 0.7 },
  )
  expect(pricing.tokens('local/smollm2', { inputTokens: 1e6, outputTokens: 1e6 })).toBe(0)
  expect(pricing.tokens('openai/gpt-4o-mini', { inputTokens: 1e6, outputTokens: 1e6 })).toBeCloseTo(3, 9)
  expect(pricing.audio('my-stt/whisper', 10_000)).toBeCloseTo(0.1, 9)
  expect(pricing.characters('my-tts/kokoro', 500)).toBeCloseTo(0.005, 9)
  expect(pricing.quality('openai/gpt-4o-mini')).toBe(0.7)
  expect(pricing.quality('openai/gpt-4o')).toBeNull()
})

test('prices, then the operator’s catalogue, then the refreshed one, then the built-in', () => {
  const target = 'openai/gpt-4o-mini'
  const [builtIn, refreshed] = [1, 2].map((input) =>
    rowsOfFile({
      source: `list ${input}`,
      as_of: '2026-01-01',
      providers: { openai: { 'gpt-4o-mini': { cost: { input, output: 0, cache_read: 0.5 } } } },
    }),
  )
  const operator = rowsOfSettings({ [target]: { cost: { input: 3 } } })
  const million = { inputTokens: 1e6, outputTokens: 0 }
  expect(new Pricing({}, {}, new Catalog({ builtIn: builtIn! })).tokens(target, million)).toBe(1)
  const rows = () => [
    ...rowsOfFile({
      source: 'old',
      as_of: '2026-01-01',
      providers: { openai: { 'gpt-4o-mini': { cost: { input: 1, output: 0 } } } },
    }),
  ]
  const both = { builtIn: rows(), refreshed: [...refreshed!] }
  expect(new Pricing({}, {}, new Catalog(both)).tokens(target, million)).toBe(2)
  const three = new Catalog({ ...both, operator: [...operator] })
  expect(new Pricing({}, {}, three).tokens(target, million)).toBe(3)
  // A correction of one member leaves the others as the list has them.
  expect(three.target(target)?.cost?.cacheRead).toBe(0.5)
  const prices = { [target]: { usdPerMillionInputTokens: 4 } }
  expect(new Pricing(prices, {}, three).tokens(target, million)).toBe(4)
})

test('a price for recognition says nothing of tokens: the catalogue’s stands for those', () => {
  const pricing = new Pricing({ 'openai/gpt-4o-mini': { usdPerMinute: 1 } })
  expect(pricing.tokens('openai/gpt-4o-mini', { inputTokens: 1e6, outputTokens: 0 })).toBeCloseTo(0.15, 9)
})

test('an operator’s own model has the price and the quality that its entry says', () => {
  const catalog = loadCatalog({
    operator: { 'my-vllm/llama-3': { cost: { input: 0.1, output: 0.2 }, quality: 0.4 } },
  })
  const pricing = new Pricing({}, {}, catalog)
  expect(pricing.tokens('my-vllm/llama-3', { inputTokens: 1e6, outputTokens: 1e6 })).toBeCloseTo(0.3, 9)
  expect(pricing.quality('my-vllm/llama-3')).toBe(0.4)
})

test('speech by the minute and by the thousand characters', () => {
  const pricing = new Pricing()
  expect(pricing.audio('assemblyai/universal-streaming', 60_000)).toBeCloseTo(0.0025, 9)
  expect(pricing.audio('deepgram/nova-3', 60_000)).toBeCloseTo(0.0048, 9)
  expect(pricing.characters('elevenlabs/eleven_flash_v2_5', 1000)).toBeCloseTo(0.05, 9)
  expect(pricing.usd('tts', 'cartesia/sonic-3')).toBeCloseTo(0.0374, 9)
})
