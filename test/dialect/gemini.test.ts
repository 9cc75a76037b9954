import { describe, expect, test } from 'vitest'
import { RequestFault, StreamFault } from '../../src/dialect/faults.ts'
import { geminiProvider } from '../../src/dialect/gemini/index.ts'
import type { ModelEvent, ModelRequest } from '../../src/dialect/neutral.ts'
import { chatClient } from '../../src/dialect/openai-chat/index.ts'

const encode = (request: Partial<ModelRequest>, model = 'gemini-2.5-flash') =>
  geminiProvider.encode(
    { messages: [{ role: 'user', text: 'Hi' }], ...request },
    { model, delivery: 'stream' },
  )

function decode(calls: 'whole' | 'streamed', ...chunks: (object | string)[]): ModelEvent[] {
  let made = 0
  const decoder = geminiProvider.decoder({ newCallId: () => `made_${++made}`, calls })
  const events = chunks.flatMap((one) =>
    decoder.push({ event: 'message', data: typeof one === 'string' ? one : JSON.stringify(one) }),
  )
  return [...events, ...decoder.end()]
}

const chunk = (parts: object[], more: object = {}) => ({
  candidates: [{ content: { role: 'model', parts }, ...more }],
})
const stop = chunk([], { finishReason: 'STOP' })

