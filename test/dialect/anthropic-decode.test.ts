import { describe, expect, test } from 'vitest'
import { MessagesDecoder } from '../../src/dialect/anthropic/decode.ts'
import { anthropicProvider } from '../../src/dialect/anthropic/index.ts'
import { StreamFault } from '../../src/dialect/faults.ts'
import type { ModelEvent } from '../../src/dialect/neutral.ts'

type Json = Record<string, unknown>
const codec = anthropicProvider({ maxTokens: 100 })
const sse = (event: Json) => ({ event: String(event['type']), data: JSON.stringify(event) })

function decoderOf(calls: 'whole' | 'streamed') {
  let made = 0
  return new MessagesDecoder({ newCallId: () => `made_${++made}`, calls })
}
function decode(events: readonly Json[], calls: 'whole' | 'streamed' = 'whole'): ModelEvent[] {
  const decoder = decoderOf(calls)
  return [...events.flatMap((event) => decoder.push(sse(event))), ...decoder.end()]
}
const begin = (usage: Json = { input_tokens: 10, output_tokens: 1 }) => ({
  type: 'message_start',
  message: { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-x', content: [], usage },
})
const start = (index: number, content_block: Json) => ({ type: 'content_block_start', index, content_block })
const delta = (index: number, type: string, more: Json) => ({
  ...{ type: 'content_block_delta', index, delta: { type, ...more } },
})
const stop = (index: number) => ({ type: 'content_block_stop', index })
const end = (stop_reason: string, usage: Json = { output_tokens: 7 }, more: Json = {}) => [
  { type: 'message_delta', delta: { stop_reason, stop_sequence: null, ...more }, usage },
  { type: 'message_stop' },
]
const words = [start(0, { type: 'text', text: '' }), delta(0, 'text_delta', { text: 'Hi' }), stop(0)]

describe('a stream', () => {
  test('text, usage, then finish last; pings mean nothing', () => {
    expect(decode([begin(), { type: 'ping' }, ...words, ...end('end_turn')])).toEqual([
      { type: 'text', text: 'Hi' },
      { type: 'usage', usage: { inputTokens: 10, outputTokens: 7 } },
      { type: 'finish', reason: 'stop' },
    ])
  })
  test('what the cache gave and took is input too', () => {
    const first = { input_tokens: 10, cache_read_input_tokens: 200, cache_creation_input_tokens: 30 }
    const last = {
      input_tokens: null,
      output_tokens: 9,
      output_tokens_details: { thinking_tokens: 4 },
    }
    expect(decode([begin(first), ...words, ...end('end_turn', last)])).toContainEqual({
      type: 'usage',
      usage: {
        inputTokens: 240,
        outputTokens: 9,
        cachedTokens: 200,
        cacheWriteTokens: 30,
        reasoningTokens: 4,
      },
    })
  })
  test('thoughts, their signature, and those that nobody may read', () => {
    expect(
      decode([
        begin(),
        start(0, { type: 'thinking', thinking: '', signature: '' }),
        delta(0, 'thinking_delta', { thinking: 'Hm' }),
        delta(0, 'signature_delta', { signature: 'sig' }),
        stop(0),
        start(1, { type: 'redacted_thinking', data: 'dark' }),
        stop(1),
        start(2, { type: 'text', text: 'Yes' }),
        delta(2, 'citations_delta', { citation: {} }),
        stop(2),
        ...end('end_turn'),
      ]).slice(0, -2),
    ).toEqual([
      { type: 'reasoning', text: 'Hm' },
      { type: 'reasoningSeal', signature: 'sig', by: 'anthropic' },
      { type: 'reasoningSeal', sealed: 'dark', by: 'anthropic' },
      { type: 'text', text: 'Yes' },
    ])
  })
  test('calls as they are written, and whole', () => {
    const call = (index: number, id: string, name: string, ...pieces: string[]) => [
      start(index, { type: 'tool_use', id, name, input: {} }),
      ...pieces.map((partial_json) => delta(index, 'input_json_delta', { partial_json })),
      stop(index),
    ]
    const events = [
      ...[begin(), ...words],
      ...call(1, 'a', 'f', '', '{"x"', ':1}'),
      ...[...call(2, '', 'g'), ...end('tool_use')],
    ]
    const whole = [
      { type: 'toolCall', call: { callId: 'a', name: 'f', arguments: '{"x":1}' } },
      { type: 'toolCall', call: { callId: 'made_1', name: 'g', arguments: '{}' } },
    ]
    expect(decode(events).filter(({ type }) => type === 'toolCall')).toEqual(whole)
    const first = { type: 'toolCallDelta', index: 0, callId: 'a', name: 'f' }
    const second = { type: 'toolCallDelta', index: 1, callId: 'made_1', name: 'g' }
    expect(decode(events, 'streamed')).toEqual([
      { type: 'begin', id: 'msg_1', model: 'claude-x' },
      { type: 'text', text: 'Hi' },
      { ...first, arguments: '' },
      { ...first, arguments: '{"x"' },
      { ...first, arguments: ':1}' },
      whole[0],
      { ...second, arguments: '' },
      whole[1],
      { type: 'usage', usage: { inputTokens: 10, outputTokens: 7 } },
      { type: 'finish', reason: 'tool_calls' },
    ])
  })
  test('tools that the provider runs itself are not ours to call', () => {
    expect(
      decode([
        begin(),
        start(0, { type: 'server_tool_use', id: 's', name: 'web_search', input: {} }),
        delta(0, 'input_json_delta', { partial_json: '{"query":"x"}' }),
        stop(0),
        start(1, { type: 'web_search_tool_result', tool_use_id: 's', content: [] }),
        stop(1),
        ...end('pause_turn'),
      ]),
    ).toEqual([
      { type: 'usage', usage: { inputTokens: 10, outputTokens: 7 } },
      { type: 'finish', reason: 'stop' },
    ])
  })
  test.each([
    ['end_turn', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['tool_use', 'tool_calls'],
    ['refusal', 'content_filter'],
    ['pause_turn', 'stop'],
    ['something_new', 'stop'],
  ])('stop reason %s is %s', (reason, ours) => {
    expect(decode([begin(), ...end(reason)]).at(-1)).toEqual({ type: 'finish', reason: ours })
  })
  test('which stop sequence it was', () => {
    expect(decode([begin(), ...end('stop_sequence', {}, { stop_sequence: 'END' })]).at(-1)).toEqual({
      type: 'finish',
      reason: 'stop',
      stopSequence: 'END',
    })
  })
  test('compatible servers: input whole at the start, stop for a call, no last event', () => {
    const input = start(0, { type: 'tool_use', id: 'a', name: 'f', input: { x: 1 } })
    const events = decode([begin(), input, ...end('end_turn').slice(0, 1)], 'streamed')
    expect(events.slice(1, 4)).toEqual([
      { type: 'toolCallDelta', index: 0, callId: 'a', name: 'f', arguments: '' },
      { type: 'toolCallDelta', index: 0, callId: 'a', name: 'f', arguments: '{"x":1}' },
      { type: 'toolCall', call: { callId: 'a', name: 'f', arguments: '{"x":1}' } },
    ])
    expect(events.at(-1)).toEqual({ type: 'finish', reason: 'tool_calls' })
  })
  test('after its end nothing matters', () => {
    const decoder = decoderOf('whole')
    for (const event of [begin(), ...words, ...end('end_turn')]) decoder.push(sse(event))
    expect(decoder.done).toBe(true)
    expect(decoder.push({ event: 'x', data: '{' })).toEqual([])
    expect(decoder.end()).toEqual([])
  })
})

describe('a stream that goes wrong', () => {
  const fault = (run: () => unknown) => {
    try {
      run()
    } catch (error) {
      return error
    }
    return undefined
  }
  test('that breaks off did not end', () => {
    expect(fault(() => decode([begin(), ...words]))).toMatchObject({ name: 'StreamFault', kind: 'transient' })
  })
  test.each([
    ['overloaded_error', 'transient'],
    ['api_error', 'transient'],
    ['rate_limit_error', 'rate'],
    ['invalid_request_error', 'bad_request'],
    ['authentication_error', 'auth'],
    ['billing_error', 'quota'],
    ['timeout_error', 'timeout'],
    ['SECRET sentence', 'transient'],
  ])('an error event of type %s is %s, and says no more', (type, kind) => {
    const error = { type: 'error', error: { type, message: 'SECRET' } }
    const found = fault(() => decode([begin(), error])) as StreamFault
    expect(found).toMatchObject({ name: 'StreamFault', kind })
    expect(found.message).not.toMatch(/SECRET/)
  })
  test('a prompt too long, told inside the stream, is another’s to try', () => {
    const error = {
      type: 'error',
      error: { type: 'invalid_request_error', message: 'prompt is too long: 9 > 8' },
    }
    expect(fault(() => decode([begin(), error]))).toMatchObject({ declined: 'context_overflow' })
  })
  test.each([['{'], ['[]'], ['1'], ['"SECRET']])('%s is no event', (data) => {
    const found = fault(() => decoderOf('whole').push({ event: 'message_start', data })) as StreamFault
    expect(found.name).toBe('StreamFault')
    expect(found.message).not.toMatch(/SECRET/)
  })
  test('neither calls nor their arguments nor open blocks without end', () => {
    const call = (index: number) => start(index, { type: 'tool_use', id: `c${index}`, name: 'f', input: {} })
    const many = Array.from({ length: 65 }, (_, i) => [call(i), stop(i)]).flat()
    const long = Array.from({ length: 11 }, () =>
      delta(0, 'input_json_delta', { partial_json: 'x'.repeat(100_000) }),
    )
    const open = Array.from({ length: 65 }, (_, i) => start(i, { type: 'text' }))
    for (const events of [many, [call(0), ...long], open]) {
      expect(fault(() => decode([begin(), ...events]))).toMatchObject({ name: 'StreamFault' })
    }
    expect(fault(() => decode([start(0, { type: 'tool_use', id: 'a' })]))).toMatchObject({
      message: 'a tool call without a name',
    })
  })
})

describe('a whole answer', () => {
  const message = {
    ...begin().message,
    content: [
      { type: 'thinking', thinking: 'Hm', signature: 'sig' },
      { type: 'text', text: 'Hi', citations: null },
      { type: 'tool_use', id: 'a', name: 'f', input: { x: 1 } },
    ],
    stop_reason: 'tool_use',
    stop_sequence: null,
    usage: { input_tokens: 3, output_tokens: 4 },
  }
  test('is the same events as its stream', () => {
    expect(codec.decodeAnswer(message, () => 'x')).toEqual([
      { type: 'begin', id: 'msg_1', model: 'claude-x' },
      { type: 'reasoning', text: 'Hm' },
      { type: 'reasoningSeal', signature: 'sig', by: 'anthropic' },
      { type: 'text', text: 'Hi' },
      { type: 'toolCall', call: { callId: 'a', name: 'f', arguments: '{"x":1}' } },
      { type: 'usage', usage: { inputTokens: 3, outputTokens: 4 } },
      { type: 'finish', reason: 'tool_calls' },
    ])
  })
  test.each([
    [null],
    ['text'],
    [{}],
    [{ content: 'x' }],
    [{ type: 'error', error: { type: 'api_error', message: 'SECRET' } }],
  ])('%j is none', (body) => {
    expect(() => codec.decodeAnswer(body, () => 'x')).toThrow(StreamFault)
    expect(() => codec.decodeAnswer(body, () => 'x')).not.toThrow(/SECRET/)
  })
})

describe('a status that is no success', () => {
  const error = (type: string, message: string, error_code?: string) => ({
    type: 'error',
    error: { type, message, ...(error_code && { details: { error_code } }) },
    request_id: 'req_1',
  })
  const kindOf = (status: number, body: unknown) => codec.errorOf(status, body).kind
  test.each([
    [400, 'invalid_request_error', 'bad_request'],
    [401, 'authentication_error', 'auth'],
    [402, 'billing_error', 'quota'],
    [403, 'permission_error', 'auth'],
    [404, 'not_found_error', 'bad_request'],
    [413, 'request_too_large', 'bad_request'],
    [429, 'rate_limit_error', 'rate'],
    [500, 'api_error', 'transient'],
    [504, 'timeout_error', 'timeout'],
    [529, 'overloaded_error', 'transient'],
  ])('%i %s is %s', (status, type, kind) => {
    const found = codec.errorOf(status, error(type, 'SECRET'))
    expect(found).toMatchObject({ kind, message: `HTTP ${status} (${type})` })
  })
  test('a spent limit is no full minute, a bad balance no bad request', () => {
    expect(kindOf(429, error('rate_limit_error', 'x', 'enforced_spend_limit_reached'))).toBe('quota')
    expect(kindOf(429, error('rate_limit_error', 'x', 'ramp_limit_exceeded'))).toBe('rate')
    expect(kindOf(400, error('invalid_request_error', 'Your credit balance is too low to …'))).toBe('quota')
    expect(kindOf(400, error('invalid_request_error', 'x', 'organization_on_hold'))).toBe('auth')
  })
  test('what is too long for this model may fit another', () => {
    for (const sentence of [
      'prompt is too long: 210000 tokens > 200000 maximum',
      'input length and `max_tokens` exceed context limit: 199000 + 21000 > 200000',
    ]) {
      expect(codec.errorOf(400, error('invalid_request_error', sentence))).toMatchObject({
        kind: 'bad_request',
        declined: 'context_overflow',
      })
    }
    expect(codec.errorOf(413, '<html>').declined).toBe('context_overflow')
  })
  test('its sentence is for the sender alone', () => {
    const found = codec.errorOf(400, error('invalid_request_error', 'messages.1: all wrong', 'a_code'))
    expect(found).toEqual({
      kind: 'bad_request',
      message: 'HTTP 400 (a_code)',
      told: { message: 'messages.1: all wrong', type: 'invalid_request_error', code: 'a_code' },
    })
    expect(codec.errorOf(500, undefined)).toEqual({ kind: 'transient', message: 'HTTP 500' })
  })
})
