import { describe, expect, test } from 'vitest'
import { StreamFault } from '../../src/dialect/faults.ts'
import type { ModelEvent, ModelRequest } from '../../src/dialect/neutral.ts'
import { ChatStreamDecoder } from '../../src/dialect/openai-chat/decode.ts'
import { type ChatEncodeOptions, encodeChatRequest as encode } from '../../src/dialect/openai-chat/encode.ts'
import { errorOf, errorOfStatus } from '../../src/dialect/openai-error.ts'

const OPTIONS = { model: 'm', maxTokensField: 'max_tokens', delivery: 'stream' } as const
const encodeChatRequest = (request: ModelRequest, options: ChatEncodeOptions) => encode(request, options).body

const sse = (data: object) => ({ event: 'message', data: JSON.stringify(data) })

function decode(...chunks: (object | string)[]): ModelEvent[] {
  let made = 0
  const decoder = new ChatStreamDecoder({ newCallId: () => `made_${++made}`, calls: 'whole' })
  const events = chunks.flatMap((c) =>
    decoder.push({ event: 'message', data: typeof c === 'string' ? c : JSON.stringify(c) }),
  )
  return [...events, ...decoder.end()]
}
const chunk = (delta: object, finish_reason: string | null = null) => ({
  choices: [{ index: 0, delta, finish_reason }],
})
const piece = (index: number | undefined, id: string | undefined, name?: string, args?: string) =>
  chunk({ tool_calls: [{ index, id, function: { name, arguments: args } }] })
const usage = { prompt_tokens: 3, completion_tokens: 2 }

describe('a request', () => {
  test('messages, tools and limits in the words of the API', () => {
    const encoded = encodeChatRequest(
      {
        messages: [
          { role: 'system', text: 'Be brief.' },
          { role: 'user', text: 'Time?' },
          { role: 'assistant', text: '', toolCalls: [{ callId: 'c1', name: 'get_time', arguments: '' }] },
          { role: 'tool', callId: 'c1', text: 'noon' },
        ],
        tools: [{ name: 'get_time', description: 'the time' }],
        toolChoice: { name: 'get_time' },
        maxTokens: 50,
        temperature: 0,
      },
      OPTIONS,
    )
    expect(encoded).toEqual({
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
      stream: true,
      stream_options: { include_usage: true },
      tools: [
        {
          type: 'function',
          function: {
            name: 'get_time',
            description: 'the time',
            parameters: { type: 'object', properties: {} },
          },
        },
      ],
      tool_choice: { type: 'function', function: { name: 'get_time' } },
      max_tokens: 50,
      temperature: 0,
    })
  })
  test('what a tool gave beside text follows the results', () => {
    const source = { type: 'base64', mediaType: 'image/png', data: 'AAAA' } as const
    const { messages } = encodeChatRequest(
      {
        messages: [
          {
            role: 'tool',
            callId: 'c1',
            text: 'see',
            parts: [
              { type: 'text', text: 'see' },
              { type: 'image', source },
            ],
          },
          { role: 'tool', callId: 'c2', text: 'noon' },
          { role: 'user', text: 'And?' },
        ],
      },
      OPTIONS,
    )
    expect(messages).toEqual([
      { role: 'tool', tool_call_id: 'c1', content: 'see' },
      { role: 'tool', tool_call_id: 'c2', content: 'noon' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What the call c1 gave:' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
        ],
      },
      { role: 'user', content: 'And?' },
    ])
  })
  test('without tools there is no choice of tools', () => {
    const encoded = encodeChatRequest({ messages: [], tools: [], toolChoice: 'auto' }, OPTIONS)
    expect(Object.keys(encoded)).toEqual(['model', 'messages', 'stream', 'stream_options'])
  })
})

