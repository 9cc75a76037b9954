/** What we answer in the dialect, read by the official SDK. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import Anthropic from '@anthropic-ai/sdk'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { anthropicClient } from '../../src/dialect/anthropic/index.ts'
import type { ModelEvent } from '../../src/dialect/neutral.ts'
import { ChatStreamDecoder, decodeChatAnswer } from '../../src/dialect/openai-chat/decode.ts'
import {
  eventsOf,
  framesOf,
  HEAD,
  newWriter,
  orderMistakes,
  sseText,
  TRAILER,
  writtenOf,
} from './anthropic-stream.ts'

let server: Server
let client: Anthropic
let reply: { readonly status?: number; readonly text: string }
beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume()
    const { status = 200, text } = reply
    const type = text.startsWith('{') ? 'application/json' : 'text/event-stream'
    response.writeHead(status, { 'content-type': type }).end(text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  client = new Anthropic({ apiKey: 'k', baseURL: `http://127.0.0.1:${port}`, maxRetries: 0 })
})
afterAll(() => new Promise((resolve) => server.close(resolve)))

const ask = { model: 'm', max_tokens: 9, messages: [{ role: 'user' as const, content: 'Hi' }] }

function streamed(text: string) {
  reply = { text }
  return client.messages.stream(ask)
}

/** What a chat completions provider streams, as neutral events. */
function chatEvents(...chunks: object[]): ModelEvent[] {
  const decoder = new ChatStreamDecoder({ newCallId: () => 'made', calls: 'streamed' })
  const events = chunks.flatMap((one) => decoder.push({ event: 'message', data: JSON.stringify(one) }))
  return [...events, ...decoder.end()]
}
const chunk = (delta: object, finish_reason: string | null = null) => ({
  id: 'chatcmpl-1',
  model: 'gpt',
  choices: [{ index: 0, delta, finish_reason }],
})
const callPiece = (index: number, id: string | undefined, name: string | undefined, args: string) =>
  chunk({ tool_calls: [{ index, ...(id && { id }), function: { ...(name && { name }), arguments: args } }] })
const usage = {
  choices: [],
  usage: {
    prompt_tokens: 20,
    completion_tokens: 7,
    prompt_tokens_details: { cached_tokens: 5 },
    completion_tokens_details: { reasoning_tokens: 3 },
  },
}

describe('an answer of a chat completions provider, as Messages', () => {
  test('thoughts, words and parallel calls become one message', async () => {
    const text = writtenOf(
      chatEvents(
        chunk({ reasoning_content: 'Hm' }),
        chunk({ reasoning_content: ', well' }),
        chunk({ content: 'Let ' }),
        chunk({ content: 'me see.' }),
        callPiece(0, 'call_a', 'weather', ''),
        callPiece(1, 'call_b', 'time', '{"zone"'),
        callPiece(0, undefined, undefined, '{"city":"Rome"}'),
        callPiece(1, undefined, undefined, ':1}'),
        chunk({}, 'tool_calls'),
        usage,
      ),
    )
    expect(orderMistakes(text)).toEqual([])
    const inputs: string[] = []
    const stream = streamed(text).on('inputJson', (piece) => inputs.push(piece))
    const message = await stream.finalMessage()
    expect(message).toMatchObject({
      id: 'msg_ours',
      type: 'message',
      role: 'assistant',
      model: 'ours',
      stop_reason: 'tool_use',
      stop_sequence: null,
      content: [
        { type: 'thinking', thinking: 'Hm, well', signature: '' },
        { type: 'text', text: 'Let me see.' },
        { type: 'tool_use', id: 'call_a', name: 'weather', input: { city: 'Rome' } },
        { type: 'tool_use', id: 'call_b', name: 'time', input: { zone: 1 } },
      ],
      usage: {
        input_tokens: 15,
        cache_read_input_tokens: 5,
        output_tokens: 7,
        output_tokens_details: { thinking_tokens: 3 },
      },
    })
    expect(message.content).toHaveLength(4)
    expect(inputs).toEqual(['{"city":"Rome"}', '{"zone"', ':1}'])
  })
  test.each([
    ['stop', 'end_turn'],
    ['length', 'max_tokens'],
    ['content_filter', 'refusal'],
  ])('finish reason %s is stop reason %s', async (finish, stop) => {
    const text = writtenOf(chatEvents(chunk({ content: 'Hi' }), chunk({}, finish)))
    expect((await streamed(text).finalMessage()).stop_reason).toBe(stop)
  })
  test('the record is in message_stop', () => {
    const text = writtenOf(chatEvents(chunk({ content: 'Hi' }), chunk({}, 'stop')))
    expect(eventsOf(text).at(-1)).toEqual({
      event: 'message_stop',
      data: '{"type":"message_stop","parley":{"attempts":1}}',
    })
  })
  test('an answer without a word is still a message', async () => {
    const text = newWriter().end(TRAILER)
    expect(orderMistakes(text)).toEqual([])
    expect(await streamed(text).finalMessage()).toMatchObject({ content: [], stop_reason: 'end_turn' })
  })
  test('whole: the same message at once', async () => {
    const call = {
      id: 'call_a',
      type: 'function',
      function: { name: 'weather', arguments: '{"city":"Rome"}' },
    }
    const events = decodeChatAnswer(
      {
        choices: [
          {
            index: 0,
            message: { content: 'Let me see.', reasoning_content: 'Hm', tool_calls: [call] },
            finish_reason: 'tool_calls',
          },
        ],
        usage: usage.usage,
      },
      () => 'made',
    )
    reply = { text: JSON.stringify({ ...anthropicClient.encodeAnswer(events, HEAD, {}), ...TRAILER }) }
    expect(await client.messages.create(ask)).toMatchObject({
      ...{ id: 'msg_ours', model: 'ours', stop_reason: 'tool_use', parley: { attempts: 1 } },
      content: [
        { type: 'thinking', thinking: 'Hm', signature: '' },
        { type: 'text', text: 'Let me see.' },
        { type: 'tool_use', id: 'call_a', name: 'weather', input: { city: 'Rome' } },
      ],
      usage: { input_tokens: 15, cache_read_input_tokens: 5, output_tokens: 7 },
    })
  })
})

