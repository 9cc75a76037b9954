import { describe, expect, test } from 'vitest'
import { anthropicProvider, fitBody, traitsOf } from '../../src/dialect/anthropic/index.ts'
import { fitSchema } from '../../src/dialect/anthropic/schema.ts'
import { RequestFault } from '../../src/dialect/faults.ts'
import type { ModelRequest, ReasoningPart } from '../../src/dialect/neutral.ts'

const codec = anthropicProvider({ maxTokens: 16_000 })
const encode = (request: Partial<ModelRequest>, model = 'claude-sonnet-4-5') =>
  codec.encode({ messages: [{ role: 'user', text: 'Hi' }], ...request }, { model, delivery: 'whole' })
const body = (request: Partial<ModelRequest>, model?: string) => encode(request, model).body
const messages = (list: ModelRequest['messages']) => body({ messages: list })['messages']

describe('a conversation', () => {
  test('system prompts are one text apart, wherever they stood', () => {
    const { body, dropped } = encode({
      messages: [
        { role: 'system', text: 'Be brief.' },
        { role: 'user', text: 'Hi' },
        { role: 'system', text: 'Be kind.' },
      ],
    })
    expect(body).toEqual({
      model: 'claude-sonnet-4-5',
      max_tokens: 16_000,
      system: 'Be brief.\n\nBe kind.',
      messages: [{ role: 'user', content: 'Hi' }],
    })
    expect(dropped).toEqual(['messages: the place of a system prompt'])
  })
  test('a system prompt to be cached stays in blocks', () => {
    const parts = [
      { type: 'text', text: 'Long.', cache: '1h' } as const,
      { type: 'text', text: 'Short.' } as const,
    ]
    expect(body({ messages: [{ role: 'system', text: 'Long.Short.', parts }] })['system']).toEqual([
      { type: 'text', text: 'Long.', cache_control: { type: 'ephemeral', ttl: '1h' } },
      { type: 'text', text: 'Short.' },
    ])
  })
  test('a greeting that came first, or no word at all: somebody has to begin', () => {
    const begin = { role: 'user', content: 'Begin.' }
    expect(messages([{ role: 'system', text: 'Greet.' }])).toEqual([begin])
    expect(
      messages([
        { role: 'assistant', text: 'Hello!' },
        { role: 'user', text: 'Hi' },
      ]),
    ).toEqual([begin, { role: 'assistant', content: 'Hello!' }, { role: 'user', content: 'Hi' }])
  })
  test('calls and their results: in turn, results before words', () => {
    expect(
      messages([
        { role: 'user', text: 'Weather?' },
        {
          role: 'assistant',
          text: 'Let me see.',
          toolCalls: [
            { callId: 'functions.weather:0', name: 'weather', arguments: '{"city":"Rome"}' },
            { callId: 'b', name: 'weather', arguments: '' },
            { callId: 'c', name: 'weather', arguments: '{"city":' },
          ],
        },
        { role: 'tool', callId: 'functions.weather:0', text: 'sun' },
        { role: 'user', text: 'Hurry' },
        { role: 'tool', callId: 'b', text: 'no city', failed: true },
        { role: 'tool', callId: 'c', text: '' },
      ]),
    ).toEqual([
      { role: 'user', content: 'Weather?' },
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'Let me see.' },
          { type: 'tool_use', id: 'functions_weather_0', name: 'weather', input: { city: 'Rome' } },
          { type: 'tool_use', id: 'b', name: 'weather', input: {} },
          { type: 'tool_use', id: 'c', name: 'weather', input: { INVALID_JSON: '{"city":' } },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'functions_weather_0', content: 'sun' },
          { type: 'tool_result', tool_use_id: 'b', content: 'no city', is_error: true },
          { type: 'tool_result', tool_use_id: 'c' },
          { type: 'text', text: 'Hurry' },
        ],
      },
    ])
  })
  test('images, documents, and a result that is a picture', () => {
    const picture = { type: 'base64', mediaType: 'image/png', data: 'AAAA' } as const
    const parts = [
      { type: 'text', text: 'Look', cache: '5m' },
      { type: 'image', source: { type: 'url', url: 'https://x.test/a.png' } },
      { type: 'file', mediaType: 'application/pdf', name: 'a.pdf', source: { type: 'base64', data: 'AAAA' } },
      { type: 'file', mediaType: 'application/pdf', source: { type: 'url', url: 'https://x.test/a.pdf' } },
      { type: 'file', mediaType: 'text/plain', source: { type: 'base64', data: 'w6k=' } },
    ] as const
    const [user, , results] = messages([
      { role: 'user', text: 'Look', parts },
      { role: 'assistant', text: '', toolCalls: [{ callId: 'a', name: 'see', arguments: '{}' }] },
      { role: 'tool', callId: 'a', text: '', parts: [{ type: 'image', source: picture, cache: '5m' }] },
    ]) as { content: unknown }[]
    expect(user?.content).toEqual([
      { type: 'text', text: 'Look', cache_control: { type: 'ephemeral' } },
      { type: 'image', source: { type: 'url', url: 'https://x.test/a.png' } },
      {
        type: 'document',
        source: { type: 'base64', media_type: 'application/pdf', data: 'AAAA' },
        title: 'a.pdf',
      },
      { type: 'document', source: { type: 'url', url: 'https://x.test/a.pdf' } },
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'é' } },
    ])
    expect(results?.content).toEqual([
      {
        type: 'tool_result',
        tool_use_id: 'a',
        content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } }],
        cache_control: { type: 'ephemeral' },
      },
    ])
  })
  test('what it cannot hear or read is refused, not left out', () => {
    const audio = [{ type: 'audio', format: 'wav', data: '' }] as const
    const sheet = [
      { type: 'file', mediaType: 'application/vnd.ms-excel', source: { type: 'base64', data: '' } },
    ] as const
    expect(() => messages([{ role: 'user', text: '', parts: audio }])).toThrow(RequestFault)
    expect(() => messages([{ role: 'user', text: '', parts: sheet }])).toThrow(RequestFault)
  })
  test('thoughts go back only to who signed them', () => {
    const reasoning: ReasoningPart[] = [
      { text: 'Hm', signature: 'sig', by: 'anthropic' },
      { text: '', sealed: 'dark', by: 'anthropic' },
      { text: 'Well', signature: 'other', by: 'gemini' },
      { text: 'unsigned' },
    ]
    const { body, dropped } = encode({
      messages: [
        { role: 'user', text: 'Hi' },
        { role: 'assistant', text: 'Yes', reasoning },
        { role: 'user', text: 'And?' },
      ],
    })
    expect((body['messages'] as { content: unknown }[])[1]?.content).toEqual([
      { type: 'thinking', thinking: 'Hm', signature: 'sig' },
      { type: 'redacted_thinking', data: 'dark' },
      { type: 'text', text: 'Yes' },
    ])
    expect(dropped).toEqual(['messages: thoughts that Anthropic did not sign'])
  })
  test('what an answer begins with ends without white space; an empty word is none', () => {
    expect(
      messages([
        { role: 'user', text: 'Count' },
        { role: 'assistant', text: ' ' },
        { role: 'user', text: '' },
        { role: 'assistant', text: 'One, two, ' },
      ]),
    ).toEqual([
      { role: 'user', content: 'Count' },
      { role: 'assistant', content: 'One, two,' },
    ])
  })
})

