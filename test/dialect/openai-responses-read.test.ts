/** The clients' half of the `openai-responses` dialect: what they ask for, in neutral words or passed on. */
import { describe, expect, test } from 'vitest'
import type { ModelMessage, ModelRequest } from '../../src/dialect/neutral.ts'
import { encodeChatRequest } from '../../src/dialect/openai-chat/encode.ts'
import { responsesClient } from '../../src/dialect/openai-responses/index.ts'

type Raw = Record<string, unknown>
const read = (body: Raw) => responsesClient.read({ model: 'm', ...body })
const neutral = (body: Raw): ModelRequest => read(body).neutral()
const messages = (input: unknown): readonly ModelMessage[] => neutral({ input }).messages

function faultOf(body: Raw): unknown {
  try {
    neutral(body)
    return 'none'
  } catch (error) {
    return (error as { param?: unknown }).param
  }
}

describe('what routing needs', () => {
  test('model, delivery, limits, names', () => {
    const tools = [
      { type: 'function', name: 'f' },
      { type: 'web_search' },
      { type: 'namespace', name: 'n', tools: [{ type: 'function', name: 'g' }] },
    ]
    expect(read({ input: 'Hi', stream: true, max_output_tokens: 20, user: 'u', tools })).toMatchObject({
      model: 'm',
      delivery: 'stream',
      maxTokens: 20,
      user: 'u',
      toolNames: ['f', 'web_search', 'g'],
    })
  })
  test.each<[Raw, string]>([
    [{ model: 7 }, 'model'],
    [{ model: undefined }, 'model'],
    [{ input: 7 }, 'input'],
    [{ stream: 'yes' }, 'stream'],
    [{ max_output_tokens: -1 }, 'max_output_tokens'],
  ])('%j is refused for %s', (body, param) => {
    expect(() => read(body)).toThrow(expect.objectContaining({ name: 'RequestFault', param }))
  })
})

describe('input', () => {
  test('a text is what the user says; instructions come first', () => {
    expect(neutral({ input: 'Hi', instructions: 'Be brief.' }).messages).toEqual([
      { role: 'system', text: 'Be brief.' },
      { role: 'user', text: 'Hi' },
    ])
  })
  test('all kinds of content', () => {
    const content = [
      { type: 'input_text', text: 'See', prompt_cache_breakpoint: { mode: 'explicit', ttl: '12h' } },
      { type: 'input_image', image_url: 'https://x/y.png', detail: 'original' },
      { type: 'input_image', image_url: 'data:image/png;base64,AAAA', detail: 'auto' },
      { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,BBBB' },
      { type: 'input_file', file_url: 'https://x/y.pdf' },
      { type: 'input_audio', input_audio: { format: 'wav', data: 'CCCC' } },
    ]
    expect(messages([{ type: 'message', role: 'user', content }])).toEqual([
      {
        role: 'user',
        text: 'See',
        parts: [
          { type: 'text', text: 'See', cache: '1h' },
          { type: 'image', source: { type: 'url', url: 'https://x/y.png' }, detail: 'high' },
          { type: 'image', source: { type: 'base64', mediaType: 'image/png', data: 'AAAA' }, detail: 'auto' },
          {
            type: 'file',
            mediaType: 'application/pdf',
            name: 'a.pdf',
            source: { type: 'base64', data: 'BBBB' },
          },
          { type: 'file', mediaType: 'application/pdf', source: { type: 'url', url: 'https://x/y.pdf' } },
          { type: 'audio', format: 'wav', data: 'CCCC' },
        ],
      },
    ])
  })
  test('the items of one turn are one message, so that each call has its result behind it', () => {
    const call = (call_id: string) => ({
      type: 'function_call',
      id: 'fc_1',
      call_id,
      name: 'f',
      arguments: '{}',
    })
    const result = (call_id: string) => ({ type: 'function_call_output', call_id, output: call_id })
    const said = (text: string) => ({
      type: 'message',
      role: 'assistant',
      content: [{ type: 'output_text', text }],
    })
    const thought = (text: string) => ({
      type: 'reasoning',
      id: 'rs_1',
      summary: [{ type: 'summary_text', text }],
    })
    const found = messages([
      { role: 'developer', content: 'Rules.' },
      { role: 'user', content: 'Go' },
      thought('one'),
      said('First.'),
      call('a'),
      thought('two'),
      call('b'),
      said('Wait.'),
      result('a'),
      result('b'),
      thought('three'),
      said('Comment.'),
      said('Answer.'),
    ])
    const calls = ['a', 'b'].map((callId) => ({ callId, name: 'f', arguments: '{}' }))
    expect(found).toEqual([
      { role: 'system', text: 'Rules.' },
      { role: 'user', text: 'Go' },
      {
        role: 'assistant',
        text: 'First.\n\nWait.',
        toolCalls: calls,
        reasoning: [{ text: 'one' }, { text: 'two' }],
      },
      { role: 'tool', callId: 'a', text: 'a' },
      { role: 'tool', callId: 'b', text: 'b' },
      { role: 'assistant', text: 'Comment.', reasoning: [{ text: 'three' }] },
      { role: 'assistant', text: 'Answer.' },
    ])
  })
  test('results of tools may be images; refusals are words', () => {
    const output = [
      { type: 'input_text', text: 'a chart' },
      { type: 'input_image', image_url: 'https://x/y.png', detail: 'low' },
    ]
    const found = messages([
      { type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] },
      { type: 'function_call_output', call_id: 'c', output },
    ])
    expect(found).toMatchObject([
      { role: 'assistant', text: 'No.' },
      { role: 'tool', text: 'a chart', parts: [{ type: 'text' }, { type: 'image', detail: 'low' }] },
    ])
  })
  test('thoughts with a seal of the dialect', () => {
    const item = { type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: 'Hm' }] }
    expect(messages([{ ...item, encrypted_content: 'gAAAA' }])).toEqual([
      {
        role: 'assistant',
        text: '',
        reasoning: [{ text: 'Hm', sealed: 'gAAAA', by: 'openai-responses' }],
      },
    ])
  })
})

