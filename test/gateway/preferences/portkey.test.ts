import { describe, expect, test } from 'vitest'
import { wishesOf } from '../../../src/gateway/preferences/plan.ts'
import { readPreferences } from '../../../src/gateway/preferences/read.ts'
import { config, factsOf, read, refusal, tried } from './reading.ts'

const MODEL = { model: 'openai/gpt-4o' }
/** As an object literal the linter takes it for a promise. */
const rule = (query: object, name: string) =>
  Object.fromEntries([['query', query] as const, ['then', name] as const])
const wishes = (value: unknown, headers = {}, key = 'anna') => {
  const preferences = read({}, { ...config(value), ...headers })
  return preferences.plan ? wishesOf(preferences.plan, factsOf(preferences, {}, key)) : []
}

describe('headers', () => {
  test('a provider completes the model, however the two are written', () => {
    const named = (provider: string, model: string) =>
      tried(readPreferences({ model }, { 'x-portkey-provider': provider }).preferences)
    expect(named('openai', 'gpt-4o')).toEqual(['openai/gpt-4o'])
    expect(named('@openai', 'openai/gpt-4o')).toEqual(['openai/gpt-4o'])
    expect(named('together', 'meta/llama')).toEqual(['together/meta/llama'])
    expect(tried(read({ model: '@openai/gpt-4o' }))).toEqual(['openai/gpt-4o'])
    expect(tried(read({ model: 'gpt-4o', models: ['groq/x'] }, { 'x-portkey-provider': 'openai' }))).toEqual([
      'openai/gpt-4o',
      'groq/x',
    ])
  })

  test('retries, a time, metadata; others are read past', () => {
    const headers = {
      'x-portkey-api-key': 'pk',
      'x-portkey-retry-count': '3',
      'x-portkey-request-timeout': '9000',
      'x-portkey-metadata': '{"plan":"paid"}',
      'x-portkey-trace-id': 't',
      'x-portkey-cache': 'simple',
    }
    expect(read({}, headers)).toMatchObject({
      retry: { attempts: 3, on: null },
      timeoutMs: 9000,
      metadata: { plan: 'paid' },
      dialects: ['portkey'],
      ignored: ['x-portkey-cache'],
    })
  })

  test.each([
    [{ 'x-portkey-retry-count': '6' }, 'x-portkey-retry-count: must be between 0 and 5'],
    [{ 'x-portkey-retry-count': 'x' }, 'x-portkey-retry-count: must be a number'],
    [{ 'x-portkey-request-timeout': '0' }, 'x-portkey-request-timeout: must be between'],
    [{ 'x-portkey-custom-host': 'https://evil.example' }, 'x-portkey-custom-host: is not taken'],
    [{ 'x-portkey-virtual-key': 'vk' }, 'x-portkey-virtual-key: is not taken'],
    [{ 'x-portkey-config': 'pc-support-1' }, 'x-portkey-config: must be the config itself as JSON'],
    [{ 'x-portkey-config': '{' }, 'x-portkey-config: must be a JSON object'],
  ])('%j is refused', (headers, why) => {
    expect(refusal(MODEL, headers)).toContain(why)
  })

  test('keys may be read past where the operator says so, addresses never', () => {
    const allowed = { clientKeys: 'unused' } as const
    expect(refusal(MODEL, { 'x-portkey-virtual-key': 'vk' }, allowed)).toBe('not refused')
    expect(refusal(MODEL, config({ provider: 'openai', api_key: 'sk' }), allowed)).toBe('not refused')
    expect(refusal(MODEL, config({ custom_host: 'https://evil.example' }), allowed)).toContain(
      'x-portkey-config.custom_host: is not taken',
    )
  })
})