describe('tools', () => {
  const tools = [
    { name: 'f', description: 'does', parameters: { properties: {} }, cache: '5m' as const },
    { name: 'g' },
  ]
  test('their schemas are objects', () => {
    expect(body({ tools })).toMatchObject({
      tools: [
        {
          name: 'f',
          description: 'does',
          input_schema: { type: 'object', properties: {} },
          cache_control: { type: 'ephemeral' },
        },
        { name: 'g', input_schema: { type: 'object' } },
      ],
    })
  })
  test.each([
    [{ toolChoice: 'auto' }, { type: 'auto' }],
    [{ toolChoice: 'required' }, { type: 'any' }],
    [{ toolChoice: 'none', parallelToolCalls: false }, { type: 'none' }],
    [
      { toolChoice: { name: 'f' }, parallelToolCalls: false },
      { type: 'tool', name: 'f', disable_parallel_tool_use: true },
    ],
    [{ parallelToolCalls: false }, { type: 'auto', disable_parallel_tool_use: true }],
    [{ parallelToolCalls: true }, undefined],
  ] as const)('%j is %j', (asked, choice) => {
    expect(body({ tools, ...asked })['tool_choice']).toEqual(choice)
  })
  test('calls of before are declared when no tool is offered any more', () => {
    const made = body({
      toolChoice: 'auto',
      messages: [
        { role: 'user', text: 'Hi' },
        { role: 'assistant', text: '', toolCalls: [{ callId: 'a', name: 'f', arguments: '{}' }] },
        { role: 'tool', callId: 'a', text: 'x' },
      ],
    })
    expect(made).toMatchObject({ tools: [{ name: 'f' }], tool_choice: { type: 'none' } })
    expect(body({ toolChoice: 'auto' })).not.toHaveProperty('tool_choice')
  })
})

