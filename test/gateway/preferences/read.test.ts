import { describe, expect, test } from 'vitest'
import { readPreferences } from '../../../src/gateway/preferences/read.ts'
import { read, refusal, tried } from './reading.ts'

const MODEL = { model: 'openai/gpt-4o' }

describe('a plain request', () => {
  test('asks for its model and for nothing else', () => {
    const { preferences, rest } = readPreferences({ ...MODEL, messages: [], temperature: 0 }, {})
    expect(tried(preferences)).toEqual(['openai/gpt-4o'])
    expect(preferences).toMatchObject({
      auto: false,
      only: [],
      sort: [],
      allowFallbacks: true,
      firstTokenMs: null,
      retry: null,
      user: null,
      metadata: {},
      dialects: [],
      tellsRouting: false,
      ignored: [],
    })
    expect(rest).toEqual({ extensions: [], body: { ...MODEL, messages: [], temperature: 0 } })
  })

  test('without a model has no plan, and a body that is none is refused', () => {
    expect(readPreferences({}, {}).preferences.plan).toBeNull()
    expect(refusal('text')).toBe('body: must be an object')
    expect(refusal({ model: 7 })).toBe('model: must be a text')
    expect(refusal({ model: 'a b' })).toBe('model: must be a name without blanks')
  })
})

describe('what reaches the provider', () => {
  test('is the body without its routing members, byte for byte the rest', () => {
    const own = {
      ...MODEL,
      messages: [{ role: 'user', content: 'Hi' }],
      tools: [],
      logprobs: true,
      seed: 1,
      future: {},
    }
    const routing = {
      models: ['groq/x'],
      provider: { sort: 'price' },
      route: 'fallback',
      session_id: 's',
      extra_body: {},
      num_retries: 1,
      timeout: 3,
      parley: { resume: true },
      providerOptions: { openai: { x: 1 } },
    }
    const { rest } = readPreferences({ ...own, ...routing }, {})
    expect(rest.body).toEqual(own)
    expect([...rest.extensions].sort()).toEqual(Object.keys(routing).sort())
  })

  test("OpenAI's own metadata of texts stays; metadata of another kind was meant for a gateway", () => {
    const texts = { ...MODEL, metadata: { tier: 'premium' } }
    expect(readPreferences(texts, {}).rest).toEqual({ extensions: [], body: texts })
    expect(readPreferences({ ...MODEL, metadata: { tags: ['a'] } }, {}).rest).toEqual({
      extensions: ['metadata'],
      body: MODEL,
    })
  })
})

