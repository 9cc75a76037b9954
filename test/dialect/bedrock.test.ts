import { describe, expect, test } from 'vitest'
import { bedrockProvider } from '../../src/dialect/bedrock/index.ts'
import { RequestFault, StreamFault } from '../../src/dialect/faults.ts'
import type { ModelEvent, ModelRequest } from '../../src/dialect/neutral.ts'

const CLAUDE = 'anthropic.claude-sonnet-4-5-20250929-v1:0'
const NEWER = 'us.anthropic.claude-opus-4-7'
const NOVA = 'us.amazon.nova-2-lite-v1:0'
const LLAMA = 'meta.llama3-3-70b-instruct-v1:0'

const encode = (request: Partial<ModelRequest>, model = CLAUDE) =>
  bedrockProvider.encode(
    { messages: [{ role: 'user', text: 'Hi' }], ...request },
    { model, delivery: 'stream' },
  )

function decode(calls: 'whole' | 'streamed', ...events: [string, object][]): ModelEvent[] {
  let made = 0
  const decoder = bedrockProvider.decoder({ newCallId: () => `made_${++made}`, calls })
  const given = events.flatMap(([event, data]) => decoder.push({ event, data: JSON.stringify(data) }))
  return [...given, ...decoder.end()]
}

describe('a request', () => {
  test('the conversation, tools and limits in the words of Converse', () => {
    const { body, dropped } = encode({
      messages: [
        { role: 'system', text: 'Be brief.' },
        { role: 'user', text: 'Time' },
        { role: 'user', text: 'in Rome?' },
        {
          role: 'assistant',
          text: '',
          toolCalls: [{ callId: 'c1', name: 'get_time', arguments: '{"zone":"Rome"}' }],
        },
        { role: 'user', text: 'Quick' },
        { role: 'tool', callId: 'c1', text: 'no', failed: true },
      ],
      tools: [
        {
          name: 'get_time',
          description: 'the time',
          parameters: { type: 'object', properties: {} },
          strict: true,
        },
      ],
      toolChoice: { name: 'get_time' },
      maxTokens: 50,
      temperature: 0,
      topK: 3,
      stop: ['.'],
      responseFormat: { type: 'schema', name: 's', schema: { type: 'object' } },
      params: { serviceTier: { type: 'flex' }, inferenceConfig: { maxTokens: 60 } },
    })
    expect(dropped).toEqual([])
    expect(body).toEqual({
      system: [{ text: 'Be brief.' }],
      messages: [
        { role: 'user', content: [{ text: 'Time' }, { text: 'in Rome?' }] },
        {
          role: 'assistant',
          content: [{ toolUse: { toolUseId: 'c1', name: 'get_time', input: { zone: 'Rome' } } }],
        },
        {
          role: 'user',
          content: [
            { toolResult: { toolUseId: 'c1', content: [{ text: 'no' }], status: 'error' } },
            { text: 'Quick' },
          ],
        },
      ],
      toolConfig: {
        tools: [
          {
            toolSpec: {
              name: 'get_time',
              description: 'the time',
              inputSchema: { json: { type: 'object', properties: {} } },
              strict: true,
            },
          },
        ],
        toolChoice: { tool: { name: 'get_time' } },
      },
      inferenceConfig: { maxTokens: 60, temperature: 0, stopSequences: ['.'] },
      additionalModelRequestFields: { top_k: 3 },
      outputConfig: {
        textFormat: {
          type: 'json_schema',
          structure: { jsonSchema: { name: 's', schema: '{"type":"object"}' } },
        },
      },
      serviceTier: { type: 'flex' },
    })
  })

  test('what it cannot say is named', () => {
    const { dropped } = encode(
      {
        messages: [
          { role: 'user', text: 'a', parts: [{ type: 'text', text: 'a', cache: '5m' }] },
          { role: 'assistant', text: 'b', reasoning: [{ text: 'hm' }] },
          { role: 'system', text: 'c' },
        ],
        tools: [{ name: 'f', strict: true }],
        toolChoice: 'required',
        parallelToolCalls: false,
        reasoning: { effort: 'high' },
        responseFormat: { type: 'json' },
        topK: 1,
        seed: 1,
        user: 'u',
        topLogprobs: 0,
        frequencyPenalty: 1,
        presencePenalty: 1,
      },
      LLAMA,
    )
    expect(dropped.map((one) => one.split(':')[0]).sort()).toEqual(
      [
        ...[
          'cache hints',
          'frequencyPenalty',
          'messages',
          'messages',
          'parallelToolCalls',
          'presencePenalty',
        ],
        ...['reasoning', 'responseFormat', 'seed', 'toolChoice', 'tools', 'topK', 'topLogprobs', 'user'],
      ].sort(),
    )
  })

  test('tools that were called are defined, though they are offered no more', () => {
    const messages: ModelRequest['messages'] = [
      { role: 'user', text: 'x' },
      { role: 'assistant', text: '', toolCalls: [{ callId: '1', name: 'f', arguments: '' }] },
      { role: 'tool', callId: '1', text: 'y' },
    ]
    const toolSpec = { name: 'f', inputSchema: { json: { type: 'object', properties: {} } } }
    expect(encode({ messages }).body['toolConfig']).toEqual({ tools: [{ toolSpec }] })
    expect(encode({ tools: [{ name: 'g' }], toolChoice: 'none' }).body['toolConfig']).toBeUndefined()
    expect(encode({ messages, tools: [{ name: 'f' }], toolChoice: 'none' }).dropped).toEqual([
      'toolChoice: none',
    ])
  })

  test('ids that Bedrock would refuse are changed, each to another', () => {
    const ids = ['a.b', 'a:b', 'x'.repeat(80), 'x'.repeat(81)]
    const { messages } = encode({
      messages: [
        { role: 'user', text: 'x' },
        {
          role: 'assistant',
          text: '',
          toolCalls: ids.map((callId) => ({ callId, name: 'f', arguments: '' })),
        },
        ...ids.map((callId) => ({ role: 'tool' as const, callId, text: 'y' })),
      ],
    }).body as { messages: { content: Record<string, { toolUseId: string }>[] }[] }
    const called = messages[1]!.content.map((block) => block['toolUse']!.toolUseId)
    expect(new Set(called).size).toBe(4)
    for (const id of called) expect(id).toMatch(/^[\w-]{1,64}$/)
    expect(messages[2]!.content.map((block) => block['toolResult']!.toolUseId)).toEqual(called)
  })

  test.each([
    { type: 'image', source: { type: 'url', url: 'https://a.example/x.png' } } as const,
    { type: 'image', source: { type: 'base64', mediaType: 'image/tiff', data: 'aGk=' } } as const,
    { type: 'file', mediaType: 'application/zip', source: { type: 'base64', data: 'aGk=' } } as const,
  ])('%j cannot be said, and the path is told', (part) => {
    const wrong = () => encode({ messages: [{ role: 'user', text: '', parts: [part] }] })
    expect(wrong).toThrow(RequestFault)
    expect(wrong).toThrow(expect.objectContaining({ param: 'messages[0]' }))
  })

  test.each([
    ['anthropic.claude-3-5-sonnet-20241022-v2:0', {}, undefined, undefined],
    [
      'anthropic.claude-3-7-sonnet-20250219-v1:0',
      {},
      { thinking: { type: 'enabled', budget_tokens: 16_000 } },
      undefined,
    ],
    [CLAUDE, { maxTokens: 3_000 }, { thinking: { type: 'enabled', budget_tokens: 2_999 } }, undefined],
    [CLAUDE, { maxTokens: 100 }, undefined, undefined],
    [CLAUDE, { tools: [{ name: 'f' }], toolChoice: 'required' as const }, undefined, undefined],
    ['us.anthropic.claude-opus-4-6-v1', {}, { thinking: { type: 'adaptive' } }, { effort: 'high' }],
    [NEWER, {}, { thinking: { type: 'adaptive' } }, { effort: 'high' }],
    [NOVA, {}, { reasoningConfig: { type: 'enabled', maxReasoningEffort: 'high' } }, undefined],
    [
      NOVA,
      { maxTokens: 9 },
      { reasoningConfig: { type: 'enabled', maxReasoningEffort: 'medium' } },
      undefined,
    ],
    ['openai.gpt-oss-120b-1:0', {}, { reasoning_effort: 'high' }, undefined],
    ['amazon.nova-pro-v1:0', {}, undefined, undefined],
    ['arn:aws:bedrock:eu-west-1:1:application-inference-profile/x', {}, undefined, undefined],
  ])('%s with %j thinking much', (model, more, fields, output) => {
    const { body } = encode({ ...more, reasoning: { effort: 'high' } }, model)
    expect(body['additionalModelRequestFields']).toEqual(fields)
    expect(body['outputConfig']).toEqual(output)
  })

  test.each([
    [CLAUDE, undefined, undefined],
    ['anthropic.claude-sonnet-5-20260801-v1:0', { thinking: { type: 'disabled' } }, undefined],
    ['anthropic.claude-opus-5-5', undefined, { effort: 'low' }],
  ])('%s is kept from thinking, or told to think little', (model, fields, output) => {
    const { body } = encode({ reasoning: { effort: 'none' } }, model)
    expect(body['additionalModelRequestFields']).toEqual(fields)
    expect(body['outputConfig']).toEqual(output)
  })

  test('sampling is left out where the model takes none', () => {
    const sampled = { temperature: 1, topP: 0.5 }
    expect(encode(sampled, NEWER).body['inferenceConfig']).toBeUndefined()
    expect(encode(sampled, CLAUDE).body['inferenceConfig']).toEqual({ temperature: 1 })
    expect(encode(sampled, NOVA).body['inferenceConfig']).toEqual(sampled)
    expect(
      encode({ ...sampled, reasoning: { effort: 'low' } }, CLAUDE).body['inferenceConfig'],
    ).toBeUndefined()
  })

  test('an answer to go on with ends without white space, and a user stands first', () => {
    const { body } = encode({ messages: [{ role: 'assistant', text: 'Once upon ' }] })
    expect(body['messages']).toEqual([
      { role: 'user', content: [{ text: 'Begin.' }] },
      { role: 'assistant', content: [{ text: 'Once upon' }] },
    ])
  })
})