describe('thinking, by the generation of the model', () => {
  const think = (reasoning: ModelRequest['reasoning'], model: string, more: Partial<ModelRequest> = {}) => {
    const { body, dropped } = encode({ ...(reasoning && { reasoning }), ...more }, model)
    return { thinking: body['thinking'], config: body['output_config'], max: body['max_tokens'], dropped }
  }
  const adaptive = { type: 'adaptive', display: 'summarized' }
  test('a budget leaves the answer its room', () => {
    const budget = (budget_tokens: number) => ({ type: 'enabled', budget_tokens })
    const old = 'claude-haiku-4-5-20251001'
    expect(think({ effort: 'high' }, old)).toMatchObject({ thinking: budget(16_000), max: 32_000 })
    expect(think({ effort: 'high' }, old, { maxTokens: 4_000 })).toMatchObject({
      thinking: budget(2_000),
      max: 4_000,
    })
    expect(think({ maxTokens: 500 }, old)).toMatchObject({ thinking: budget(1_024), max: 17_024 })
    expect(think({ maxTokens: 9_000 }, old, { maxTokens: 3_000 })).toMatchObject({ thinking: budget(2_999) })
    expect(think({ effort: 'low' }, old, { maxTokens: 1_500 })).toEqual({
      thinking: undefined,
      config: undefined,
      max: 1_500,
      dropped: ['reasoning: maxTokens leaves no room'],
    })
  })
  test.each([
    ['claude-opus-4-6', 'minimal', 'low'],
    ['claude-opus-4-6', 'xhigh', 'high'],
    ['claude-opus-4-7', 'xhigh', 'xhigh'],
    ['claude-sonnet-5-5', 'medium', 'medium'],
  ] as const)('%s takes %s as effort %s', (model, effort, said) => {
    expect(think({ effort }, model)).toMatchObject({ thinking: adaptive, config: { effort: said } })
  })
  test('where only effort is known, a budget becomes one', () => {
    expect(think({ maxTokens: 2_000 }, 'claude-opus-5')).toMatchObject({
      thinking: adaptive,
      config: { effort: 'low' },
      dropped: ['reasoning.maxTokens: it decides by effort'],
    })
  })
  test.each([
    ['claude-sonnet-4-5', undefined, undefined],
    ['claude-opus-4-8', undefined, undefined],
    ['claude-opus-5', { type: 'disabled' }, undefined],
    ['claude-haiku-5-5', { type: 'disabled' }, undefined],
    ['claude-sonnet-5-5', { type: 'between_tools' }, undefined],
    ['claude-opus-5-5', undefined, { effort: 'low' }],
    ['claude-mythos-preview', undefined, { effort: 'low' }],
  ])('%s is told not to think by %j %j', (model, thinking, config) => {
    expect(think({ effort: 'none' }, model)).toMatchObject({ thinking, config })
  })
  test('nothing asked: nothing said, unless a tool must be called', () => {
    const forced = { toolChoice: 'required', tools: [{ name: 'f' }] } as const
    expect(think(undefined, 'claude-sonnet-5').thinking).toBeUndefined()
    expect(think(undefined, 'claude-sonnet-5', forced).thinking).toEqual({ type: 'disabled' })
    expect(think({ effort: 'high' }, 'claude-sonnet-4-5', forced)).toMatchObject({
      thinking: undefined,
      dropped: ['reasoning: not where a tool must be called'],
    })
  })
  test('calls that were made without thoughts are gone on with without', () => {
    const messages = [
      { role: 'user', text: 'Hi' },
      { role: 'assistant', text: '', toolCalls: [{ callId: 'a', name: 'f', arguments: '{}' }] },
      { role: 'tool', callId: 'a', text: 'x' },
    ] as const
    expect(think({ effort: 'low' }, 'claude-sonnet-4-5', { messages })).toMatchObject({
      thinking: undefined,
      dropped: ['reasoning: what it goes on with was made without'],
    })
    expect(think({ effort: 'low' }, 'claude-sonnet-4-6', { messages }).thinking).toEqual(adaptive)
  })
})