describe('settings', () => {
  test('all that has a neutral form', () => {
    const { messages: _, ...rest } = neutral({
      input: 'Hi',
      tools: [
        { type: 'function', name: 'f', description: 'd', parameters: { type: 'object' }, strict: null },
      ],
      tool_choice: { type: 'function', name: 'f' },
      parallel_tool_calls: false,
      max_output_tokens: 20,
      temperature: 0.5,
      top_p: 0.9,
      reasoning: { effort: 'max' },
      text: { format: { type: 'json_schema', name: 'n', schema: {}, strict: true } },
      top_logprobs: 3,
      safety_identifier: 's',
      user: 'u',
    })
    expect(rest).toEqual({
      tools: [{ name: 'f', description: 'd', parameters: { type: 'object' } }],
      toolChoice: { name: 'f' },
      parallelToolCalls: false,
      maxTokens: 20,
      temperature: 0.5,
      topP: 0.9,
      reasoning: { effort: 'xhigh' },
      responseFormat: { type: 'schema', name: 'n', schema: {}, strict: true },
      topLogprobs: 3,
      user: 's',
    })
  })
  test('tools that may not be called are not offered', () => {
    const tools = ['f', 'g', 'h'].map((name) => ({ type: 'function', name }))
    const tool_choice = { type: 'allowed_tools', mode: 'required', tools: tools.slice(1) }
    expect(neutral({ input: 'Hi', tools, tool_choice })).toMatchObject({
      tools: [{ name: 'g' }, { name: 'h' }],
      toolChoice: 'required',
    })
  })
  test('what has no neutral form is named; what changes nothing is not', () => {
    const body = {
      input: 'Hi',
      metadata: { a: 'b' },
      stream_options: { include_obfuscation: false },
      include: ['message.output_text.logprobs'],
      prompt_cache_key: 'k',
      service_tier: 'flex',
      truncation: null,
      store: true,
      reasoning: { effort: 'low', summary: 'auto' },
      text: { verbosity: 'low' },
    }
    expect(read(body).ignored()).toEqual([
      'prompt_cache_key',
      'service_tier',
      'store',
      'reasoning.summary',
      'text.verbosity',
    ])
    expect(neutral(body).topLogprobs).toBe(0)
  })
})