describe('a request', () => {
  test('the conversation, tools and limits in the words of the API', () => {
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
        { role: 'tool', callId: 'c1', text: 'noon' },
        { role: 'user', text: 'Thanks' },
      ],
      tools: [{ name: 'get_time', description: 'the time', parameters: { type: 'object', properties: {} } }],
      toolChoice: { name: 'get_time' },
      maxTokens: 50,
      temperature: 0,
      topP: 0.5,
      topK: 3,
      stop: ['.'],
      seed: 7,
      frequencyPenalty: 0.1,
      presencePenalty: 0.2,
      topLogprobs: 2,
      responseFormat: { type: 'schema', name: 's', schema: { type: 'object' } },
      params: { safetySettings: [], generationConfig: { topK: 9 } },
    })
    expect(dropped).toEqual([])
    expect(body).toEqual({
      systemInstruction: { parts: [{ text: 'Be brief.' }] },
      contents: [
        { role: 'user', parts: [{ text: 'Time' }, { text: 'in Rome?' }] },
        { role: 'model', parts: [{ functionCall: { id: 'c1', name: 'get_time', args: { zone: 'Rome' } } }] },
        {
          role: 'user',
          parts: [{ functionResponse: { id: 'c1', name: 'get_time', response: { output: 'noon' } } }],
        },
        { role: 'user', parts: [{ text: 'Thanks' }] },
      ],
      tools: [
        {
          functionDeclarations: [
            {
              name: 'get_time',
              description: 'the time',
              parametersJsonSchema: { type: 'object', properties: {} },
            },
          ],
        },
      ],
      toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['get_time'] } },
      generationConfig: {
        maxOutputTokens: 50,
        temperature: 0,
        topP: 0.5,
        topK: 9,
        stopSequences: ['.'],
        seed: 7,
        frequencyPenalty: 0.1,
        presencePenalty: 0.2,
        responseMimeType: 'application/json',
        responseJsonSchema: { type: 'object' },
        responseLogprobs: true,
        logprobs: 2,
      },
      safetySettings: [],
    })
  })

  test('what it cannot say is named', () => {
    const { dropped } = encode({
      messages: [
        { role: 'user', text: 'a', parts: [{ type: 'text', text: 'a', cache: '5m' }] },
        { role: 'assistant', text: 'b', reasoning: [{ text: 'hm', signature: 's', by: 'anthropic' }] },
        { role: 'system', text: 'c' },
      ],
      tools: [{ name: 'f', strict: true }],
      parallelToolCalls: false,
      user: 'u',
    })
    expect(dropped.map((one) => one.split(':')[0])).toEqual([
      'cache hints',
      'messages',
      'messages',
      'tools',
      'parallelToolCalls',
      'user',
    ])
  })

  test('instructions alone are answered', () => {
    expect(encode({ messages: [{ role: 'system', text: 'Greet.' }] }).body).toEqual({
      systemInstruction: { parts: [{ text: 'Greet.' }] },
      contents: [{ role: 'user', parts: [{ text: 'Begin.' }] }],
    })
  })

  test('an image that a tool gave stands after all results of the turn', () => {
    const source = { type: 'base64', mediaType: 'image/png', data: 'aGk=' } as const
    const call = (callId: string) => ({ callId, name: 'shot', arguments: '' })
    const { body } = encode({
      messages: [
        { role: 'user', text: 'a' },
        { role: 'assistant', text: '', toolCalls: [call('1'), call('2')] },
        { role: 'tool', callId: '1', text: '', parts: [{ type: 'image', source }] },
        { role: 'tool', callId: '2', text: 'no', failed: true },
      ],
    })
    const response = (id: string, given: object) => ({
      functionResponse: { id, name: 'shot', response: given },
    })
    expect((body['contents'] as object[]).slice(2)).toEqual([
      { role: 'user', parts: [response('1', { output: '' }), response('2', { error: 'no' })] },
      { role: 'user', parts: [{ inlineData: { mimeType: 'image/png', data: 'aGk=' } }] },
    ])
  })

  test('a result without its call cannot be said', () => {
    expect(() => encode({ messages: [{ role: 'tool', callId: 'c', text: 'x' }] })).toThrow(RequestFault)
  })

  test('thoughts signed by Gemini put their signature where it stood: at the first call, else at the text', () => {
    const reasoning = [{ text: 'hm', signature: 'sig', by: 'gemini' as const }]
    const toolCalls = [1, 2].map((n) => ({ callId: `${n}`, name: 'f', arguments: '{}' }))
    const partsFor = (calls: typeof toolCalls) =>
      (
        encode({ messages: [{ role: 'assistant', text: 'x', reasoning, toolCalls: calls }] }, 'gemini-3-pro')
          .body['contents'] as { parts: object[] }[]
      )[0]?.parts
    expect(partsFor(toolCalls)).toEqual([
      { text: 'x' },
      { functionCall: { id: '1', name: 'f', args: {} }, thoughtSignature: 'sig' },
      { functionCall: { id: '2', name: 'f', args: {} } },
    ])
    expect(partsFor([])).toEqual([{ text: 'x', thoughtSignature: 'sig' }])
  })

  test('a call whose arguments are no JSON is shown as it was', () => {
    const toolCalls = [{ callId: '1', name: 'f', arguments: '{"a":' }]
    const { contents } = encode({ messages: [{ role: 'assistant', text: '', toolCalls }] }).body as {
      contents: { parts: { functionCall: { args: object } }[] }[]
    }
    expect(contents[0]?.parts[0]?.functionCall.args).toEqual({ invalid_arguments: '{"a":' })
  })

  test.each([
    ['gemini-2.5-pro', 'none', { thinkingBudget: 128, includeThoughts: false }],
    ['gemini-2.5-flash', 'none', { thinkingBudget: 0, includeThoughts: false }],
    ['gemini-2.5-flash', 'xhigh', { thinkingBudget: 24_576, includeThoughts: true }],
    ['gemini-3-pro-preview', 'minimal', { thinkingLevel: 'LOW', includeThoughts: true }],
    ['gemini-3.1-flash', 'minimal', { thinkingLevel: 'MINIMAL', includeThoughts: true }],
    ['gemini-flash-latest', 'medium', { thinkingBudget: 8_192, includeThoughts: true }],
    ['gemma-3-27b-it', 'high', undefined],
  ] as const)('%s thinking %s', (model, effort, config) => {
    const { body } = encode({ reasoning: { effort } }, model)
    expect((body['generationConfig'] as { thinkingConfig?: object } | undefined)?.thinkingConfig).toEqual(
      config,
    )
  })
})

