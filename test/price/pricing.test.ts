/** What targets cost: the operator's word first, published prices second, nothing guessed. */
import { expect, test } from 'vitest'
import { Pricing } from '../../src/price/pricing.ts'
import { SPEECH_PRICES } from '../../src/price/speech.ts'

test('a published language model by its tokens, cached ones for less', () => {
  const pricing = new Pricing()
  const whole = pricing.tokens('openai/gpt-4o-mini', { inputTokens: 1_000_000, outputTokens: 0 }) as number
  const cached = pricing.tokens('openai/gpt-4o-mini', {
    inputTokens: 1_000_000,
    outputTokens: 0,
    cachedTokens: 1_000_000,
  }) as number
  expect(whole).toBeCloseTo(0.15, 6)
  expect(cached).toBeLessThan(whole)
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

test('every speech price says where it is from and when it was read', () => {
  for (const [target, price] of Object.entries(SPEECH_PRICES)) {
    expect(target).toMatch(/^[a-z]+\/\S+$/)
    expect(price.asOf).toMatch(/^\d{4}-\d{2}-\d{2}$/)
    expect(price.source.length).toBeGreaterThan(10)
    expect((price.usdPerMinute ?? 0) + (price.usdPerThousandChars ?? 0)).toBeGreaterThan(0)
  }
  expect(new Pricing().audio('assemblyai/universal-streaming', 60_000)).toBeCloseTo(0.0025, 9)
})