describe('OpenRouter', () => {
  test('models are tried in their order, the first being the model', () => {
    expect(tried(read({ models: ['openai/gpt-4o', 'groq/llama', 'support'] }))).toEqual([
      'openai/gpt-4o',
      'groq/llama',
      'support',
    ])
    expect(tried(readPreferences({ models: ['a/b', 'c/d'] }, {}).preferences)).toEqual(['a/b', 'c/d'])
    expect(tried(read({ models: ['@groq/x'] }))).toEqual(['openai/gpt-4o', 'groq/x'])
    expect(refusal({ models: 'a/b' })).toBe('models: must be a list')
    expect(refusal({ models: ['a/b', 3] })).toBe('models[1]: must be a text')
    expect(refusal({ models: [null] })).toBe('models[0]: is missing')
    expect(refusal({ models: Array(17).fill('a/b') })).toBe('models: has more than 16 entries')
  })

  test('fallbacks of an Anthropic request, which take a model each', () => {
    expect(tried(read({ fallbacks: [{ model: 'groq/llama' }] }, {}, { api: 'anthropic' }))).toEqual([
      'openai/gpt-4o',
      'groq/llama',
    ])
    expect(refusal({ ...MODEL, models: ['a/b'], fallbacks: [{ model: 'c/d' }] })).toBe(
      'fallbacks: says what models says already: send one of them',
    )
  })

  test('provider preferences', () => {
    expect(
      read({
        provider: {
          order: ['Anthropic', 'openai/gpt-4o'],
          only: ['openai'],
          ignore: ['groq'],
          sort: { by: 'throughput', partition: 'none' },
          max_price: { prompt: '1.5', completion: 3 },
          require_parameters: true,
          allow_fallbacks: false,
          data_collection: 'allow',
          zdr: false,
          enforce_distillable_text: null,
          quantizations: [],
          preferred_min_throughput: 50,
          preferred_max_latency: { p50: 0.4, p90: 2 },
        },
      }),
    ).toMatchObject({
      order: ['anthropic', 'openai/gpt-4o'],
      only: ['openai'],
      ignore: ['groq'],
      sort: [{ key: 'throughput', worstFirst: false, asked: 'throughput' }],
      partition: 'none',
      maxPrice: { prompt: 1.5, completion: 3 },
      requireParameters: true,
      allowFallbacks: false,
      minThroughput: { p50: 50 },
      maxLatencyMs: { p50: 400, p90: 2000 },
      dialects: ['openrouter'],
      ignored: [],
    })
    expect(read({ provider: { sort: 'price' } }).sort).toEqual([
      { key: 'price', worstFirst: false, asked: 'price' },
    ])
  })

  test.each([
    [{ data_collection: 'deny' }, 'provider.data_collection: cannot be kept here'],
    [{ zdr: true }, 'provider.zdr: cannot be kept here'],
    [{ enforce_distillable_text: true }, 'provider.enforce_distillable_text: cannot be kept here'],
    [{ quantizations: ['fp8'] }, 'provider.quantizations: cannot be kept here'],
    [
      { max_price: { image: 1 } },
      'provider.max_price.image: cannot be kept here: only prices of tokens are known',
    ],
    [{ max_price: { request: 1 } }, 'provider.max_price.request: cannot be kept here'],
    [{ max_price: { audio: 1 } }, 'provider.max_price.audio: cannot be kept here'],
    [{ max_price: { prompt: -1 } }, 'provider.max_price.prompt: must be between'],
    [{ sort: 'exacto' }, 'provider.sort: must be one of price,'],
    [{ sort: ['price'] }, 'provider.sort: must be a text or an object'],
    [{ sort: { by: 'price', partition: 'all' } }, 'provider.sort.partition: must be one of model, none'],
    [{ order: 'openai' }, 'provider.order: must be a list'],
    [{ only: [''] }, 'provider.only[0]: is empty'],
    [{ allow_fallbacks: 'no' }, 'provider.allow_fallbacks: must be true or false'],
    [{ preferred_max_latency: 'fast' }, 'provider.preferred_max_latency: must be an object'],
    [{ preferred_max_latency: { p90: '1' } }, 'provider.preferred_max_latency.p90: must be a number'],
  ])('%j is refused', (provider, why) => {
    expect(refusal({ ...MODEL, provider })).toContain(why)
  })

  test('suffixes: two are followed, one is refused, others are part of the name', () => {
    const wish = (model: string) => {
      const { plan } = readPreferences({ model }, {}).preferences
      return plan?.type === 'model' ? [plan.wish.name, plan.wish.sort?.key ?? null] : null
    }
    expect(wish('meta/llama:floor')).toEqual(['meta/llama', 'price'])
    expect(wish('meta/llama:nitro')).toEqual(['meta/llama', 'throughput'])
    expect(wish('ollama/llama3.2:3b')).toEqual(['ollama/llama3.2:3b', null])
    for (const suffix of ['free', 'extended', 'thinking'])
      expect(wish(`a/b:${suffix}`)).toEqual([`a/b:${suffix}`, null])
    expect(refusal({ model: 'a/b:online' })).toBe('model: ends in :online, and there is no web search here')
    // OpenRouter itself follows them.
    expect(wish('openrouter/a/b:online')).toEqual(['openrouter/a/b:online', null])
    expect(wish('openrouter/a/b:floor')).toEqual(['openrouter/a/b:floor', null])
  })

  test('a session, in the body or a header, and the opt-in to metadata under both its names', () => {
    expect(read({ session_id: 'call-7' }, { 'x-session-id': 'other' }).session).toBe('call-7')
    expect(read({}, { 'x-session-id': 'other' }).session).toBe('other')
    expect(read({}, { 'x-openrouter-experimental-metadata': 'Enabled' })).toMatchObject({
      tellsRouting: true,
      dialects: ['openrouter'],
    })
    expect(read({}, { 'x-openrouter-metadata': 'enabled' }).tellsRouting).toBe(true)
    expect(read({}, { 'x-openrouter-metadata': 'yes' }).tellsRouting).toBe(false)
  })

  test('what changes a request on its way is refused, what only watches is read past', () => {
    expect(refusal({ ...MODEL, plugins: [{ id: 'web' }] })).toContain('plugins: cannot be done here')
    expect(refusal({ ...MODEL, transforms: ['middle-out'] })).toContain('transforms: cannot be done here')
    expect(
      read({ plugins: [], transforms: [], trace: {}, usage: { include: true }, debug: {} }).ignored,
    ).toEqual(['trace', 'usage', 'debug'])
    expect(refusal({ ...MODEL, route: 'sort' })).toBe('route: must be one of fallback')
    expect(read({ route: 'fallback', provider: { someday: 1 } }).ignored).toEqual(['provider.someday'])
  })
})

