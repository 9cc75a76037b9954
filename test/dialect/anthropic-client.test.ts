import { describe, expect, test } from 'vitest'
import { anthropicClient, anthropicProvider } from '../../src/dialect/anthropic/index.ts'
import { RequestFault } from '../../src/dialect/faults.ts'

type Json = Record<string, unknown>
const read = (body: Json) =>
  anthropicClient.read({ model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }], ...body })
const neutral = (body: Json) => read(body).neutral()
const messages = (...list: Json[]) => neutral({ messages: list }).messages
const faultOf = (body: Json): unknown => {
  try {
    neutral(body)
  } catch (error) {
    return error
  }
  return undefined
}
const pass = (body: Json, more: Json = {}) =>
  anthropicClient.passBody(body, {
    model: 'claude-x',
    params: {},
    delivery: 'whole',
    ...more,
  })

describe('a client’s request', () => {
  test('what routing needs is known without reading it all', () => {
    const request = read({
      stream: true,
      metadata: { user_id: 'u1', tier: 'gold' },
      tools: [
        { name: 'f', input_schema: {} },
        { type: 'web_search_20250305', name: 'web_search' },
      ],
      messages: ['nonsense'],
    })
    expect(request).toMatchObject({
      model: 'm',
      delivery: 'stream',
      maxTokens: 9,
      user: 'u1',
      toolNames: ['f', 'web_search'],
    })
    expect(() => request.neutral()).toThrow(RequestFault)
    expect(read({ max_tokens: null }).maxTokens).toBeNull()
  })
  test.each([
    [{ model: 1 }, 'model'],
    [{ messages: null }, 'messages'],
    [{ metadata: { user_id: 1 } }, 'metadata.user_id'],
    [{ max_tokens: 1.5 }, 'max_tokens'],
  ])('%j is refused at %s', (body, param) => {
    expect(() => read(body)).toThrow(expect.objectContaining({ name: 'RequestFault', param }))
  })
  test('every setting has its neutral name', () => {
    const request = neutral({
      system: 'Be brief.',
      temperature: 0.5,
      top_p: 0.9,
      top_k: 4,
      stop_sequences: ['END'],
      metadata: { user_id: 'u1' },
      tools: [
        { name: 'f', description: 'd', input_schema: { type: 'object' }, strict: true },
        { type: 'custom', name: 'g', input_schema: {}, cache_control: { type: 'ephemeral', ttl: '1h' } },
      ],
      tool_choice: { type: 'any', disable_parallel_tool_use: true },
      output_config: { effort: 'max', format: { type: 'json_schema', schema: { type: 'object' } } },
    })
    expect(request).toEqual({
      messages: [
        { role: 'system', text: 'Be brief.' },
        { role: 'user', text: 'Hi' },
      ],
      tools: [
        { name: 'f', description: 'd', parameters: { type: 'object' }, strict: true },
        { name: 'g', parameters: {}, cache: '1h' },
      ],
      toolChoice: 'required',
      parallelToolCalls: false,
      maxTokens: 9,
      temperature: 0.5,
      topP: 0.9,
      topK: 4,
      stop: ['END'],
      reasoning: { effort: 'xhigh' },
      responseFormat: { type: 'schema', name: 'answer', schema: { type: 'object' }, strict: true },
      user: 'u1',
    })
  })
  test.each([
    [
      { type: 'enabled', budget_tokens: 4_000 },
      { maxTokens: 4_000, effort: 'medium' },
    ],
    [{ type: 'disabled' }, { effort: 'none' }],
    [{ type: 'between_tools' }, { effort: 'none' }],
    [{ type: 'adaptive' }, undefined],
  ])('thinking %j is %j', (thinking, reasoning) => {
    expect(neutral({ thinking }).reasoning).toEqual(reasoning)
  })
  test.each([
    [{ type: 'auto' }, 'auto'],
    [{ type: 'none' }, 'none'],
    [{ type: 'tool', name: 'f' }, { name: 'f' }],
  ])('tool choice %j is %j', (tool_choice, choice) => {
    expect(neutral({ tool_choice }).toolChoice).toEqual(choice)
  })
  test('system prompts: blocks with their marks, and in mid-conversation', () => {
    const system = [{ type: 'text', text: 'Long.', cache_control: { type: 'ephemeral' } }]
    expect(neutral({ system }).messages[0]).toEqual({
      role: 'system',
      text: 'Long.',
      parts: [{ type: 'text', text: 'Long.', cache: '5m' }],
    })
    expect(messages({ role: 'system', content: 'Now this.' })).toEqual([
      { role: 'system', text: 'Now this.' },
    ])
  })
  test('results of tools are messages of their own, pictures and failures too', () => {
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/PNG', data: 'AAAA' } }
    expect(
      messages({
        role: 'user',
        content: [
          { type: 'text', text: 'Here' },
          { type: 'tool_result', tool_use_id: 'a', content: 'sun' },
          {
            type: 'tool_result',
            tool_use_id: 'b',
            is_error: true,
            content: [{ type: 'text', text: 'look' }, image],
            cache_control: { type: 'ephemeral' },
          },
          { type: 'tool_result', tool_use_id: 'c' },
        ],
      }),
    ).toEqual([
      { role: 'tool', callId: 'a', text: 'sun' },
      {
        role: 'tool',
        callId: 'b',
        text: 'look',
        parts: [
          { type: 'text', text: 'look' },
          {
            type: 'image',
            source: { type: 'base64', mediaType: 'image/png', data: 'AAAA' },
            cache: '5m',
          },
        ],
        failed: true,
      },
      { role: 'tool', callId: 'c', text: '' },
      { role: 'user', text: 'Here' },
    ])
  })
  test('an assistant’s thoughts, words and calls', () => {
    const thinking = { type: 'thinking', thinking: 'Hm', signature: 'sig' }
    expect(
      messages({
        role: 'assistant',
        content: [
          thinking,
          { type: 'thinking', thinking: 'Well', signature: 'parley.gemini.g-sig' },
          { type: 'thinking', thinking: 'unsigned', signature: '' },
          { type: 'redacted_thinking', data: 'dark' },
          { type: 'text', text: 'Yes, ' },
          { type: 'text', text: 'so.' },
          { type: 'tool_use', id: 'a', name: 'f', input: { x: 1 } },
        ],
      }),
    ).toEqual([
      {
        role: 'assistant',
        text: 'Yes, so.',
        toolCalls: [{ callId: 'a', name: 'f', arguments: '{"x":1}' }],
        reasoning: [
          { text: 'Hm', signature: 'sig', by: 'anthropic' },
          { text: 'Well', signature: 'g-sig', by: 'gemini' },
          { text: 'unsigned' },
          { text: '', sealed: 'dark', by: 'anthropic' },
        ],
      },
    ])
  })
  test('images, documents and search results of a user', () => {
    const cached = { cache_control: { type: 'ephemeral', ttl: '1h' } }
    const pdf = { type: 'base64', media_type: 'application/pdf', data: 'AAAA' }
    const [message] = messages({
      role: 'user',
      content: [
        { type: 'image', source: { type: 'url', url: 'https://x.test/a.png' } },
        { type: 'document', source: pdf, title: 'a.pdf', context: 'of 1999', ...cached },
        { type: 'document', source: { type: 'url', url: 'https://x.test/a.pdf' } },
        { type: 'document', title: 'T', source: { type: 'text', media_type: 'text/plain', data: 'plain' } },
        { type: 'document', source: { type: 'content', content: [{ type: 'text', text: 'inner' }] } },
        { type: 'search_result', title: 'S', source: 'x', content: [{ type: 'text', text: 'found' }] },
      ],
    })
    expect(message).toMatchObject({
      role: 'user',
      parts: [
        { type: 'image', source: { type: 'url', url: 'https://x.test/a.png' } },
        { type: 'text', text: 'of 1999\n' },
        { type: 'file', mediaType: 'application/pdf', name: 'a.pdf', source: { data: 'AAAA' }, cache: '1h' },
        { type: 'file', source: { type: 'url', url: 'https://x.test/a.pdf' } },
        { type: 'text', text: 'T\n' },
        { type: 'text', text: 'plain\n' },
        { type: 'text', text: 'inner' },
        { type: 'text', text: 'S (x)\nfound\n' },
      ],
    })
  })
  test.each([
    [{ tools: [{ type: 'web_search_20250305', name: 'web_search' }] }, 'tools[0].type'],
    [{ tools: [{ type: 'bash_20250124', name: 'bash' }] }, 'tools[0].type'],
    [{ tools: [{ name: 'f' }] }, 'tools[0].input_schema'],
    [{ mcp_servers: [{ name: 'x' }] }, 'mcp_servers'],
    [{ container: 'c' }, 'container'],
    [{ max_tokens: 0 }, 'max_tokens'],
    [{ tool_choice: { type: 'maybe' } }, 'tool_choice.type'],
    [{ messages: [{ role: 'tool', content: '' }] }, 'messages[0].role'],
    [{ messages: [{ role: 'user', content: 5 }] }, 'messages[0].content'],
    [
      { messages: [{ role: 'user', content: [{ type: 'container_upload' }] }] },
      'messages[0].content[0].type',
    ],
    [
      {
        messages: [
          { role: 'user', content: [{ type: 'image', source: { type: 'file', file_id: 'file_1' } }] },
        ],
      },
      'messages[0].content[0].source.file_id',
    ],
    [
      { messages: [{ role: 'assistant', content: [{ type: 'server_tool_use', id: 's' }] }] },
      'messages[0].content[0].type',
    ],
    [
      {
        messages: [
          {
            role: 'user',
            content: [{ type: 'document', source: { type: 'url', url: 'file:///etc/passwd' } }],
          },
        ],
      },
      'messages[0].content[0].source.url',
    ],
  ])('%j works with Anthropic alone or not at all: refused at %s', (body, param) => {
    expect(faultOf(body)).toMatchObject({ name: 'RequestFault', param })
  })
  test('what has no neutral form is named', () => {
    const request = read({ cache_control: { type: 'ephemeral' }, speed: 'fast', service_tier: 'auto' })
    expect(request.ignored()).toEqual(['cache_control', 'speed'])
    expect(request.neutral()).toBe(request.neutral())
  })
})