const message = {
  ...{ id: 'msg_theirs', type: 'message', role: 'assistant', model: 'claude-x', content: [] },
  ...{ stop_reason: null, stop_sequence: null, usage: { input_tokens: 3, output_tokens: 1 } },
}
const THEIRS = [
  { type: 'message_start', message },
  { type: 'ping' },
  { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'Hm' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'sig' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'content_block_start', index: 1, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'One, ' } },
  { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'two' } },
  { type: 'content_block_stop', index: 1 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 8 }, later: { x: 1 } },
  { type: 'message_stop', 'amazon-bedrock-invocationMetrics': { latency: 5 } },
]

describe('an answer of an anthropic provider, passed on', () => {
  const passed = (events: readonly { readonly type: string }[]) => {
    const writer = newWriter()
    const text = framesOf(sseText(...events))
      .map((frame) => writer.pass(frame))
      .join('')
    return { writer, text }
  }
  test('byte for byte, but for our record in the last event', async () => {
    const { writer, text } = passed(THEIRS)
    expect(text).toBe(sseText(...THEIRS.slice(0, -1)))
    const all = text + writer.end(TRAILER)
    expect(eventsOf(all).at(-1)?.data).toBe(
      '{"type":"message_stop","amazon-bedrock-invocationMetrics":{"latency":5},"parley":{"attempts":1}}',
    )
    expect(await streamed(all).finalMessage()).toMatchObject({
      id: 'msg_theirs',
      content: [
        { type: 'thinking', thinking: 'Hm', signature: 'sig' },
        { type: 'text', text: 'One, two' },
      ],
      usage: { input_tokens: 3, output_tokens: 8 },
    })
  })
  test('where text broke off, another goes on in the same block', async () => {
    const { writer, text } = passed(THEIRS.slice(0, 8))
    const rest: ModelEvent[] = [
      { type: 'begin', id: 'x', model: 'gpt' },
      { type: 'text', text: 'two' },
      { type: 'usage', usage: { inputTokens: 30, outputTokens: 2 } },
      { type: 'finish', reason: 'stop' },
    ]
    const all = text + rest.map((event) => writer.write(event)).join('') + writer.end(TRAILER)
    expect(orderMistakes(all)).toEqual([])
    expect(await streamed(all).finalMessage()).toMatchObject({
      id: 'msg_theirs',
      content: [{ type: 'thinking' }, { type: 'text', text: 'One, two' }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 30, output_tokens: 2 },
    })
  })
  test.each([
    [4, 2],
    [6, 2],
    [7, 2],
    [10, 3],
  ])('where it broke off after event %i, the rest is in order', async (kept, blocks) => {
    const { writer, text } = passed(THEIRS.slice(0, kept))
    const all =
      text +
      writer.write({ type: 'text', text: 'on' }) +
      writer.write({ type: 'toolCall', call: { callId: 'a', name: 'f', arguments: '{}' } }) +
      writer.write({ type: 'finish', reason: 'tool_calls' }) +
      writer.end(TRAILER)
    expect(orderMistakes(all)).toEqual([])
    const { content } = await streamed(all).finalMessage()
    expect(content).toHaveLength(blocks + 1)
    expect(content.at(-1)).toMatchObject({ type: 'tool_use', name: 'f', input: {} })
  })
  test('a server that names no events', async () => {
    const bare = THEIRS.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')
    const writer = newWriter()
    const text = framesOf(bare)
      .map((frame) => writer.pass(frame))
      .join('')
    expect(text + writer.end(TRAILER)).toBe(passed(THEIRS).text + passed(THEIRS).writer.end(TRAILER))
  })
})