describe('Inworld', () => {
  test('under extra_body, or at the top where an SDK has merged it', () => {
    const members = {
      models: ['anthropic/claude', 'groq/llama'],
      ignore: ['Groq'],
      sort: ['price', { metric: 'intelligence', direction: 'ASC' }, 'latency:desc'],
      fallback: { ttft_timeout: '1.5s' },
    }
    for (const body of [{ extra_body: members }, members]) {
      const preferences = read(body)
      expect(preferences).toMatchObject({
        ignore: ['groq'],
        sort: [
          { key: 'price', worstFirst: false },
          { key: 'quality', worstFirst: true, asked: 'intelligence' },
          { key: 'latency', worstFirst: true },
        ],
        firstTokenMs: 1500,
        dialects: ['inworld'],
      })
      expect(tried(preferences)).toEqual(['openai/gpt-4o', 'anthropic/claude', 'groq/llama'])
    }
  })

  test('auto chooses from the pool, or from what the server has', () => {
    const pool = read({ model: 'auto', extra_body: { models: ['a/b', 'c/d'], sort: ['math'] } })
    expect(pool).toMatchObject({ auto: true, sort: [{ key: 'quality', asked: 'math' }] })
    expect(tried(pool)).toEqual(['a/b', 'c/d'])
    expect(tried(read({ model: 'auto' }))).toEqual(['auto'])
    // A suffix is for the whole pool; a model that happens to be called so at a provider is none.
    expect(read({ model: 'auto:floor', models: ['a/b'] }).sort).toEqual([
      { key: 'price', worstFirst: false, asked: ':floor' },
    ])
    expect(refusal({ model: 'auto:floor', sort: ['latency'] })).toContain(
      'model: says what sort says already',
    )
    expect(read({ model: 'auto' }, { 'x-portkey-provider': 'groq' })).toMatchObject({
      auto: false,
      plan: { wish: { name: 'groq/auto' } },
    })
    expect(read({ model: 'inworld/support' }).dialects).toEqual(['inworld'])
  })

  test.each([
    [{ fallback: { ttft_timeout: '299ms' } }, 'fallback.ttft_timeout: must be at least 300ms'],
    [{ fallback: { ttft_timeout: 500 } }, 'fallback.ttft_timeout: must be a duration such as'],
    [{ fallback: 'fast' }, 'fallback: must be an object'],
    [{ sort: ['speed'] }, 'sort[0]: must be one of price,'],
    [{ sort: ['price:up'] }, 'sort[0]: has a direction that is neither asc nor desc'],
    [{ extra_body: { web_search: { engine: 'exa' } } }, 'extra_body.web_search: cannot be done here'],
    [{ extra_body: { web_search_options: {} } }, 'extra_body.web_search_options: cannot be done here'],
    [{ web_search: true }, 'web_search: cannot be done here: nobody searches the web'],
    [
      { messages: [{}, { compression: { aggressiveness: 0.5 } }] },
      'messages[1].compression: cannot be done here',
    ],
    [{ extra_body: { sort: ['price'] }, sort: ['latency'] }, 'sort: says what extra_body.sort says already'],
  ])('%j is refused', (body, why) => {
    expect(refusal({ ...MODEL, ...body })).toContain(why)
  })

  test("what asks for nothing passes, and OpenAI's own web_search_options is the provider's", () => {
    const body = { ...MODEL, web_search_options: {}, messages: [{ compression: null }] }
    expect(readPreferences({ ...body, web_search: false }, {}).rest.body).toEqual(body)
    expect(read({ extra_body: { top_k: 3 } }).ignored).toEqual(['extra_body.top_k'])
  })
})