describe('a body that is passed on', () => {
  const body = {
    model: 'm',
    stream: true,
    metadata: { user_id: 'u1', tier: 'gold' },
    context_management: { edits: [] },
    messages: [{ role: 'user', content: 'Hi' }],
  }
  test('changes in what must change only', () => {
    expect(pass(body, { delivery: 'stream', params: { maxTokens: 5, top_k: 1 } })).toEqual({
      model: 'claude-x',
      stream: true,
      metadata: { user_id: 'u1' },
      context_management: { edits: [] },
      messages: body.messages,
      max_tokens: 5,
      top_k: 1,
    })
    expect(pass({ ...body, metadata: { tier: 'gold' } })).not.toHaveProperty('metadata')
    expect(pass(body)).not.toHaveProperty('stream')
    expect(body).toMatchObject({ model: 'm', stream: true })
  })
  test('thoughts of others, which Anthropic would refuse, stay behind', () => {
    const own = { type: 'thinking', thinking: 'Hm', signature: 'sig' }
    const foreign = [
      { type: 'thinking', thinking: 'x', signature: '' },
      { type: 'thinking', thinking: 'y', signature: 'parley.gemini.s' },
      { type: 'redacted_thinking', data: 'parley.openai-responses.d' },
    ]
    const text = { type: 'text', text: 'Yes' }
    const assistant = (...content: object[]) => ({ role: 'assistant', content })
    const kept = assistant(own, text)
    const { messages } = pass({
      ...body,
      messages: [kept, assistant(...foreign, text), assistant(...foreign), ...body.messages],
    }) as { messages: unknown[] }
    expect(messages).toEqual([kept, assistant(text), ...body.messages])
    expect(messages[0]).toBe(kept)
  })
})