describe('what only its own dialect can do is refused by its path', () => {
  test.each<[string, Raw]>([
    ['previous_response_id', { input: 'Hi', previous_response_id: 'resp_1' }],
    ['conversation', { input: 'Hi', conversation: 'conv_1' }],
    ['prompt', { prompt: { id: 'pmpt_1' } }],
    ['background', { input: 'Hi', background: true }],
    ['moderation', { input: 'Hi', moderation: { model: 'x' } }],
    ['input', {}],
    ['tools[1].type', { input: 'Hi', tools: [{ type: 'function', name: 'f' }, { type: 'web_search' }] }],
    ['tools[0].type', { input: 'Hi', tools: [{ type: 'mcp', server_label: 'x' }] }],
    ['tools[0].type', { input: 'Hi', tools: [{ type: 'custom', name: 'x' }] }],
    ['tool_choice.type', { input: 'Hi', tool_choice: { type: 'file_search' } }],
    ['input[0].type', { input: [{ type: 'item_reference', id: 'msg_1' }] }],
    ['input[0].type', { input: [{ id: 'msg_1' }] }],
    ['input[0].type', { input: [{ type: 'computer_call_output' }] }],
    [
      'input[0].content[0].file_id',
      { input: [{ role: 'user', content: [{ type: 'input_image', file_id: 'f' }] }] },
    ],
    ['input[0].content[0].type', { input: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }] }],
    [
      'input[0].content[0].image_url',
      { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'ftp://x' }] }] },
    ],
    ['input[0].role', { input: [{ role: 'robot', content: 'x' }] }],
    ['input[0]', { input: ['x'] }],
    ['input[0].call_id', { input: [{ type: 'function_call_output', output: 'x' }] }],
    ['reasoning.effort', { input: 'Hi', reasoning: { effort: 'huge' } }],
    ['text.format.type', { input: 'Hi', text: { format: { type: 'xml' } } }],
  ])('%s', (param, body) => {
    expect(faultOf(body)).toBe(param)
  })
  test('but it can be routed and passed', () => {
    const body = {
      model: 'm',
      previous_response_id: 'resp_1',
      tools: [{ type: 'web_search' }],
      background: true,
    }
    responsesClient.read(body)
    const passed = responsesClient.passBody(body, {
      model: 'gpt',
      params: { service_tier: 'flex' },
      delivery: 'whole',
    })
    expect(passed).toEqual({ ...body, model: 'gpt', service_tier: 'flex' })
  })
})

test('a body is passed as it is, with the model', () => {
  const input = [
    { role: 'user', content: 'Hi' },
    { type: 'reasoning', id: 'rs_1', encrypted_content: 'gAAAA' },
  ]
  const body = { model: 'm', input, store: true, future: { a: 1 }, metadata: { a: 'b' } }
  const passed = responsesClient.passBody(body, {
    model: 'gpt',
    params: {},
    delivery: 'stream',
  })
  expect(passed).toEqual({
    model: 'gpt',
    input,
    store: true,
    future: { a: 1 },
    metadata: { a: 'b' },
    stream: true,
  })
  expect(passed['input']).toBe(input)
})

test('asked of chat completions', () => {
  const body = {
    instructions: 'Be brief.',
    input: [
      { role: 'user', content: [{ type: 'input_text', text: 'Time?' }] },
      { type: 'function_call', call_id: 'c1', name: 'get_time', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c1', output: 'noon' },
    ],
    tools: [{ type: 'function', name: 'get_time', parameters: { type: 'object' }, strict: true }],
    text: { format: { type: 'json_object' } },
  }
  const options = { model: 'm', delivery: 'whole', maxTokensField: 'max_tokens' } as const
  expect(encodeChatRequest(neutral(body), options).body).toEqual({
    model: 'm',
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Time?' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'get_time', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'noon' },
    ],
    tools: [
      { type: 'function', function: { name: 'get_time', parameters: { type: 'object' }, strict: true } },
    ],
    response_format: { type: 'json_object' },
  })
})