describe('a stream', () => {
  test('text, usage, then finish last', () => {
    const events = decode(
      chunk({ role: 'assistant', content: '' }),
      chunk({ content: 'Hi' }),
      chunk({}, 'stop'),
      { choices: [], usage },
      '[DONE]',
    )
    expect(events).toEqual([
      { type: 'text', text: 'Hi' },
      { type: 'usage', usage: { inputTokens: 3, outputTokens: 2 } },
      { type: 'finish', reason: 'stop' },
    ])
  })
  test('a call comes whole, when it is complete', () => {
    const decoder = new ChatStreamDecoder({ newCallId: () => 'x', calls: 'whole' })
    const push = (c: object) => decoder.push(sse(c))
    expect(push(piece(0, 'c1', 'f', ''))).toEqual([])
    expect(push(piece(0, undefined, undefined, '{"a"'))).toEqual([])
    expect(push(piece(0, undefined, undefined, ':1}'))).toEqual([])
    expect(push(chunk({}, 'tool_calls'))).toEqual([
      { type: 'toolCall', call: { callId: 'c1', name: 'f', arguments: '{"a":1}' } },
    ])
  })
  test.each([
    ['each its index', [piece(0, 'a', 'f', '{}'), piece(1, 'b', 'g', '{}')]],
    [
      'interleaved',
      [
        piece(0, 'a', 'f', '{'),
        piece(1, 'b', 'g', '{'),
        piece(0, undefined, undefined, '}'),
        piece(1, undefined, undefined, '}'),
      ],
    ],
    ['all with index 0', [piece(0, 'a', 'f', '{}'), piece(0, 'b', 'g', '{}')]],
    ['no index', [piece(undefined, 'a', 'f', '{}'), piece(undefined, 'b', 'g', '{}')]],
  ])('parallel calls stay apart: %s', (_, pieces) => {
    const calls = decode(...pieces, chunk({}, 'tool_calls')).filter((e) => e.type === 'toolCall')
    expect(calls.map((e) => e.call)).toEqual([
      { callId: 'a', name: 'f', arguments: '{}' },
      { callId: 'b', name: 'g', arguments: '{}' },
    ])
  })
  test('a call without id gets one, and stop after a call means the call', () => {
    const events = decode(piece(0, '', 'f', '{}'), chunk({}, 'stop'))
    expect(events).toEqual([
      { type: 'toolCall', call: { callId: 'made_1', name: 'f', arguments: '{}' } },
      { type: 'finish', reason: 'tool_calls' },
    ])
  })
  test('reasoning is not text', () => {
    expect(decode(chunk({ reasoning_content: 'hm' }), chunk({}, 'stop'))[0]).toEqual({
      type: 'reasoning',
      text: 'hm',
    })
  })
  test('content in chunks, as Mistral’s reasoning models send it, is text and thoughts', () => {
    const content = [
      { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }, 'odd'] },
      { type: 'text', text: 'Yes.' },
      { type: 'reference', reference_ids: [1] },
      null,
    ]
    expect(decode(chunk({ content }), chunk({}, 'stop')).slice(0, -1)).toEqual([
      { type: 'reasoning', text: 'hm' },
      { type: 'text', text: 'Yes.' },
    ])
  })
  test.each(['error', 'insufficient_system_resource'])(
    'finish reason %s is no end: the answer broke off',
    (reason) => {
      expect(() => decode(chunk({ content: 'Half an' }), chunk({}, reason))).toThrow(StreamFault)
    },
  )
  test.each([
    ['length', 'length'],
    ['model_length', 'length'],
    ['content_filter', 'content_filter'],
    ['eos', 'stop'],
  ])('finish reason %s is %s', (reason, ours) => {
    expect(decode(chunk({}, reason))).toEqual([{ type: 'finish', reason: ours }])
  })
  test('[DONE] alone ends it; nothing at all does not', () => {
    expect(decode('[DONE]')).toEqual([{ type: 'finish', reason: 'stop' }])
    expect(() => decode(chunk({ content: 'half' }))).toThrow(StreamFault)
  })
  test('cached and reasoning tokens are parts, unless the total says that reasoning came on top', () => {
    const usageOf = (usage: object) =>
      decode(chunk({}, 'stop'), { choices: [], usage }, '[DONE]').find(({ type }) => type === 'usage')
    const openai = {
      prompt_tokens: 100,
      completion_tokens: 50,
      total_tokens: 150,
      prompt_tokens_details: { cached_tokens: 64 },
      completion_tokens_details: { reasoning_tokens: 40 },
    }
    const parts = { inputTokens: 100, outputTokens: 50, cachedTokens: 64, reasoningTokens: 40 }
    expect(usageOf(openai)).toEqual({ type: 'usage', usage: parts })
    const onTop = { ...parts, outputTokens: 90 }
    expect(usageOf({ ...openai, total_tokens: 190 })).toEqual({ type: 'usage', usage: onTop })
  })

  test('once reason and usage are known, a server that does not end costs no time', () => {
    const decoder = new ChatStreamDecoder({ newCallId: () => 'x', calls: 'whole' })
    decoder.push(sse(chunk({}, 'stop')))
    expect(decoder.done).toBe(false)
    expect(decoder.push(sse({ choices: [], usage })).at(-1)).toEqual({
      type: 'finish',
      reason: 'stop',
    })
    expect(decoder.done).toBe(true)
  })
  test.each(['{"a":', '[]', '7', 'null'])('%s is malformed', (data) => {
    expect(() => decode(data)).toThrow(StreamFault)
  })
  test('strange members do not break it', () => {
    const odd = [{ choices: null }, { choices: [null, 7] }, chunk({ content: 5, tool_calls: [null, {}] }), {}]
    expect(() => decode(...odd, chunk({}, 'stop'))).toThrow('a tool call without a name')
    expect(decode(odd[0]!, odd[1]!, odd[3]!, chunk({}, 'stop'))).toEqual([{ type: 'finish', reason: 'stop' }])
  })
})