describe('a stream', () => {
  test('thoughts, their seal, text and a call, streamed', () => {
    const events = decode(
      'streamed',
      { ...chunk([{ text: 'Hm.', thought: true }]), responseId: 'r', modelVersion: 'gemini-3' },
      chunk([
        { functionCall: { name: 'f', args: { a: 1 } }, thoughtSignature: 'sig' },
        { functionCall: { id: 'x', name: 'g' } },
      ]),
      {
        ...stop,
        usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 2, toolUsePromptTokenCount: 1 },
      },
    )
    const first = { callId: 'made_1', name: 'f', arguments: '{"a":1}', thoughtSignature: 'sig' }
    const second = { callId: 'x', name: 'g', arguments: '{}' }
    expect(events).toEqual([
      { type: 'begin', id: 'r', model: 'gemini-3' },
      { type: 'reasoning', text: 'Hm.' },
      { type: 'reasoningSeal', signature: 'sig', by: 'gemini' },
      { type: 'toolCallDelta', index: 0, ...first },
      { type: 'toolCall', call: first },
      { type: 'toolCallDelta', index: 1, ...second },
      { type: 'toolCall', call: second },
      { type: 'usage', usage: { inputTokens: 4, outputTokens: 2 } },
      { type: 'finish', reason: 'tool_calls' },
    ])
  })

  test.each([
    ['STOP', 'stop'],
    ['MAX_TOKENS', 'length'],
    ['SAFETY', 'content_filter'],
    ['RECITATION', 'content_filter'],
    ['PROHIBITED_CONTENT', 'content_filter'],
    ['SOMETHING_NEW', 'stop'],
  ])('finish reason %s is %s', (reason, ours) => {
    expect(decode('whole', chunk([], { finishReason: reason }))).toEqual([{ type: 'finish', reason: ours }])
  })

  test('a model that fails at its own call fails the stream, so that another is asked', () => {
    expect(() => decode('whole', chunk([], { finishReason: 'MALFORMED_FUNCTION_CALL' }))).toThrow(StreamFault)
  })

  test('log probabilities in the shape of OpenAI', () => {
    const a = { token: 'a', tokenId: 1, logProbability: -0.5 }
    const b = { token: 'b', tokenId: 2, logProbability: -1.5 }
    const logprobsResult = { chosenCandidates: [a], topCandidates: [{ candidates: [a, b] }] }
    const token = (one: typeof a) => ({ token: one.token, logprob: one.logProbability, bytes: null })
    expect(decode('whole', chunk([{ text: 'a' }], { logprobsResult }), stop)[1]).toEqual({
      type: 'logprobs',
      content: [{ ...token(a), top_logprobs: [token(a), token(b)] }],
    })
  })

  test('one that broke off is a fault', () => {
    expect(() => decode('whole', chunk([{ text: 'half' }]))).toThrow(/broke off/)
  })

  test.each([
    [429, { error: { code: 429, status: 'RESOURCE_EXHAUSTED' } }, 'rate'],
    [402, { error: { code: 402, status: 'RESOURCE_EXHAUSTED' } }, 'quota'],
    [403, { error: { code: 403, status: 'PERMISSION_DENIED' } }, 'auth'],
    [404, [{ error: { code: 404, status: 'NOT_FOUND' } }], 'bad_request'],
    [504, { error: { code: 504, status: 'DEADLINE_EXCEEDED' } }, 'timeout'],
    [500, 'no JSON', 'transient'],
    [401, undefined, 'auth'],
  ])('%s with %j is %s', (status, body, kind) => {
    expect(geminiProvider.errorOf(status, body).kind).toBe(kind)
  })
})

test("a chat client brings the signature of a call back, where Google's own endpoint has it", () => {
  const call = { callId: 'c', name: 'f', arguments: '{}', thoughtSignature: 'sig' }
  const written = chatClient.encodeAnswer(
    [{ type: 'toolCall', call }],
    { id: 'x', model: 'm', createdS: 0 },
    {},
  )
  const { message } = (written['choices'] as { message: object }[])[0]!
  const { messages } = chatClient.read({ model: 'm', messages: [message] }).neutral()
  expect(messages).toMatchObject([{ role: 'assistant', toolCalls: [call] }])
})