describe('sampling and the rest', () => {
  const sampling = (request: Partial<ModelRequest>, model: string) => {
    const { body, dropped } = encode(request, model)
    const { temperature, top_p, top_k } = body
    return [temperature, top_p, top_k, ...dropped]
  }
  const all = { temperature: 0.2, topP: 0.9, topK: 5 }
  test('as far as the model has any', () => {
    expect(sampling(all, 'claude-3-7-sonnet-20250219')).toEqual([0.2, 0.9, 5])
    expect(sampling(all, 'claude-haiku-4-5')).toEqual([0.2, undefined, 5, 'topP: not beside temperature'])
    expect(sampling({ temperature: 1.4 }, 'claude-haiku-4-5')).toEqual([
      ...[1, undefined, undefined, 'temperature: above 1'],
    ])
    expect(sampling(all, 'claude-opus-4-7')).toEqual([
      ...[undefined, undefined, undefined],
      ...['temperature: it takes none', 'topP: it takes none', 'topK: it takes none'],
    ])
    expect(sampling({ ...all, reasoning: { effort: 'low' } }, 'claude-haiku-4-5')).toEqual([
      ...[undefined, undefined, undefined],
      ...['temperature: not while it thinks', 'topP: not while it thinks', 'topK: not while it thinks'],
    ])
  })
  test('stop, user, and what has no word', () => {
    const { body, dropped } = encode({
      stop: ['END', '\n'],
      user: 'u1',
      seed: 1,
      frequencyPenalty: 1,
      presencePenalty: 1,
      topLogprobs: 2,
    })
    expect(body).toMatchObject({ stop_sequences: ['END'], metadata: { user_id: 'u1' } })
    expect(dropped).toEqual([
      ...['seed', 'frequencyPenalty', 'presencePenalty', 'topLogprobs', 'stop: white space alone'],
    ])
    expect(encode({ user: 'u'.repeat(257) }).dropped).toEqual(['user: too long'])
  })
  test('a schema is an output format; the target’s own parameters come last', () => {
    const schema = { type: 'object', properties: { a: { type: 'integer', minimum: 1 } } }
    const made = body({
      responseFormat: { type: 'schema', name: 'x', schema },
      params: { output_config: { effort: 'low' }, max_tokens: 5 },
    })
    expect(made).toMatchObject({
      max_tokens: 5,
      output_config: {
        effort: 'low',
        format: {
          type: 'json_schema',
          schema: {
            type: 'object',
            properties: { a: { type: 'integer', description: '(minimum: 1)' } },
            additionalProperties: false,
          },
        },
      },
    })
    expect(encode({ responseFormat: { type: 'json' } }).dropped).toEqual([
      'responseFormat: JSON without a schema',
    ])
  })
  test('schemas: unions, references, literals, formats', () => {
    expect(
      fitSchema({
        $schema: 's',
        $defs: { d: { type: 'object', additionalProperties: true } },
        oneOf: [{ $ref: '#/$defs/d' }, { type: 'string', enum: ['a'] }, { type: ['object', 'null'] }],
        items: { type: 'string', format: 'email', pattern: '^a', description: 'mail' },
        minItems: 2,
      }),
    ).toEqual({
      $defs: { d: { type: 'object', properties: {}, additionalProperties: false } },
      anyOf: [
        { $ref: '#/$defs/d' },
        { enum: ['a'] },
        { type: ['object', 'null'], properties: {}, additionalProperties: false },
      ],
      items: { type: 'string', format: 'email', description: 'mail (pattern: "^a")' },
      description: '(minItems: 2)',
    })
  })
})