describe('a stream', () => {
  test('thoughts, their seal, text and calls, streamed', () => {
    const at = (contentBlockIndex: number, more: object) => ({ contentBlockIndex, ...more })
    const events = decode(
      'streamed',
      ['messageStart', { role: 'assistant' }],
      ['contentBlockDelta', at(0, { delta: { reasoningContent: { text: 'Hm.' } } })],
      ['contentBlockDelta', at(0, { delta: { reasoningContent: { signature: 'si' } } })],
      ['contentBlockDelta', at(0, { delta: { reasoningContent: { signature: 'g' } } })],
      ['contentBlockStop', at(0, {})],
      ['contentBlockDelta', at(1, { delta: { text: 'Hi' } })],
      ['contentBlockStop', at(1, {})],
      ['contentBlockStart', at(2, { start: { toolUse: { toolUseId: 'x', name: 'f' } } })],
      ['contentBlockDelta', at(2, { delta: { toolUse: { input: '{"a"' } } })],
      ['contentBlockDelta', at(2, { delta: { toolUse: { input: ':1}' } } })],
      ['contentBlockStop', at(2, {})],
      ['contentBlockStart', at(3, { start: { toolUse: { toolUseId: 'y', name: 'g' } } })],
      ['contentBlockStop', at(3, {})],
      ['messageStop', { stopReason: 'tool_use' }],
      ['metadata', { usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3 } }],
    )
    const piece = (index: number, callId: string, name: string, args: string) => ({
      ...{ type: 'toolCallDelta', index, callId, name, arguments: args },
    })
    expect(events).toEqual([
      { type: 'reasoning', text: 'Hm.' },
      { type: 'reasoningSeal', signature: 'sig', by: 'bedrock' },
      { type: 'text', text: 'Hi' },
      piece(0, 'x', 'f', ''),
      piece(0, 'x', 'f', '{"a"'),
      piece(0, 'x', 'f', ':1}'),
      { type: 'toolCall', call: { callId: 'x', name: 'f', arguments: '{"a":1}' } },
      piece(1, 'y', 'g', ''),
      { type: 'toolCall', call: { callId: 'y', name: 'g', arguments: '{}' } },
      { type: 'usage', usage: { inputTokens: 1, outputTokens: 2 } },
      { type: 'finish', reason: 'tool_calls' },
    ])
  })

  test.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['guardrail_intervened', 'content_filter'],
    ['content_filtered', 'content_filter'],
    ['something_new', 'stop'],
  ])('stop reason %s is %s', (reason, ours) => {
    expect(decode('whole', ['messageStop', { stopReason: reason }])).toEqual([
      { type: 'finish', reason: ours },
    ])
  })

  test('a model that fails at its own call fails the stream, so that another is asked', () => {
    expect(() => decode('whole', ['messageStop', { stopReason: 'malformed_tool_use' }])).toThrow(StreamFault)
  })

  test('what the provider runs itself is no call', () => {
    const start = { toolUse: { toolUseId: 'x', name: 'search', type: 'server_tool_use' } }
    const events = decode(
      'streamed',
      ['contentBlockStart', { start, contentBlockIndex: 0 }],
      ['contentBlockDelta', { delta: { toolUse: { input: '{}' } }, contentBlockIndex: 0 }],
      ['messageStop', { stopReason: 'end_turn' }],
    )
    expect(events).toEqual([{ type: 'finish', reason: 'stop' }])
  })

  test.each([
    [400, { __type: 'com.amazonaws#ServiceQuotaExceededException', message: 'x' }, 'quota'],
    [403, { message: 'x' }, 'auth'],
    [404, { message: 'x' }, 'bad_request'],
    [424, { message: 'x' }, 'transient'],
    [429, undefined, 'rate'],
    [500, 'no JSON', 'transient'],
  ])('%s with %j is %s', (status, body, kind) => {
    expect(bedrockProvider.errorOf(status, body).kind).toBe(kind)
  })
})