test('a call that never ends keeps the rest waiting, but not without end', () => {
  const writer = newWriter()
  const call = { type: 'toolCallDelta', index: 0, callId: 'a', name: 'f', arguments: '{"x":' } as const
  let text = writer.write(call)
  const piece = 'x'.repeat(100_000)
  for (let i = 0; i < 10; i++) expect(writer.write({ type: 'text', text: piece })).toBe('')
  text += writer.write({ type: 'text', text: piece })
  expect(text.length).toBeGreaterThan(1_100_000)
  text += writer.write({ ...call, arguments: '1}' })
  text += writer.write({ type: 'toolCall', call: { callId: 'a', name: 'f', arguments: '{"x":1}' } })
  text += writer.write({ type: 'finish', reason: 'tool_calls' }) + writer.end(TRAILER)
  expect(orderMistakes(text)).toEqual([])
  expect(eventsOf(text).filter(({ data }) => data.includes('"tool_use","id"'))).toHaveLength(1)
})

describe('thoughts that others signed', () => {
  const events: ModelEvent[] = [
    { type: 'reasoning', text: 'Hm' },
    { type: 'reasoningSeal', signature: 'g', by: 'gemini' },
    { type: 'reasoningSeal', sealed: 'dark' },
    { type: 'reasoning', text: 'So' },
    { type: 'reasoningSeal', signature: 'sig', by: 'anthropic' },
    { type: 'text', text: 'Yes' },
    { type: 'finish', reason: 'stop', stopSequence: 'END' },
  ]
  test('are marked, streamed and whole alike', async () => {
    const text = writtenOf(events)
    expect(orderMistakes(text)).toEqual([])
    const whole = anthropicClient.encodeAnswer(events, HEAD, {})
    const content = [
      { type: 'thinking', thinking: 'Hm', signature: 'parley.gemini.g' },
      { type: 'redacted_thinking', data: 'parley..dark' },
      { type: 'thinking', thinking: 'So', signature: 'sig' },
      { type: 'text', text: 'Yes', citations: null },
    ]
    expect(whole).toMatchObject({ content, stop_reason: 'stop_sequence', stop_sequence: 'END' })
    expect(await streamed(text).finalMessage()).toMatchObject({
      ...{ content, stop_reason: 'stop_sequence', stop_sequence: 'END' },
    })
  })
})

describe('failing', () => {
  const error = { status: 503, code: 'provider_failed', type: 'server_error', message: 'No.', param: null }
  test('an answer that broke off is an error of the stream', async () => {
    const writer = newWriter()
    const stream = streamed(writer.write({ type: 'text', text: 'Half' }) + writer.fail(error, TRAILER))
    const seen: string[] = []
    stream.on('text', (text) => seen.push(text))
    const failed = await stream.finalMessage().catch((reason: unknown) => reason)
    expect(failed).toBeInstanceOf(Anthropic.APIError)
    expect(failed).toMatchObject({
      type: 'overloaded_error',
      errorCode: 'provider_failed',
      error: { parley: { attempts: 1 } },
    })
    expect(seen).toEqual(['Half'])
  })
  test.each([
    [400, Anthropic.BadRequestError],
    [401, Anthropic.AuthenticationError],
    [429, Anthropic.RateLimitError],
    [500, Anthropic.InternalServerError],
    [503, Anthropic.ServiceUnavailableError],
  ] as const)('status %i is the class the SDK knows', async (status, type) => {
    reply = { status, text: JSON.stringify(anthropicClient.errorBody({ ...error, status })) }
    const failed = await client.messages.create(ask).catch((reason: unknown) => reason)
    expect(failed).toBeInstanceOf(type)
    expect(failed).toMatchObject({ apiMessage: 'No.', errorCode: 'provider_failed' })
  })
})