describe('a config', () => {
  test('of one target', () => {
    const [wish] = wishes({
      provider: '@anthropic',
      override_params: { model: 'claude', temperature: 0.1 },
      retry: { attempts: 2, on_status_codes: [429, 500, 503] },
      request_timeout: 3000,
    })
    expect(wish).toMatchObject({
      name: 'anthropic/claude',
      params: { temperature: 0.1 },
      retry: { attempts: 2, on: ['rate', 'transient'] },
      timeoutMs: 3000,
      place: 'config',
    })
    expect(
      wishes({ strategy: { mode: 'single' }, targets: [{ provider: 'a' }, { provider: 'b' }] })[0],
    ).toMatchObject({
      name: 'a/openai/gpt-4o',
      place: 'config.targets[0]',
    })
  })

  test('fallback: in order, what is above is inherited, and its status codes say when', () => {
    const list = wishes({
      strategy: { mode: 'fallback', onStatusCodes: [401, 402, 404, 408, 503] },
      override_params: { model: 'm', top_p: 0.5 },
      retry: { attempts: 1 },
      targets: [
        { provider: 'a', override_params: { top_p: 0.9 }, requestTimeout: 500 },
        { provider: 'b', overrideParams: { model: 'n' } },
      ],
    })
    expect(list).toMatchObject([
      {
        name: 'a/m',
        params: { top_p: 0.9 },
        timeoutMs: 500,
        retry: { attempts: 1 },
        place: 'config.targets[0]',
      },
      { name: 'b/n', params: { top_p: 0.5 }, timeoutMs: null, place: 'config.targets[1]' },
    ])
    expect(list[0]?.nextOn).toEqual(['auth', 'quota', 'bad_request', 'timeout', 'transient'])
  })

  test('loadbalance: by weight, always the same one for the same user', () => {
    const balanced = {
      strategy: { mode: 'loadbalance' },
      targets: [{ provider: 'a', weight: 3 }, { provider: 'b' }],
    }
    const drawn = Array.from({ length: 2000 }, (_, i) => wishes(balanced, {}, `user-${i}`))
    expect(drawn.every((list) => list.length === 1)).toBe(true)
    const share = drawn.filter(([one]) => one?.place === 'config.targets[0]').length / drawn.length
    expect(share).toBeGreaterThan(0.7)
    expect(share).toBeLessThan(0.8)
    expect(wishes(balanced, {}, 'user-1')).toEqual(wishes(balanced, {}, 'user-1'))
  })

  test('a fallback of a load balancer is whom it drew, then the rest', () => {
    const nested = {
      strategy: { mode: 'fallback', on_status_codes: [429] },
      targets: [
        {
          strategy: { mode: 'fallback', on_status_codes: [500] },
          targets: [{ provider: 'a' }, { provider: 'b' }],
        },
        { strategy: { mode: 'loadbalance' }, targets: [{ provider: 'c', weight: 0 }, { provider: 'd' }] },
      ],
    }
    expect(wishes(nested).map(({ place, nextOn }) => [place, nextOn])).toEqual([
      ['config.targets[0].targets[0]', ['transient']],
      ['config.targets[0].targets[1]', ['rate']],
      ['config.targets[1].targets[1]', ['rate']],
    ])
  })

  const conditional = {
    strategy: {
      mode: 'conditional',
      conditions: [
        rule({ 'metadata.plan': { $in: ['paid', 'gold'] } }, 'good'),
        rule({ 'params.max_tokens': { $gt: 1000 } }, 'long'),
      ],
      default: 'cheap',
    },
    targets: [
      { name: 'good', provider: 'a' },
      { name: 'cheap', provider: 'b' },
      { name: 'long', provider: 'c' },
    ],
  }

  test('conditional: the first that holds, else the default', () => {
    const name = (metadata: object) =>
      wishes(conditional, { 'x-portkey-metadata': JSON.stringify(metadata) })[0]?.place
    expect(name({ plan: 'paid' })).toBe('config.targets[0]')
    expect(name({ plan: 'free' })).toBe('config.targets[1]')
    const long = read({}, config(conditional))
    const request = { model: 'm', messages: [], tools: [], stream: false, maxTokens: 5000 }
    expect(tried(long, { request: () => request })).toEqual(['c/openai/gpt-4o'])
  })

  test('none that holds and no default is told', () => {
    const { default: _, ...strategy } = conditional.strategy
    expect(() => wishes({ ...conditional, strategy })).toThrow('has no condition that holds, and no default')
  })

  test('names and weights of targets, and what only watches, are no matter; other members are told', () => {
    const preferences = read(
      {},
      config({ cache: { mode: 'simple' }, targets: [{ name: 'x', weight: 1, cb_config: {} }] }),
    )
    expect(preferences.ignored).toEqual(['x-portkey-config.cache', 'x-portkey-config.targets[0].cb_config'])
  })

  const deep = (levels: number): object =>
    levels === 0 ? { provider: 'a' } : { targets: [deep(levels - 1)] }

  test.each([
    [{ targets: [{ custom_host: 'http://x' }] }, 'x-portkey-config.targets[0].custom_host: is not taken'],
    [
      { targets: [{ provider: 'a' }, { customHost: 'x' }], strategy: { mode: 'fallback' } },
      '.targets[1].customHost: is not',
    ],
    [{ api_key: 'sk-1' }, 'x-portkey-config.api_key: is not taken'],
    [{ virtual_key: 'vk' }, 'x-portkey-config.virtual_key: is not taken'],
    [{ override_params: { api_base: 'x' } }, 'override_params.api_base: is not taken'],
    [{ override_params: { stream: true } }, 'override_params.stream: is the same for all models'],
    [{ override_params: { provider: {} } }, 'override_params.provider: routes'],
    [{ input_guardrails: ['x'] }, 'x-portkey-config: asks for guardrails or hooks'],
    [
      { targets: [{ after_request_hooks: [{}] }] },
      'x-portkey-config.targets[0]: asks for guardrails or hooks',
    ],
    [{ strategy: { mode: 'random' }, targets: [{}] }, 'strategy.mode: must be one of single, fallback'],
    [{ strategy: 'fallback', targets: [{}] }, 'strategy: must be an object'],
    [{ targets: [3] }, 'targets[0]: must be an object'],
    [{ targets: Array(17).fill({}) }, 'targets: has more than 16 entries'],
    [deep(6), 'is nested deeper than 6 levels'],
    [{ retry: { attempts: 6 } }, 'retry.attempts: must be between 0 and 5'],
    [
      { retry: { attempts: 1, on_status_codes: [9] } },
      'retry.on_status_codes[0]: must be between 100 and 599',
    ],
    [{ request_timeout: '1s' }, 'request_timeout: must be a number'],
    [{ strategy: { mode: 'loadbalance' }, targets: [{ weight: 0 }] }, 'targets: have no weight above 0'],
    [{ strategy: { mode: 'loadbalance' }, targets: [{ weight: -1 }] }, 'targets[0].weight: must be between'],
    [
      {
        strategy: { mode: 'conditional', conditions: [rule({ 'url.pathname': 'x' }, 'a')] },
        targets: [{ name: 'a' }],
      },
      'strategy.conditions[0].query: asks for something else than metadata, params.model',
    ],
    [
      { strategy: { mode: 'conditional', conditions: [rule({}, 'b')] }, targets: [{ name: 'a' }] },
      'strategy.conditions[0].then: names no target',
    ],
    [
      { strategy: { mode: 'conditional', default: 'b' }, targets: [{ name: 'a' }] },
      'strategy.default: names no target',
    ],
    [
      { strategy: { mode: 'conditional', conditions: Array(17).fill({}) }, targets: [{ name: 'a' }] },
      'strategy.conditions: has more than 16 entries',
    ],
  ])('%j is refused', (value, why) => {
    const told = refusal(MODEL, config(value))
    expect(told).toContain(why)
    expect(told).not.toMatch(/sk-1|http/)
  })

  test('without a model anywhere is refused, and so is a list of models beside it', () => {
    expect(refusal({}, config({ provider: 'a' }))).toContain('x-portkey-config: names no model')
    expect(refusal({ ...MODEL, models: ['a/b'] }, config({ provider: 'a' }))).toContain(
      'models: cannot go with a config',
    )
  })

  test('targets are counted over all levels', () => {
    const many = {
      targets: Array(5).fill({ strategy: { mode: 'fallback' }, targets: Array(4).fill({ provider: 'a' }) }),
    }
    expect(refusal(MODEL, config({ ...many, strategy: { mode: 'fallback' } }))).toContain(
      'has more than 16 targets',
    )
  })
})
