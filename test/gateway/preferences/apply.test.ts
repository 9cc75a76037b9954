import { describe, expect, test } from 'vitest'
import { applyPreferences, type Known as Knowledge } from '../../../src/gateway/preferences/apply.ts'
import { pricesOf } from '../../../src/gateway/preferences/ceiling.ts'
import { type Choice, choicesOf } from '../../../src/gateway/preferences/choices.ts'
import { PreferenceError } from '../../../src/gateway/preferences/error.ts'
import { needsOf } from '../../../src/gateway/preferences/needs.ts'
import { wishesOf } from '../../../src/gateway/preferences/plan.ts'
import { readPreferences } from '../../../src/gateway/preferences/read.ts'
import { Pricing } from '../../../src/price/pricing.ts'
import type { Target } from '../../../src/route/candidates.ts'
import { type Known, target, targetFacts } from '../../route/facts.ts'
import { factsOf } from './reading.ts'

const FACTS: Readonly<Record<string, Known>> = {
  'openai/gpt': {
    p50Ms: 400,
    priceUsd: 5,
    quality: 0.9,
    unitsPerSecond: 80,
    capabilities: ['tools', 'json'],
  },
  'azure/gpt': { p50Ms: 300, priceUsd: 6, quality: 0.9, unitsPerSecond: 120 },
  'cheap/gpt': { p50Ms: 900, priceUsd: 1, quality: 0.9, unitsPerSecond: 20, capabilities: [] },
  'groq/llama': { p50Ms: 100, priceUsd: 0.5, quality: 0.5, unitsPerSecond: 500 },
  'local/tiny': { p50Ms: 200 },
}
/** As an endpoint would: a bare name is served by several, a pipeline has its own. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  gpt: ['openai/gpt', 'azure/gpt', 'cheap/gpt'],
  support: ['groq/llama', 'openai/gpt', 'local/tiny'],
  auto: ['local/tiny', 'cheap/gpt', 'groq/llama', 'openai/gpt'],
}

function apply(body: object, known: Partial<Knowledge<Target>> = {}, facts = FACTS) {
  const { preferences, rest } = readPreferences({ model: 'gpt', ...body }, {})
  const wishes = preferences.plan ? wishesOf(preferences.plan, factsOf(preferences)) : []
  const choices: Choice<Target>[] = choicesOf(wishes, ({ name }) =>
    Object.hasOwn(FACTS, name) ? [target(name)] : (NAMES[name]?.map(target) ?? null),
  )
  const applied = applyPreferences(choices, preferences, {
    factsOf: ({ id }) => targetFacts(facts[id]),
    needs: needsOf(rest.body),
    ...known,
  })
  return {
    ids: applied.order.map(({ id }) => id),
    refused: Object.fromEntries(applied.refused.map((one) => [one.target.id, one.why])),
    strategy: applied.strategy,
    order: applied.order,
  }
}

describe('names become targets', () => {
  test('in the order of the wishes, a target that comes again once', () => {
    expect(apply({ models: ['support', 'local/tiny'] }).ids).toEqual([
      'openai/gpt',
      'azure/gpt',
      'cheap/gpt',
      'groq/llama',
      'local/tiny',
    ])
    expect(apply({ models: ['groq/llama'] }).strategy).toEqual({
      kind: 'fallback',
      by: ['models'],
      stuckTo: null,
      lost: [],
    })
    expect(apply({}).strategy.kind).toBe('direct')
  })

  test('the same target with other parameters is another choice', () => {
    expect(apply({ model: 'groq/llama', fallbacks: [{ model: 'groq/llama', temperature: 0 }] }).ids).toEqual([
      'groq/llama',
      'groq/llama',
    ])
  })

  test('a name that nobody knows is refused, in a fallback as well', () => {
    const asked = () => apply({ models: ['groq/llama', 'gpd'] })
    expect(asked).toThrow(PreferenceError)
    expect(asked).toThrow(expect.objectContaining({ param: 'models[1]', code: 'model_not_found' }))
  })
})

describe('who may be asked', () => {
  test('only and ignore, by provider in any case or by target', () => {
    expect(apply({ provider: { only: ['OpenAI', 'cheap/gpt'] } })).toMatchObject({
      ids: ['openai/gpt', 'cheap/gpt'],
      refused: { 'azure/gpt': 'not in only' },
    })
    expect(apply({ ignore: ['openai', 'azure/GPT'] })).toMatchObject({
      ids: ['cheap/gpt'],
      refused: { 'openai/gpt': 'in ignore', 'azure/gpt': 'in ignore' },
    })
    expect(apply({ provider: { only: ['nobody'] } }).ids).toEqual([])
  })

  test('max_price, for prompts and completions apart', () => {
    const prices = new Pricing({
      'openai/gpt': { usdPerMillionInputTokens: 2.5, usdPerMillionOutputTokens: 10 },
      'azure/gpt': { usdPerMillionInputTokens: 0.15, usdPerMillionOutputTokens: 0.6 },
    })
    const within = (max_price: object) => apply({ provider: { max_price } }, { pricesOf: pricesOf(prices) })
    expect(within({ prompt: 0.15, completion: 0.6 })).toMatchObject({
      ids: ['azure/gpt'],
      refused: {
        'openai/gpt': 'costs 2.5 a million prompt tokens, 0.15 at most',
        'cheap/gpt': 'its prompt price is not known, and there is a highest one',
      },
    })
    expect(within({ completion: 5 }).refused['openai/gpt']).toBe(
      'costs 10 a million completion tokens, 5 at most',
    )
    expect(within({ prompt: 3 }).ids).toEqual(['openai/gpt', 'azure/gpt'])
    // Without prices nothing can be promised.
    expect(apply({ provider: { max_price: { prompt: 100 } } }).ids).toEqual([])
  })

  test('what the request needs is preferred, and required where it says so', () => {
    const tools = { tools: [{ type: 'function' }] }
    expect(apply(tools).refused).toEqual({ 'cheap/gpt': 'cannot do tools' })
    const json = { model: 'groq/llama', response_format: { type: 'json_schema' } }
    // Nobody can: a poor try is better than none, unless parameters are required.
    expect(apply(json).ids).toEqual(['groq/llama'])
    expect(apply({ ...json, provider: { require_parameters: true } })).toMatchObject({
      ids: [],
      refused: { 'groq/llama': 'cannot do json' },
    })
    expect(apply({ providerOptions: { gateway: { has: ['structured-output'] } } }).ids).toEqual([
      'openai/gpt',
    ])
    expect(
      apply({ logprobs: true, tools: [], provider: { require_parameters: true } }).strategy.lost,
    ).toEqual(['require_parameters: not known of any target for logprobs'])
  })

  test('without fallbacks only those of order, or the first of each model', () => {
    expect(apply({ provider: { order: ['azure', 'cheap'], allow_fallbacks: false } })).toMatchObject({
      ids: ['azure/gpt', 'cheap/gpt'],
      refused: { 'openai/gpt': 'fallbacks are not allowed' },
    })
    expect(
      apply({ provider: { sort: 'price', allow_fallbacks: false }, models: ['groq/llama'] }).ids,
    ).toEqual(['cheap/gpt', 'groq/llama'])
    // The first that may be asked, that is.
    expect(apply({ provider: { ignore: ['openai'], allow_fallbacks: false } }).ids).toEqual(['azure/gpt'])
  })
})

describe('in which order', () => {
  test('order first, in its order, then the others, sorted', () => {
    expect(apply({ provider: { order: ['cheap'] } }).ids).toEqual(['cheap/gpt', 'openai/gpt', 'azure/gpt'])
    expect(apply({ provider: { order: ['cheap', 'nobody'], sort: 'latency' } })).toMatchObject({
      ids: ['cheap/gpt', 'azure/gpt', 'openai/gpt'],
      strategy: { by: ['order', 'sort latency'] },
    })
  })

  test('sorted within each model, or all together', () => {
    const models = ['groq/llama']
    expect(apply({ models, provider: { sort: 'price' } }).ids).toEqual([
      'cheap/gpt',
      'openai/gpt',
      'azure/gpt',
      'groq/llama',
    ])
    expect(apply({ models, provider: { sort: { by: 'price', partition: 'none' } } }).ids[0]).toBe(
      'groq/llama',
    )
  })

  test('suffixes sort their own model only', () => {
    expect(apply({ model: 'gpt:floor', models: ['support'] })).toMatchObject({
      ids: ['cheap/gpt', 'openai/gpt', 'azure/gpt', 'groq/llama', 'local/tiny'],
      strategy: { by: ['models', ':floor'] },
    })
    expect(apply({ model: 'gpt:nitro' }).ids).toEqual(['azure/gpt', 'openai/gpt', 'cheap/gpt'])
  })

  test('auto: the best of the pool', () => {
    const pool = { model: 'auto', models: ['openai/gpt', 'groq/llama', 'local/tiny'] }
    expect(apply({ ...pool, sort: ['intelligence'] })).toMatchObject({
      ids: ['openai/gpt', 'groq/llama', 'local/tiny'],
      strategy: { kind: 'auto', by: ['sort intelligence'], lost: [] },
    })
    expect(apply({ model: 'auto', sort: ['price'] }).ids).toEqual([
      'groq/llama',
      'cheap/gpt',
      'openai/gpt',
      'local/tiny',
    ])
    expect(apply({ ...pool, sort: ['coding'] }).strategy.lost).toEqual([
      'sort coding: by the one table of quality, for there is none of its own',
    ])
  })

  test('the first key decides, the next breaks its ties, equals stay as they are', () => {
    const sort = ['intelligence', 'price:desc']
    expect(apply({ sort }).ids).toEqual(['azure/gpt', 'openai/gpt', 'cheap/gpt'])
    expect(apply({ sort: ['intelligence'] }).ids).toEqual(['openai/gpt', 'azure/gpt', 'cheap/gpt'])
  })

  test('what is not known comes last in either direction', () => {
    expect(apply({ model: 'auto', sort: ['price:desc'] }).ids.at(-1)).toBe('local/tiny')
    expect(apply({ model: 'auto', sort: ['throughput:asc'] }).ids.at(-1)).toBe('local/tiny')
    expect(apply({ model: 'auto', sort: [{ metric: 'intelligence', direction: 'asc' }] }).ids).toEqual([
      'groq/llama',
      'cheap/gpt',
      'openai/gpt',
      'local/tiny',
    ])
  })

  test('those beyond what is preferred come after all others, a fallback before a slow first', () => {
    const models = ['groq/llama']
    expect(apply({ models, provider: { preferred_max_latency: 0.35 } })).toMatchObject({
      ids: ['azure/gpt', 'groq/llama', 'openai/gpt', 'cheap/gpt'],
      strategy: { by: ['models', 'preferred'] },
    })
    expect(apply({ provider: { preferred_min_throughput: { p50: 50 } } }).ids.at(-1)).toBe('cheap/gpt')
    // Not measured is no reason to go back.
    expect(apply({ model: 'support', provider: { preferred_min_throughput: 100 } }).ids).toEqual([
      'groq/llama',
      'local/tiny',
      'openai/gpt',
    ])
    expect(apply({ provider: { preferred_max_latency: { p75: 1, p99: 2 } } }).strategy.lost).toEqual([
      'preferred_max_latency.p75: judged by p90',
      'preferred_max_latency.p99: judged by p95',
    ])
  })

  test('an open circuit is a last resort, whatever was asked for', () => {
    const broken = { ...FACTS, 'openai/gpt': { ...FACTS['openai/gpt'], circuit: 'open' as const } }
    expect(apply({ provider: { order: ['openai'] } }, {}, broken).ids).toEqual([
      'azure/gpt',
      'cheap/gpt',
      'openai/gpt',
    ])
  })
})

describe('a conversation stays where its prompt is cached', () => {
  const pin = { target: 'azure/gpt', why: 'cache' } as const

  test('without a preference, and with a sort', () => {
    expect(apply({}, { pin })).toMatchObject({
      ids: ['azure/gpt', 'openai/gpt', 'cheap/gpt'],
      strategy: { stuckTo: 'azure/gpt', by: ['stickiness'], lost: [] },
    })
    expect(apply({ provider: { sort: 'price' } }, { pin })).toMatchObject({
      ids: ['azure/gpt', 'cheap/gpt', 'openai/gpt'],
      strategy: { stuckTo: 'azure/gpt', by: ['sort price', 'stickiness'] },
    })
  })

  test('with an order that names it, wherever', () => {
    expect(apply({ provider: { order: ['openai', 'azure'] } }, { pin })).toMatchObject({
      ids: ['azure/gpt', 'openai/gpt', 'cheap/gpt'],
      strategy: { stuckTo: 'azure/gpt' },
    })
  })

  test.each([
    ['order names others', { provider: { order: ['cheap'] } }, 'order names others'],
    ['it is refused', { ignore: ['azure'] }, 'it is none of the targets that may be asked'],
    ['it was a fallback', { model: 'openai/gpt', models: ['gpt'] }, 'the first model can be asked'],
  ])('but not when %s, and that is told', (_, body, why) => {
    const { ids, strategy } = apply(body, { pin })
    expect(ids[0]).not.toBe('azure/gpt')
    expect(strategy).toMatchObject({ stuckTo: null, lost: [`stickiness to azure/gpt: ${why}`] })
  })

  test('nor when its circuit is open', () => {
    const broken = { ...FACTS, 'azure/gpt': { circuit: 'open' as const } }
    expect(apply({}, { pin }, broken).strategy.lost).toEqual(['stickiness to azure/gpt: its circuit is open'])
  })
})
