import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openScope } from '../../../src/cancel.ts'
import { realClock } from '../../../src/clock.ts'
import type { ModelEvent, ModelRequest } from '../../../src/dialect/neutral.ts'
import { addressOf } from '../../../src/provider/openai/address.ts'
import { apiOf, createOpenAi } from '../../../src/provider/openai/index.ts'
import type { LlmWire } from '../../../src/stage/llm.ts'
import type { Provider } from '../../../src/stage/provider.ts'
import {
  DOUBLE_KEY,
  type DoubleFault,
  type ResponsesDouble,
  startResponsesDouble,
} from '../../../src/testing/model/openai-responses/double.ts'

const deps = { clock: realClock, note: () => {} }
const request: ModelRequest = { messages: [{ role: 'user', text: 'Hi' }] }

let double: ResponsesDouble
let provider: Provider
beforeAll(async () => {
  double = await startResponsesDouble()
})
afterAll(() => double.close())
beforeEach(() => {
  provider = createOpenAi(deps, {
    name: 'test',
    baseUrl: double.baseUrl,
    apiKey: DOUBLE_KEY,
    api: 'responses',
  })
})
afterEach(() => provider.close())

function stream(asked = request, signal = openScope().signal) {
  return provider.llm!('gpt-test')!.stream(asked, { signal, clock: realClock })
}

async function collect(events: AsyncIterable<ModelEvent>): Promise<ModelEvent[]> {
  const all: ModelEvent[] = []
  for await (const event of events) all.push(event)
  return all
}

const textOf = (events: readonly ModelEvent[]) =>
  events.map((e) => (e.type === 'text' ? e.text : '')).join('')
const hello = [{ type: 'message', pieces: ['Grüß', ' Gott', ' 👋🏽'] }] as const

describe('answers', () => {
  test.each(['lf', 'crlf', 'cr', 'byteByByte', 'unnamed', 'done'] as const)(
    'text, usage and finish, framed %s',
    async (framing) => {
      double.answer({ items: hello, framing })
      const events = await collect(stream())
      expect(textOf(events)).toBe('Grüß Gott 👋🏽')
      expect(events.slice(-2)).toEqual([
        {
          type: 'usage',
          usage: {
            inputTokens: 40,
            outputTokens: 9,
            cachedTokens: 16,
            cacheWriteTokens: 8,
            reasoningTokens: 3,
          },
        },
        { type: 'finish', reason: 'stop' },
      ])
    },
  )

  test('a call comes whole; thoughts, call and result are a history that the server accepts', async () => {
    const tools = [{ name: 'get_weather', parameters: { type: 'object', properties: {} } }]
    double.answer({
      items: [
        { type: 'reasoning', summary: [['I look', ' it up.']], sealed: 'gAAAA-thought' },
        { type: 'message', pieces: ['Let me see.'] },
        { type: 'function_call', callId: 'call_1', name: 'get_weather', arguments: '{"city":"Rome"}' },
      ],
    })
    const asked = {
      ...request,
      tools,
      toolChoice: 'auto',
      maxTokens: 90,
      reasoning: { effort: 'low' },
    } as const
    const events = await collect(stream(asked))
    const call = events.find((e) => e.type === 'toolCall')?.call
    expect(call).toEqual({ callId: 'call_1', name: 'get_weather', arguments: '{"city":"Rome"}' })
    const seal = events.find((e) => e.type === 'reasoningSeal')
    expect(seal).toMatchObject({ sealed: 'gAAAA-thought', by: 'openai-responses' })
    expect(events.at(-1)).toEqual({ type: 'finish', reason: 'tool_calls' })

    double.answer({ items: [{ type: 'message', pieces: ['Sunny.'] }] })
    const messages: ModelRequest['messages'] = [
      { role: 'system', text: 'Be brief.' },
      ...request.messages,
      {
        role: 'assistant',
        text: 'Let me see.',
        toolCalls: [call!],
        reasoning: [{ text: 'I look it up.', sealed: 'gAAAA-thought', by: 'openai-responses' }],
      },
      { role: 'tool', callId: 'call_1', text: 'sun' },
    ]
    expect(textOf(await collect(stream({ messages, tools })))).toBe('Sunny.')
    expect(double.requests.at(-1)?.body).toMatchObject({ instructions: 'Be brief.', store: false })
  })

  test.each([
    ['max_output_tokens', 'length'],
    ['content_filter', 'content_filter'],
  ] as const)('incomplete for %s finishes by %s', async (incomplete, reason) => {
    double.answer({ items: hello, incomplete })
    expect((await collect(stream())).at(-1)).toEqual({ type: 'finish', reason })
  })
})

