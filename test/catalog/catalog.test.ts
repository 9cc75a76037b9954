/** The catalogue that comes with Parley: what must be in it, and how a model is found by its many names. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { render } from '../../scripts/catalog/render.ts'
import { builtInCatalog } from '../../src/catalog/builtin.ts'
import { Catalog } from '../../src/catalog/catalog.ts'
import { catalogFile, catalogJsonSchema, modelFields } from '../../src/catalog/fields.ts'
import { bareName, canonicalProvider } from '../../src/catalog/names.ts'
import { RECOGNISERS } from '../../src/catalog/recognisers.ts'
import { rowsOfSettings } from '../../src/catalog/rows.ts'
import { VOICES } from '../../src/catalog/voices.ts'

const text = readFileSync('catalog/models.json', 'utf8')
const catalog = builtInCatalog()

describe('the built-in catalogue', () => {
  test('fits its own schema, is sorted, a line a model, and small', () => {
    const file = catalogFile.parse(JSON.parse(text))
    expect(render(file)).toBe(text)
    expect(text.length).toBeLessThan(600_000)
  })

  test('its published JSON Schema is the one that is checked', () => {
    expect(JSON.parse(readFileSync('catalog/schema.json', 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(catalogJsonSchema())),
    )
  })

  test('has 600 language models of 25 providers, most of them with a price, and forty of speech', () => {
    const all = [...catalog.all()]
    const llms = all.filter(({ kind }) => kind === 'llm')
    expect(llms.length).toBeGreaterThan(600)
    expect(new Set(llms.map(({ provider }) => provider)).size).toBeGreaterThanOrEqual(25)
    expect(llms.filter(({ cost }) => cost).length).toBeGreaterThan(0.9 * llms.length)
    expect(all.filter(({ kind }) => kind === 'stt' || kind === 'tts').length).toBeGreaterThanOrEqual(40)
  })

  test('every price says where it was read and when', () => {
    for (const entry of catalog.all()) {
      if (!entry.cost) continue
      expect(entry.asOf, entry.id).toMatch(/^\d{4}-\d{2}-\d{2}$/)
      expect(entry.source.length, entry.id).toBeGreaterThan(8)
    }
  })

  test('the tables of speech have nothing that their schema does not know, nor two names for one model', () => {
    const names = new Set<string>()
    for (const [target, fields] of Object.entries({ ...RECOGNISERS, ...VOICES })) {
      expect(modelFields.safeParse(fields).error, target).toBeUndefined()
      for (const name of [target, ...(fields.aliases ?? []).map((id) => `${target.split('/')[0]}/${id}`)]) {
        expect(names.has(name), name).toBe(false)
        names.add(name)
      }
    }
  })

  test('no price is out of all proportion: a unit taken for another shows', () => {
    for (const { cost, id, kind } of catalog.all()) {
      if (kind === 'llm' && cost) expect(cost.input ?? 0, id).toBeLessThanOrEqual(200)
      expect(cost?.usdPerAudioMinuteIn ?? 0, id).toBeLessThan(0.1)
      expect(cost?.usdPerThousandChars ?? 0, id).toBeLessThan(0.5)
    }
  })
})

describe('a model is found', () => {
  test('by its id, by another id of the same model, by any name of its provider', () => {
    expect(catalog.find('openai', 'gpt-4o-mini')?.cost).toMatchObject({ input: 0.15, output: 0.6 })
    expect(catalog.find('openai', 'gpt-4o-mini-2024-07-18')?.id).toBe('gpt-4o-mini')
    expect(catalog.find('gemini', 'gemini-2.5-flash')).toBe(catalog.find('google', 'gemini-2.5-flash'))
    expect(catalog.find('x-ai', 'grok-4.5')).toBe(catalog.find('xai', 'grok-4.5'))
    expect(catalog.target('openrouter/openai/gpt-4o-mini')?.provider).toBe('openrouter')
  })

  test('as a dated snapshot, at the price of its model', () => {
    expect(catalog.find('anthropic', 'claude-sonnet-4-5-20990101')?.id).toBe('claude-sonnet-4-5')
  })

  test('and not by a likeness, nor by a name that every object has', () => {
    expect(catalog.find('openai', 'gpt-4o-mini-turbo')).toBeUndefined()
    expect(catalog.find('openai', 'constructor')).toBeUndefined()
    expect(catalog.find('__proto__', 'x')).toBeUndefined()
    expect(catalog.target('gpt-4o')).toBeUndefined()
  })

  test('by its bare name at every provider, its maker first', () => {
    expect(catalog.byName('gpt-4o-mini').map(({ provider }) => provider)).toEqual(
      expect.arrayContaining(['openai', 'azure', 'openrouter']),
    )
    for (const [name, maker] of [
      ['gpt-4o-mini', 'openai'],
      ['claude-sonnet-4-5', 'anthropic'],
      ['claude-sonnet-4.5', 'anthropic'],
      ['gemini-2.5-flash', 'google'],
      ['grok-4.5', 'xai'],
    ] as const) {
      expect(catalog.byName(name)[0]?.provider, name).toBe(maker)
    }
    expect(catalog.byName('claude-sonnet-4-5')[0]?.id).toBe('claude-sonnet-4-5')
    // Open weights: those who run them come before those who pass requests on.
    const llama = catalog.byName('meta-llama/llama-3.3-70b-instruct').map(({ provider }) => provider)
    expect(llama.indexOf('novita')).toBeLessThan(llama.indexOf('openrouter'))
    expect(llama).toContain('openrouter')
    expect(catalog.byName('no-such-model')).toEqual([])
    expect(catalog.byName('toString')).toEqual([])
  })

  test('bare names are the same wherever a model runs, and a variant is another model', () => {
    expect(bareName('anthropic/claude-sonnet-4.5')).toBe('claude-sonnet-4-5')
    expect(bareName('us.anthropic.claude-sonnet-4-5-20250929-v1:0', 'amazon-bedrock')).toBe(
      'claude-sonnet-4-5',
    )
    expect(bareName('gpt-4o-2024-08-06')).toBe('gpt-4o')
    expect(bareName('deepseek/deepseek-r1:free')).toBe('deepseek-r1:free')
    expect(canonicalProvider('Gemini')).toBe('google')
    expect(canonicalProvider('my-vllm')).toBe('my-vllm')
  })
})

test('an operator’s entry under an alias of a provider corrects the entry it means', () => {
  const mine = new Catalog({
    builtIn: rowsOfSettings({
      'google/gemini-x': { name: 'X', cost: { input: 1, output: 2 }, source: 'list' },
    }),
    operator: rowsOfSettings({ 'gemini/gemini-x': { limit: { context: 5 }, cost: { output: 3 } } }),
  })
  expect(mine.find('google', 'gemini-x')).toMatchObject({
    name: 'X',
    contextTokens: 5,
    cost: { input: 1, output: 3 },
    source: 'catalog in parley.yaml',
    asOf: null,
  })
})