describe('errors', () => {
  const error = { code: 'rate_limited', type: 'rate_limit_error', message: 'Slow down.', param: null }
  test.each([
    [400, 'invalid_request_error'],
    [401, 'authentication_error'],
    [402, 'billing_error'],
    [403, 'permission_error'],
    [404, 'not_found_error'],
    [409, 'conflict_error'],
    [413, 'request_too_large'],
    [422, 'invalid_request_error'],
    [429, 'rate_limit_error'],
    [500, 'api_error'],
    [502, 'api_error'],
    [503, 'overloaded_error'],
    [504, 'timeout_error'],
  ])('status %i is a %s', (status, type) => {
    expect(anthropicClient.errorBody({ ...error, status })).toEqual({
      type: 'error',
      error: { type, message: 'Slow down.', details: { error_code: 'rate_limited' } },
      request_id: null,
    })
  })
  test('the member at fault is named', () => {
    expect(anthropicClient.errorBody({ ...error, status: 400, param: 'tools[0].type' })).toMatchObject({
      error: { details: { error_code: 'rate_limited', param: 'tools[0].type' } },
    })
  })
})

test('a request that is read and encoded again is the same request', () => {
  const body = {
    model: 'claude-sonnet-4-5',
    max_tokens: 500,
    system: 'Be brief.',
    messages: [
      { role: 'user', content: 'Weather?' },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'Hm', signature: 'sig' },
          { type: 'text', text: 'Let me see.' },
          { type: 'tool_use', id: 'a', name: 'weather', input: { city: 'Rome' } },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'a', content: 'sun', is_error: true },
          {
            type: 'image',
            source: { type: 'base64', media_type: 'image/png', data: 'AAAA' },
            cache_control: { type: 'ephemeral', ttl: '1h' },
          },
        ],
      },
    ],
    tools: [{ name: 'weather', description: 'd', input_schema: { type: 'object' } }],
    tool_choice: { type: 'auto', disable_parallel_tool_use: true },
    stop_sequences: ['END'],
    temperature: 0.5,
    metadata: { user_id: 'u1' },
  }
  const codec = anthropicProvider({ maxTokens: 1 })
  const made = codec.encode(anthropicClient.read(body).neutral(), { model: body.model, delivery: 'whole' })
  expect(made).toEqual({ body, dropped: [] })
})