describe('models by their names', () => {
  test.each([
    ['claude-3-5-haiku-20241022', true, 'all', 'none', 'unasked'],
    ['claude-3-7-sonnet-latest', true, 'all', 'budget', 'unasked'],
    ['claude-opus-4-20250514', true, 'all', 'budget', 'unasked'],
    ['claude-opus-4-1', true, 'one', 'budget', 'unasked'],
    ['claude-sonnet-4-5-20250929', true, 'one', 'budget', 'unasked'],
    ['anthropic.claude-opus-4-6-v1', false, 'one', 'adaptive', 'unasked'],
    ['anthropic/claude-sonnet-4.6', false, 'one', 'adaptive', 'unasked'],
    ['claude-opus-4-8', false, 'none', 'adaptive', 'unasked'],
    ['claude-sonnet-5', false, 'none', 'adaptive', 'disabled'],
    ['claude-opus-5-5', false, 'none', 'adaptive', 'never'],
    ['claude-fable-5-2', false, 'none', 'adaptive', 'never'],
    ['claude-next', false, 'none', 'adaptive', 'never'],
    ['kimi-k2', false, 'all', 'budget', 'unasked'],
  ] as const)('%s: prefill %s, sampling %s, thinking %s, off by %s', (name, ...traits) => {
    const { prefill, sampling, thinking, off } = traitsOf(name)
    expect([prefill, sampling, thinking, off]).toEqual(traits)
  })
})

describe('a client’s own body for another model than it had in mind', () => {
  const fitted = (given: object, model: string) => fitBody({ max_tokens: 9, ...given }, traitsOf(model))
  test('what the model refuses goes, what it says otherwise is said otherwise', () => {
    const old = { temperature: 0.2, top_k: 3, thinking: { type: 'enabled', budget_tokens: 2_000 } }
    expect(fitted(old, 'claude-opus-5-5')).toEqual({
      max_tokens: 9,
      thinking: { type: 'adaptive' },
      output_config: { effort: 'low' },
    })
    expect(fitted(old, 'claude-sonnet-4-6')).toEqual({ max_tokens: 9, ...old })
    const recent = { thinking: { type: 'adaptive' }, output_config: { effort: 'xhigh', format: {} } }
    expect(fitted(recent, 'claude-haiku-4-5')).toEqual({ max_tokens: 9, output_config: { format: {} } })
    expect(fitted(recent, 'claude-opus-4-6')).toMatchObject({ output_config: { effort: 'high', format: {} } })
    expect(fitted(recent, 'claude-opus-5')).toEqual({ max_tokens: 9, ...recent })
    expect(fitted({ thinking: { type: 'disabled' } }, 'claude-opus-5-5')).toEqual({ max_tokens: 9 })
    expect(fitted({ thinking: { type: 'disabled' } }, 'claude-sonnet-5-5')).toMatchObject({
      thinking: { type: 'between_tools' },
    })
  })
  test('who does not think makes no more than a high effort', () => {
    const off = { thinking: { type: 'disabled' }, output_config: { effort: 'max' } }
    expect(fitted(off, 'claude-opus-5')).toMatchObject({ output_config: { effort: 'high' } })
    expect(fitted(off, 'claude-opus-5-5')).toEqual({ max_tokens: 9, output_config: { effort: 'max' } })
  })
  test('a call is forced from a model that thinks by default', () => {
    const forced = { tool_choice: { type: 'any' }, tools: [] }
    expect(fitted(forced, 'claude-sonnet-5')).toEqual({
      ...{ max_tokens: 9, ...forced, thinking: { type: 'disabled' } },
    })
    expect(fitted(forced, 'claude-haiku-4-5')).toEqual({ max_tokens: 9, ...forced })
  })
  test('the body itself stays, and what is unknown passes', () => {
    const given = { thinking: { type: 'later' }, context_management: { edits: [] }, temperature: 0.1 }
    expect(fitted(given, 'claude-haiku-4-5')).toEqual({ max_tokens: 9, ...given })
    fitted(given, 'claude-opus-5')
    expect(given.temperature).toBe(0.1)
  })
})
