/** The provider's half of the `openai-responses` dialect: requests out, answers in. */
import { describe, expect, test } from 'vitest'
import { StreamFault } from '../../src/dialect/faults.ts'
import type { ModelEvent, ModelRequest } from '../../src/dialect/neutral.ts'
import { responsesProvider } from '../../src/dialect/openai-responses/index.ts'
import { mistakeIn } from '../../src/testing/model/openai-responses/mistakes.ts'
import { eventsOf, responseOf, type Script } from '../../src/testing/model/openai-responses/script.ts'

const OPTIONS = { model: 'm', delivery: 'stream' } as const
const encode = (request: ModelRequest) => responsesProvider.encode(request, OPTIONS)
const user: ModelRequest = { messages: [{ role: 'user', text: 'Hi' }] }

describe('a request', () => {
  test('messages, tools, limits and formats in the words of the API, which it accepts', () => {
    const { body, dropped } = encode({
      messages: [
        { role: 'system', text: 'Be brief.' },
        { role: 'user', text: 'Time?' },
        {
          role: 'assistant',
          text: 'I look.',
          reasoning: [{ text: 'Hm.', sealed: 'gAAAA', by: 'openai-responses' }],
          toolCalls: [{ callId: 'c1', name: 'get_time', arguments: '' }],
        },
        { role: 'tool', callId: 'c1', text: 'noon' },
        { role: 'system', text: 'Now in French.' },
      ],
      tools: [{ name: 'get_time', description: 'the time' }],
      toolChoice: { name: 'get_time' },
      parallelToolCalls: false,
      maxTokens: 50,
      temperature: 0,
      topP: 0.5,
      reasoning: { effort: 'low' },
      responseFormat: { type: 'schema', name: 'out', schema: { type: 'object' }, strict: true },
      topLogprobs: 2,
      user: 'u1',
      params: { service_tier: 'flex' },
    })
    expect(body).toEqual({
      model: 'm',
      instructions: 'Be brief.',
      input: [
        { role: 'user', content: 'Time?' },
        { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm.' }], encrypted_content: 'gAAAA' },
        { role: 'assistant', content: 'I look.' },
        { type: 'function_call', call_id: 'c1', name: 'get_time', arguments: '{}' },
        { type: 'function_call_output', call_id: 'c1', output: 'noon' },
        { role: 'system', content: 'Now in French.' },
      ],
      store: false,
      stream: true,
      tools: [
        {
          type: 'function',
          name: 'get_time',
          description: 'the time',
          parameters: { type: 'object', properties: {} },
          strict: false,
        },
      ],
      tool_choice: { type: 'function', name: 'get_time' },
      parallel_tool_calls: false,
      max_output_tokens: 50,
      temperature: 0,
      top_p: 0.5,
      reasoning: { effort: 'low' },
      text: { format: { type: 'json_schema', name: 'out', schema: { type: 'object' }, strict: true } },
      top_logprobs: 2,
      include: ['reasoning.encrypted_content', 'message.output_text.logprobs'],
      safety_identifier: 'u1',
      service_tier: 'flex',
    })
    expect(dropped).toEqual([])
    expect(mistakeIn(body, new Set())).toBeUndefined()
  })

  test('images, files and results of tools that hold them', () => {
    const parts = [
      { type: 'text', text: 'See ' },
      { type: 'image', source: { type: 'url', url: 'https://x/y.png' }, detail: 'low' },
      { type: 'image', source: { type: 'base64', mediaType: 'image/png', data: 'AAAA' } },
      { type: 'file', mediaType: 'application/pdf', name: 'a.pdf', source: { type: 'base64', data: 'BBBB' } },
      { type: 'file', mediaType: 'application/pdf', source: { type: 'url', url: 'https://x/y.pdf' } },
    ] as const
    const { body, dropped } = encode({
      messages: [
        { role: 'user', text: 'See ', parts },
        { role: 'assistant', text: '', toolCalls: [{ callId: 'c1', name: 'f', arguments: '{}' }] },
        { role: 'tool', callId: 'c1', text: 'See ', parts: parts.slice(0, 2), failed: true },
      ],
    })
    expect(body['input']).toMatchObject([
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'See ' },
          { type: 'input_image', image_url: 'https://x/y.png', detail: 'low' },
          { type: 'input_image', image_url: 'data:image/png;base64,AAAA', detail: 'auto' },
          { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,BBBB' },
          { type: 'input_file', file_url: 'https://x/y.pdf' },
        ],
      },
      { type: 'function_call', call_id: 'c1' },
      {
        type: 'function_call_output',
        call_id: 'c1',
        output: [{ type: 'input_text', text: 'See ' }, { type: 'input_image' }],
      },
    ])
    expect(dropped).toEqual(['messages: failed'])
    expect(mistakeIn(body, new Set())).toBeUndefined()
  })

  test('what it cannot say is named', () => {
    const { body, dropped } = encode({
      messages: [
        { role: 'user', text: 'Hi', parts: [{ type: 'text', text: 'Hi', cache: '1h' }] },
        {
          role: 'assistant',
          text: 'Yes',
          reasoning: [
            { text: 'plain' },
            { text: 'theirs', signature: 'SIG', by: 'anthropic' },
            { text: '', sealed: 'SEALED', by: 'anthropic' },
            { text: '', sealed: 'unknown' },
          ],
        },
      ],
      topK: 4,
      seed: 1,
      frequencyPenalty: 1,
      presencePenalty: 1,
      reasoning: { maxTokens: 100 },
      user: 'x'.repeat(129),
    })
    expect(body).toEqual({
      model: 'm',
      input: [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: 'Yes' },
      ],
      store: false,
      stream: true,
    })
    expect(dropped).toEqual([
      'messages: reasoning',
      'cache hints: it caches by itself',
      'topK',
      'seed',
      'frequencyPenalty',
      'presencePenalty',
      'reasoning.maxTokens',
      'user: longer than 128 characters',
    ])
  })

  test('what would change the answer is refused by its path', () => {
    expect(() => encode({ ...user, stop: ['END'] })).toThrow(expect.objectContaining({ param: 'stop' }))
    const audio = { type: 'audio', format: 'wav', data: 'AA' } as const
    const messages = [{ role: 'user', text: '', parts: [{ type: 'text', text: '' }, audio] }] as const
    expect(() => encode({ messages })).toThrow(
      expect.objectContaining({ name: 'RequestFault', param: 'messages[0].content[1].type' }),
    )
  })

  test('instructions alone are an input; fewer tokens than there can be are the least', () => {
    const { body, dropped } = encode({ messages: [{ role: 'system', text: 'Greet.' }], maxTokens: 5 })
    expect(body).toMatchObject({ input: [{ role: 'system', content: 'Greet.' }], max_output_tokens: 16 })
    expect(body).not.toHaveProperty('instructions')
    expect(dropped).toEqual(['maxTokens: raised to 16, the least there is'])
  })

  test('the pipeline can have it stored, and models without thoughts are not asked for their seal', () => {
    expect(encode({ ...user, params: { store: true } }).body).toMatchObject({ store: true })
    expect(encode({ ...user, reasoning: { effort: 'none' } }).body).not.toHaveProperty('include')
    expect(Object.keys(encode({ ...user, tools: [], toolChoice: 'auto' }).body)).toEqual([
      ...['model', 'input', 'store', 'stream'],
    ])
  })
})