describe('LiteLLM', () => {
  test('fallbacks as names, as models with parameters, as maps from the model', () => {
    const preferences = read({
      fallbacks: [
        'groq/llama',
        { model: 'support', temperature: 0.2 },
        { 'openai/gpt-4o': ['a/b'], other: ['c/d'] },
      ],
    })
    expect(tried(preferences)).toEqual(['openai/gpt-4o', 'groq/llama', 'support', 'a/b'])
    expect(JSON.stringify(preferences.plan)).toContain('{"temperature":0.2}')
    expect(tried(read({ fallbacks: [{ '*': ['c/d'] }] }))).toEqual(['openai/gpt-4o', 'c/d'])
    expect(tried(read({ model: 'openai/gpt-4o:floor', fallbacks: [{ 'openai/gpt-4o': ['c/d'] }] }))).toEqual([
      'openai/gpt-4o',
      'c/d',
    ])
  })

  test('fallbacks for what a model declines', () => {
    const { instead } = read({
      context_window_fallbacks: [{ 'openai/gpt-4o': ['google/gemini'] }],
      content_policy_fallbacks: ['local/llama'],
    })
    expect(instead.context_overflow?.map(({ name }) => name)).toEqual(['google/gemini'])
    expect(instead.content_refusal?.map(({ name }) => name)).toEqual(['local/llama'])
  })

  test('times are seconds, and headers outrank the body', () => {
    expect(read({ num_retries: 2, timeout: 10, stream_timeout: 0.5 })).toMatchObject({
      retry: { attempts: 2, on: null },
      timeoutMs: 10_000,
      firstTokenMs: 500,
      dialects: ['litellm'],
    })
    const headers = {
      'x-litellm-num-retries': '0',
      'x-litellm-timeout': '7.5',
      'x-litellm-stream-timeout': '1',
    }
    expect(read({ num_retries: 2, timeout: 10, stream_timeout: 0.5 }, headers)).toMatchObject({
      retry: { attempts: 0 },
      timeoutMs: 7500,
      firstTokenMs: 1000,
    })
    expect(read({ request_timeout: 3 }).timeoutMs).toBe(3000)
  })

  test('fallbacks can be switched off', () => {
    expect(read({ disable_fallbacks: true }).allowFallbacks).toBe(false)
    expect(refusal({ ...MODEL, disable_fallbacks: true, fallbacks: ['a/b'] })).toBe(
      'fallbacks: cannot go with disable_fallbacks',
    )
  })

  test.each([
    [{ num_retries: 11 }, 'num_retries: must be between 0 and 10'],
    [{ num_retries: 1.5 }, 'num_retries: must be a whole number'],
    [{ timeout: 'soon' }, 'timeout: must be a number'],
    [{ timeout: 1, request_timeout: 2 }, 'request_timeout: says what timeout says already'],
    [{ stream_timeout: 0 }, 'stream_timeout: must be between'],
    [
      { fallbacks: [{ model: 'a/b', api_base: 'http://x' }] },
      "fallbacks[0].api_base: is not taken: the server's settings",
    ],
    [{ fallbacks: [{ model: 'a/b', messages: [] }] }, 'fallbacks[0].messages: is the same for all models'],
    [
      { fallbacks: [{ model: 'a/b', models: [] }] },
      'fallbacks[0].models: routes, and cannot be set for one model',
    ],
    [{ fallbacks: [{}] }, 'fallbacks[0]: names no model'],
    [{ fallbacks: [{ a: 'b' }] }, 'fallbacks[0].*: must be a list'],
    [{ fallbacks: [null] }, 'fallbacks[0]: is missing'],
    [{ mock_testing_fallbacks: true }, 'mock_testing_fallbacks: cannot be done here'],
    [{ drop_params: 'yes' }, 'drop_params: must be true or false'],
    [{ tags: 'a' }, 'tags: must be a list'],
  ])('%j is refused', (body, why) => {
    expect(refusal({ ...MODEL, ...body })).toContain(why)
  })
})