describe('errors', () => {
  const body = (type: string, code: string | number | null = null) => ({
    error: { message: 'secret words', type, code },
  })
  test.each([
    [401, body('x', 'invalid_api_key'), 'auth'],
    [403, undefined, 'auth'],
    [402, undefined, 'quota'],
    [429, body('requests', 'rate_limit_exceeded'), 'rate'],
    [429, body('insufficient_quota', 'insufficient_quota'), 'quota'],
    [400, body('invalid_request_error'), 'bad_request'],
    [404, 'not found', 'bad_request'],
    [408, undefined, 'timeout'],
    [500, undefined, 'transient'],
    [529, body('overloaded_error'), 'transient'],
  ])('HTTP %i %j is %s', (status, answer, kind) => {
    expect(errorOfStatus(status, answer).kind).toBe(kind)
  })
  test.each([
    [body('server_error'), 'transient'],
    [body('x', 429), 'rate'],
    [body('insufficient_quota'), 'quota'],
    [body('invalid_request_error', 'odd'), 'bad_request'],
    [{ error: 'text' }, 'transient'],
  ])('in the stream, %j is %s', (answer, kind) => {
    expect(errorOf(answer).kind).toBe(kind)
  })
  test.each([
    [
      [{ error: { code: 400, message: 'Unknown name "store"', status: 'INVALID_ARGUMENT' } }],
      'Unknown name "store"',
    ],
    [{ error: 'Model too busy', error_type: 'overloaded' }, 'Model too busy'],
    [{ message: 'invalid request' }, 'invalid request'],
  ])('%j is told to who sent the request, whatever its shape', (answer, message) => {
    expect(errorOfStatus(400, answer).told?.message).toBe(message)
  })
  test('no message quotes what the provider wrote', () => {
    expect(errorOfStatus(401, body('invalid_request_error', 'Incorrect key sk-1234')).message).toBe(
      'HTTP 401 (invalid_request_error)',
    )
  })
})