const RICH: Script = {
  items: [
    { type: 'reasoning', summary: [['I ', 'think'], ['more']], sealed: 'gAAAA' },
    { type: 'web_search_call', query: 'weather' },
    { type: 'message', pieces: ['See ', 'it.'] },
    { type: 'function_call', callId: 'c1', name: 'f', arguments: '{"long":"argument"}' },
    { type: 'function_call', callId: 'c2', name: 'g', arguments: '{}' },
  ],
}

type Raw = Record<string, unknown>
const scripted = (script: Script) => [...eventsOf('resp_1', { model: 'm' }, script)]

function decode(events: readonly (Raw | string)[], calls: 'whole' | 'streamed' = 'whole'): ModelEvent[] {
  let made = 0
  const decoder = responsesProvider.decoder({ newCallId: () => `made_${++made}`, calls })
  const found = events.flatMap((event) =>
    decoder.push({ event: 'message', data: typeof event === 'string' ? event : JSON.stringify(event) }),
  )
  return [...found, ...decoder.end()]
}

/** Neighbours of one kind as one. */
function joined(events: readonly ModelEvent[]): ModelEvent[] {
  const all: ModelEvent[] = []
  for (const event of events) {
    const last = all.at(-1)
    if ((event.type === 'text' || event.type === 'reasoning') && last?.type === event.type)
      all[all.length - 1] = { type: event.type, text: last.text + event.text }
    else all.push(event)
  }
  return all
}