describe('Vercel', () => {
  const gateway = (options: object) => ({ providerOptions: { gateway: options } })

  test('order, only, models, sort, has', () => {
    const preferences = read(
      gateway({
        order: ['Bedrock'],
        only: ['bedrock', 'openai'],
        models: ['a/b'],
        sort: 'ttft',
        has: ['tool-use', 'structured-output'],
        user: 'anna',
        tags: ['blue'],
        caching: 'auto',
      }),
    )
    expect(preferences).toMatchObject({
      order: ['bedrock'],
      only: ['bedrock', 'openai'],
      sort: [{ key: 'latency', asked: 'ttft' }],
      capabilities: ['tools', 'json'],
      user: 'anna',
      metadata: { tags: ['blue'] },
      dialects: ['vercel'],
      ignored: ['providerOptions.gateway.caching'],
    })
    expect(tried(preferences)).toEqual(['openai/gpt-4o', 'a/b'])
    expect(read(gateway({ sort: 'cost' })).sort[0]?.key).toBe('price')
    expect(read(gateway({ sort: 'tps' })).sort[0]?.key).toBe('throughput')
  })

  test.each([
    [{ zeroDataRetention: true }, 'zeroDataRetention: cannot be kept here'],
    [{ disallowPromptTraining: true }, 'disallowPromptTraining: cannot be kept here'],
    [{ headquarters: ['eu'] }, 'headquarters: cannot be kept here'],
    [{ providerTimeouts: { byok: { openai: 15000 } } }, 'providerTimeouts: cannot be kept here'],
    [{ serviceTier: 'flex' }, 'serviceTier: cannot be kept here'],
    [
      { byok: { openai: [{ apiKey: 'x' }] } },
      "byok: is not taken: the server calls with its own settings' credentials",
    ],
    [{ has: ['implicit-caching'] }, 'has[0]: is not known of any target here'],
    [{ sort: 'cheap' }, 'sort: must be one of'],
  ])('%j is refused', (options, why) => {
    expect(refusal({ ...MODEL, ...gateway(options) })).toContain(`providerOptions.gateway.${why}`)
  })
})

describe('our own', () => {
  test('member and header', () => {
    expect(
      read({
        parley: {
          pipeline: 'router/support',
          resume: false,
          firstTokenMs: 800,
          timeoutMs: 20_000,
          hedge: 'p95',
        },
      }),
    ).toMatchObject({
      pipeline: 'support',
      resume: false,
      firstTokenMs: 800,
      timeoutMs: 20_000,
      hedge: 'p95',
    })
    expect(read({ parley: { hedge: false } }).hedge).toBe('off')
    expect(read({ parley: { hedge: 300 } }).hedge).toEqual({ ms: 300 })
    expect(read({}, { 'x-parley-pipeline': 'inworld/phone' }).pipeline).toBe('phone')
    // The header is a proxy's, the body is the request's own.
    expect(read({ parley: { pipeline: 'mine' } }, { 'x-parley-pipeline': 'phone' }).pipeline).toBe('mine')
  })

  test.each([
    [{ pipelines: 'x' }, 'parley: has a member that is none of pipeline, resume,'],
    [{ hedge: true }, 'parley.hedge: must be false, milliseconds, or one of p50'],
    [{ hedge: 0 }, 'parley.hedge: must be between'],
    [{ firstTokenMs: 1.5 }, 'parley.firstTokenMs: must be a whole number'],
    [{ timeoutMs: 1e9 }, 'parley.timeoutMs: must be between 1 and 86400000'],
    [{ resume: 'yes' }, 'parley.resume: must be true or false'],
    [{ pipeline: '' }, 'parley.pipeline: is empty'],
  ])('%j is refused', (parley, why) => {
    expect(refusal({ ...MODEL, parley })).toContain(why)
  })

  test('two dialects may not say the same thing, for one of them would be ignored', () => {
    expect(refusal({ ...MODEL, parley: { firstTokenMs: 500 }, stream_timeout: 1 })).toBe(
      'stream_timeout: says what parley.firstTokenMs says already: send one of them',
    )
    expect(refusal({ ...MODEL, ignore: ['a'], provider: { ignore: ['b'] } })).toContain(
      'provider.ignore says already',
    )
  })
})

