/** What the build makes of a package's models: 0 is no price unless the offer says it is free, and nothing is rounded away. */
import { expect, test } from 'vitest'
import { readGenAiPrices } from '../../scripts/catalog/genai-prices.ts'
import { fieldsOf } from '../../scripts/catalog/pi-ai.ts'
import { modelFields } from '../../src/catalog/fields.ts'

const model = (cost: object, more: object = {}) =>
  fieldsOf({
    type: 'chat',
    id: 'm',
    name: 'M',
    input: ['text'],
    cost: { input: 1, output: 2, cacheRead: 0, cacheWrite: 0, ...cost },
    ...more,
  })

test('a price of 0 is not known, unless the offer says that it is free', () => {
  expect(model({ input: 0, output: 0 }).cost).toBeUndefined()
  expect(model({ input: 0, output: 0 }, { id: 'm:free' }).cost).toEqual({ input: 0, output: 0 })
  // How a reseller writes "it depends".
  expect(model({ input: -1_000_000, output: -1_000_000 }).cost).toBeUndefined()
})

test('a cache without a price of its own is charged as input, not as nothing', () => {
  expect(model({}).cost).toEqual({ input: 1, output: 2 })
  expect(model({ cacheRead: 0.1, cacheWrite: 1.25 }).cost).toMatchObject({
    cache_read: 0.1,
    cache_write: 1.25,
  })
})

test('tiers, sizes, and what a model can', () => {
  const tiers = [
    { inputTokensAbove: 200_000, input: 2, output: 4, cacheRead: 0.30000000000000004, cacheWrite: 0 },
  ]
  expect(
    model(
      { tiers },
      {
        reasoning: true,
        input: ['text', 'image'],
        contextWindow: 1000,
        maxTokens: 100,
        compat: { supportsTemperature: false },
      },
    ),
  ).toEqual({
    name: 'M',
    tool_call: true,
    reasoning: true,
    temperature: false,
    modalities: { input: ['text', 'image'] },
    limit: { context: 1000, output: 100 },
    cost: { input: 1, output: 2, tiers: [{ above: 200_000, input: 2, output: 4, cache_read: 0.3 }] },
  })
})

test('the second package still has every provider that is asked for, each model with a price that fits', () => {
  const providers = readGenAiPrices()
  expect(providers.size).toBeGreaterThan(20)
  expect(providers.get('openai')?.get('gpt-4o')).toMatchObject({
    cost: { input: 2.5, output: 10, cache_read: 1.25 },
    aliases: ['gpt-4o-2024-08-06', 'gpt-4o-2024-11-20'],
  })
  for (const [provider, models] of providers) {
    for (const [id, fields] of models)
      expect(modelFields.safeParse(fields).error, `${provider}/${id}`).toBeUndefined()
  }
})