const MEANING: ModelEvent[] = [
  { type: 'reasoning', text: 'I think\n\nmore' },
  { type: 'reasoningSeal', sealed: 'gAAAA', by: 'openai-responses' },
  { type: 'text', text: 'See it.' },
  { type: 'toolCall', call: { callId: 'c1', name: 'f', arguments: '{"long":"argument"}' } },
  { type: 'toolCall', call: { callId: 'c2', name: 'g', arguments: '{}' } },
  {
    type: 'usage',
    usage: { inputTokens: 40, outputTokens: 9, cachedTokens: 16, cacheWriteTokens: 8, reasoningTokens: 3 },
  },
  { type: 'finish', reason: 'tool_calls' },
]

describe('a stream', () => {
  test('thoughts, seal, text, calls, usage, finish', () => {
    expect(joined(decode(scripted(RICH)))).toEqual(MEANING)
  })
  test('calls as they are written', () => {
    const events = decode(scripted(RICH), 'streamed')
    expect(events[0]).toEqual({ type: 'begin', id: 'resp_1', model: 'm-2026-01-01' })
    const deltas = events.filter((event) => event.type === 'toolCallDelta')
    expect(deltas[0]).toEqual({ type: 'toolCallDelta', index: 0, callId: 'c1', name: 'f', arguments: '' })
    const args = (index: number) => deltas.map((one) => (one.index === index ? one.arguments : '')).join('')
    expect([args(0), args(1)]).toEqual(['{"long":"argument"}', '{}'])
  })
  test('whole: the same events as the stream has', () => {
    const whole = responsesProvider.decodeAnswer(responseOf('resp_1', { model: 'm' }, RICH), () => 'made')
    expect(joined(whole)).toEqual([{ type: 'begin', id: 'resp_1', model: 'm-2026-01-01' }, ...MEANING])
  })
  test.each<[string, (event: Raw) => boolean]>([
    ['deltas', ({ type }) => String(type).endsWith('.delta')],
    ['everything but the last event', ({ type }) => type !== 'response.completed'],
    ['what ends parts and items', ({ type }) => /\.done$/.test(String(type))],
    ['what begins items', ({ type }) => type === 'response.output_item.added'],
  ])('a server that leaves out %s says the same', (_, left) => {
    const events = scripted(RICH).filter((event) => !left(event))
    const meant = joined(decode(events)).filter(({ type }) => type !== 'reasoningSeal')
    const seal = (one: ModelEvent) => one.type !== 'reasoningSeal'
    expect(meant).toEqual(MEANING.filter(seal))
  })
  test('calls side by side come in the order in which they began', () => {
    const added = (output_index: number, call_id: string) => ({
      type: 'response.output_item.added',
      output_index,
      item: { type: 'function_call', id: `fc_${output_index}`, call_id, name: 'f', arguments: '' },
    })
    const done = (output_index: number, call_id: string) => ({
      type: 'response.output_item.done',
      output_index,
      item: {
        type: 'function_call',
        id: `fc_${output_index}`,
        call_id,
        name: 'f',
        arguments: `"${call_id}"`,
      },
    })
    const end = { type: 'response.completed', response: { output: [] } }
    const events = decode([added(0, 'a'), added(1, 'b'), done(1, 'b'), done(0, 'a'), end])
    expect(events.map((event) => event.type === 'toolCall' && event.call.callId)).toEqual(['a', 'b', false])
  })
  test('what only this dialect knows is told apart: shown, or asked of the client', () => {
    const decoder = responsesProvider.decoder({ newCallId: () => 'x', calls: 'streamed' })
    const own = (event: Raw) => {
      decoder.push({ event: 'message', data: JSON.stringify(event) })
      return decoder.own
    }
    const item = (type: string) => ({ type: 'response.output_item.added', output_index: 9, item: { type } })
    expect(own(item('web_search_call'))).toBe('shown')
    expect(own(item('reasoning'))).toBeUndefined()
    expect(own(item('custom_tool_call'))).toBe('asks')
    expect(own(item('something_new'))).toBe('asks')
    expect(own({ type: 'response.web_search_call.searching' })).toBeUndefined()
    expect(own({ type: 'response.queued', response: {} })).toBe('shown')
    const output = [{ type: 'web_search_call' }, { type: 'computer_call' }]
    expect(own({ type: 'response.completed', response: { output } })).toBe('asks')
  })
  test('a refusal is what the model says', () => {
    const items = [{ type: 'message', pieces: ['No', '.'], kind: 'refusal' }] as const
    expect(joined(decode(scripted({ items })))[0]).toEqual({ type: 'text', text: 'No.' })
  })
  test('a summary and the thoughts themselves: one of them', () => {
    const at = { output_index: 0, item_id: 'rs_1' }
    const events = decode([
      { type: 'response.reasoning_summary_text.delta', ...at, summary_index: 0, delta: 'short' },
      { type: 'response.reasoning_text.delta', ...at, content_index: 0, delta: 'long' },
      { type: 'response.completed', response: {} },
    ])
    expect(events).toEqual([
      { type: 'reasoning', text: 'short' },
      { type: 'finish', reason: 'stop' },
    ])
  })
  test('log probabilities in the shape of chat completions', () => {
    const logprobs = [{ token: 'Hi', logprob: -0.5, top_logprobs: [{ token: 'Ha', logprob: -1 }] }]
    const events = decode(scripted({ items: [{ type: 'message', pieces: ['Hi'], logprobs }] }))
    expect(events[1]).toEqual({
      type: 'logprobs',
      content: [
        {
          token: 'Hi',
          bytes: null,
          logprob: -0.5,
          top_logprobs: [{ token: 'Ha', bytes: null, logprob: -1 }],
        },
      ],
    })
  })
  test.each([
    [{ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }, 'length'],
    [{ status: 'incomplete', incomplete_details: { reason: 'content_filter' } }, 'content_filter'],
    [{ status: 'incomplete', incomplete_details: { reason: 'steered' } }, 'stop'],
    [{ status: 'incomplete' }, 'length'],
    [{}, 'stop'],
  ])('%j finishes by %s', (response, reason) => {
    expect(decode([{ type: 'response.incomplete', response }])).toEqual([{ type: 'finish', reason }])
  })
  test('what runs in the background has no more to say, and is no failure', () => {
    const queued = { id: 'resp_1', status: 'queued', output: [] }
    expect(responsesProvider.decodeAnswer(queued, () => 'x').at(-1)).toEqual({
      type: 'finish',
      reason: 'stop',
    })
  })
})