describe('who asks, and about what', () => {
  test('metadata: the body over the headers, the more particular over the general', () => {
    const headers = {
      'x-portkey-metadata': '{"a":1,"b":1,"c":1,"d":1}',
      'x-parley-metadata': '{"b":2,"c":2,"d":2}',
    }
    const body = { metadata: { c: '3', d: '3' }, extra_body: { metadata: { d: 4 } } }
    expect(read(body, headers).metadata).toEqual({ a: 1, b: 2, c: '3', d: 4 })
  })

  test('tags are metadata', () => {
    expect(read({ tags: ['x'] }).metadata).toEqual({ tags: ['x'] })
    expect(read({}, { 'x-litellm-tags': 'x, y' }).metadata).toEqual({ tags: ['x', 'y'] })
    expect(read({ metadata: { tags: ['z'] } }).metadata).toEqual({ tags: ['z'] })
  })

  test('the user, from wherever a client says it; a cache key and a safety identifier name nobody', () => {
    expect(read({ user: 'anna' }, { 'x-litellm-end-user-id': 'b' }).user).toBe('anna')
    expect(read({}, { 'x-litellm-customer-id': 'b' }).user).toBe('b')
    expect(read({}, { 'x-litellm-end-user-id': 'b' }).user).toBe('b')
    expect(read({}, { 'x-portkey-metadata': '{"_user":"c"}' }).user).toBe('c')
    expect(read({ metadata: { user_id: 'd' } }, {}, { api: 'anthropic' }).user).toBe('d')
    expect(read({ metadata: { user_id: 'd' } }).user).toBeNull()
    expect(read({ safety_identifier: 's', prompt_cache_key: 'p' }).user).toBeNull()
  })

  test.each([
    [{ metadata: 'x' }, {}, 'metadata: must be an object'],
    [{ metadata: { a: { b: { c: { d: { e: 1 } } } } } }, {}, 'metadata: is nested deeper than 4 levels'],
    [{ metadata: { a: 'x'.repeat(17_000) } }, {}, 'metadata: holds more than 16384 characters'],
    [{ metadata: { ['x'.repeat(65)]: 1 } }, {}, 'metadata: has a name longer than 64 characters'],
    [{ user: 7 }, {}, 'user: must be a text'],
    [{ user: 'x'.repeat(513) }, {}, 'user: is longer than 512 characters'],
    [{}, { 'x-parley-metadata': '{' }, 'x-parley-metadata: must be a JSON object'],
    [{}, { 'x-parley-metadata': '[]' }, 'x-parley-metadata: must be an object'],
    [
      {},
      { 'x-parley-metadata': `{"a":"${'x'.repeat(16_400)}"}` },
      'x-parley-metadata: is longer than 16384 characters',
    ],
  ])('%j %j is refused', (body, headers, why) => {
    expect(refusal({ ...MODEL, ...body }, headers)).toBe(why)
  })

  test('a name like __proto__ is a name like any other', () => {
    const body = JSON.parse('{"model":"a/b","metadata":{"__proto__":"x","constructor":"y"}}')
    const { metadata } = readPreferences(body, {}).preferences
    expect(Object.entries(metadata)).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ])
  })
})

describe('nobody chooses where the server calls, or as whom', () => {
  test.each([
    'api_base',
    'base_url',
    'custom_host',
    'extra_headers',
    'user_config',
    'api_key',
    'virtual_key',
    'virtualKey',
    'customHost',
    'apiBase',
    'baseURL',
    'baseUrl',
    'azure_endpoint',
  ])('%s in a body is refused, its value is not told', (name) => {
    const told = refusal({ ...MODEL, [name]: 'https://secret.example' })
    expect(told).toContain(`${name}: is not taken`)
    expect(told).not.toContain('secret')
  })
})