describe('its own wire', () => {
  const wire = (): LlmWire => provider.llm!('gpt-test')!.wire!
  const options = () => ({ signal: openScope().signal, clock: realClock })

  test('frames are the events as they came, with what they mean', async () => {
    double.answer({ items: hello, extra: { service_tier: 'flex' } })
    const body = wire().encode(request, 'stream').body
    const frames = []
    for await (const batch of wire().frames({ body, ...options() })) frames.push(...batch)
    expect(frames[0]?.raw.event).toBe('response.created')
    expect(frames[0]?.events).toMatchObject([{ type: 'begin', model: 'gpt-test-2026-01-01' }])
    expect(frames.at(-1)?.raw.data).toContain('"service_tier":"flex"')
  })

  test('a whole answer keeps its text and has the same events as its stream', async () => {
    double.answer({ items: hello })
    const answer = await wire().whole({ body: wire().encode(request, 'whole').body, ...options() })
    expect(JSON.parse(answer.text)).toMatchObject({ object: 'response' })
    expect(textOf(answer.events)).toBe('Grüß Gott 👋🏽')
    expect(answer.events.at(-1)).toEqual({ type: 'finish', reason: 'stop' })
  })
})

describe('faults', () => {
  const cases: [DoubleFault, string][] = [
    ['refuse_auth', 'auth'],
    ['refuse_429', 'rate'],
    ['refuse_quota', 'quota'],
    ['refuse_503', 'transient'],
    ['drop_mid_stream', 'transient'],
    ['close_clean_early', 'transient'],
    ['half_event', 'transient'],
    ['malformed_json', 'transient'],
    ['error_without_context', 'transient'],
    ['error_event_nested', 'rate'],
    ['failed', 'transient'],
    ['wrong_content_type', 'transient'],
    ['huge_event', 'transient'],
  ]
  test.each(cases)('%s is a ProviderError of kind %s that tells no secret', async (fault, kind) => {
    double.answer({ items: hello, fault })
    const failed = await collect(stream()).catch((error: unknown) => error)
    expect(failed).toMatchObject({ name: 'ProviderError', provider: 'test', stage: 'llm', kind })
    expect(String((failed as Error).message)).not.toMatch(/SECRET|sk-double/)
  })
  test('a prompt that is too long is declined, though the stream had begun', async () => {
    double.answer({ fault: 'too_long' })
    await expect(collect(stream())).rejects.toMatchObject({
      kind: 'bad_request',
      declined: 'context_overflow',
    })
  })
  test('what came before the fault is still given', async () => {
    double.answer({ items: hello, fault: 'failed' })
    const seen: ModelEvent[] = []
    const reading = (async () => {
      for await (const event of stream()) seen.push(event)
    })()
    await expect(reading).rejects.toMatchObject({ kind: 'transient' })
    expect(textOf(seen)).toBe('Grüß Gott 👋🏽')
  })
  test('what the server says of a wrong request is for its sender', async () => {
    double.answer({})
    const orphan: ModelRequest = { messages: [{ role: 'tool', callId: 'c9', text: 'x' }] }
    const failed = await collect(stream(orphan)).catch((error: unknown) => error)
    expect(failed).toMatchObject({ kind: 'bad_request', told: { param: 'input[0].call_id', status: 400 } })
  })
})

test('a request that cannot be said in the dialect is a ProviderError, and is not sent', async () => {
  const before = double.requests.length
  await expect(collect(stream({ ...request, stop: ['END'] }))).rejects.toMatchObject({
    name: 'ProviderError',
    kind: 'bad_request',
  })
  expect(double.requests.length).toBe(before)
})

test('an abort closes upstream', async () => {
  double.answer({ items: hello, fault: 'silent_after_ms' })
  const scope = openScope()
  const reading = (async () => {
    for await (const event of stream(request, scope.signal))
      if (event.type === 'text') scope.cancel('barge-in')
  })()
  await expect(reading).rejects.toMatchObject({ reason: 'barge-in' })
  expect(await double.requests.at(-1)!.closed).toBe(true)
})

test('the setting', () => {
  const { origin, path } = addressOf({ name: 'x', baseUrl: 'http://h/v1/?a=b' })
  expect(`${origin}${path('responses', 'm')}`).toBe('http://h/v1/responses?a=b')
  expect(['chat', 'responses', undefined].map((api) => apiOf('x', api))).toEqual([
    'chat',
    'responses',
    'chat',
  ])
  expect(() => apiOf('x', 'assistants')).toThrow('providers.x.api must be chat or responses')
})