describe('failures', () => {
  const secret = 'SECRET of the caller'
  test.each<[Raw, string]>([
    [{ type: 'error', code: 'server_error', message: secret, param: null }, 'transient'],
    [{ type: 'error', error: { type: 'tokens', code: 'rate_limit_exceeded', message: secret } }, 'rate'],
    [{ type: 'error', error: { type: 'insufficient_quota', code: 'credit_balance_exhausted' } }, 'quota'],
    [{ type: 'error' }, 'transient'],
    [
      { type: 'response.failed', response: { error: { code: 'invalid_prompt', message: secret } } },
      'bad_request',
    ],
    [
      { type: 'response.failed', response: { error: { code: 'image_too_large', message: secret } } },
      'bad_request',
    ],
    [{ type: 'response.failed', response: { error: { code: secret, message: secret } } }, 'transient'],
    [{ type: 'response.failed' }, 'transient'],
    [{ type: 'response.completed' }, 'transient'],
  ])('%j is %s, without a word of it', (event, kind) => {
    const failing = () => decode([event])
    expect(failing).toThrow(expect.objectContaining({ name: 'StreamFault', kind }))
    expect(failing).not.toThrow(/SECRET/)
  })
  test.each([
    ['context_length_exceeded', 'context_overflow'],
    ['invalid_prompt', 'content_refusal'],
    ['content_filter', 'content_refusal'],
  ])('%s is declined: another target may serve it', (code, declined) => {
    const failing = () =>
      decode([{ type: 'response.failed', response: { error: { code, message: secret } } }])
    expect(failing).toThrow(expect.objectContaining({ kind: 'bad_request', declined }))
  })
  test.each(['{"a":', '[]', '7', 'null'])('%s is malformed', (data) => {
    expect(() => decode([data])).toThrow(StreamFault)
  })
  test('a stream that ends before its last event broke off, whatever its [DONE] says', () => {
    expect(() => decode([...scripted(RICH).slice(0, -1), '[DONE]'])).toThrow('broke off')
  })
  test('an endless call ends', () => {
    const piece = {
      type: 'response.function_call_arguments.delta',
      output_index: 0,
      delta: 'x'.repeat(400_000),
    }
    expect(() => decode([piece, piece, piece])).toThrow('longer than')
  })
  test.each([null, [], {}, { error: { code: 'server_error' } }, { status: 'cancelled', output: [] }])(
    'the whole answer %j is none',
    (body) => {
      expect(() => responsesProvider.decodeAnswer(body, () => 'x')).toThrow(StreamFault)
    },
  )
  test('a call without a name', () => {
    const item = { type: 'function_call', call_id: 'c' }
    expect(() => decode([{ type: 'response.output_item.done', output_index: 0, item }])).toThrow(
      'without a name',
    )
  })
})
