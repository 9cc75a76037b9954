/** The adapter against the double: voice's stream, and the wire that the gateway uses. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openScope } from '../../../src/cancel.ts'
import { realClock } from '../../../src/clock.ts'
import type { ModelEvent, ModelRequest } from '../../../src/dialect/neutral.ts'
import { type AnthropicSettings, createAnthropic } from '../../../src/provider/anthropic/index.ts'
import { endpointOf } from '../../../src/provider/anthropic/settings.ts'
import type { Provider } from '../../../src/stage/provider.ts'
import {
  ANTHROPIC_KEY,
  type AnthropicFault,
  type FakeAnthropic,
  startFakeAnthropic,
} from '../../../src/testing/model/anthropic.ts'
import { SIGNATURE } from '../../../src/testing/model/anthropic-mistakes.ts'

const deps = { clock: realClock, note: () => {} }
const request: ModelRequest = { messages: [{ role: 'user', text: 'Hi' }] }

let fake: FakeAnthropic
let provider: Provider
beforeAll(async () => {
  fake = await startFakeAnthropic()
})
afterAll(() => fake.close())
beforeEach(() => {
  provider = providerOf({})
})
afterEach(() => provider.close())

function providerOf(settings: Partial<AnthropicSettings>): Provider {
  return createAnthropic(deps, { name: 'claude', baseUrl: fake.baseUrl, apiKey: ANTHROPIC_KEY, ...settings })
}

function stream(asked = request, model = 'claude-haiku-4-5', signal = openScope().signal) {
  return provider.llm!(model)!.stream(asked, { signal, clock: realClock })
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

const textOf = (events: readonly ModelEvent[]) =>
  events.map((e) => (e.type === 'text' ? e.text : '')).join('')

describe('answers', () => {
  test.each(['lf', 'crlf', 'cr', 'byteByByte'] as const)(
    'text, usage and finish, framed %s',
    async (framing) => {
      fake.answer({ pieces: ['Grüß', ' Gott', ' 👋🏽'], framing })
      const events = await collect(stream())
      expect(textOf(events)).toBe('Grüß Gott 👋🏽')
      expect(events.slice(-2)).toEqual([
        {
          type: 'usage',
          usage: { inputTokens: 19, outputTokens: 5, cachedTokens: 4, cacheWriteTokens: 3 },
        },
        { type: 'finish', reason: 'stop' },
      ])
    },
  )
  test('thoughts and calls, and the history with them is one the server accepts', async () => {
    const tools = [{ name: 'get_weather', parameters: { properties: {} }, cache: '5m' as const }]
    fake.answer({
      thought: 'Hm.',
      pieces: ['Let me see.'],
      calls: [{ id: 'toolu_1', name: 'get_weather', input: { city: 'Rome' } }],
    })
    const asked: ModelRequest = { ...request, tools, toolChoice: 'auto', reasoning: { effort: 'low' } }
    const events = await collect(stream({ ...asked, temperature: 0.5 }))
    expect(events.filter(({ type }) => type !== 'reasoning')).toEqual([
      { type: 'reasoningSeal', signature: SIGNATURE, by: 'anthropic' },
      { type: 'text', text: 'Let me see.' },
      { type: 'toolCall', call: { callId: 'toolu_1', name: 'get_weather', arguments: '{"city":"Rome"}' } },
      {
        type: 'usage',
        usage: {
          ...{ inputTokens: 19, outputTokens: 5, cachedTokens: 4, cacheWriteTokens: 3 },
          reasoningTokens: 2,
        },
      },
      { type: 'finish', reason: 'tool_calls' },
    ])
    fake.answer({ pieces: ['Sunny.'] })
    const history: ModelRequest['messages'] = [
      { role: 'system', text: 'Be brief.' },
      { role: 'assistant', text: 'Good morning!' },
      ...request.messages,
      {
        role: 'assistant',
        text: 'Let me see.',
        toolCalls: [{ callId: 'toolu_1', name: 'get_weather', arguments: '{"city":"Rome"}' }],
        reasoning: [
          { text: 'Hm.', signature: SIGNATURE, by: 'anthropic' },
          { text: 'x', signature: 'foreign' },
        ],
      },
      { role: 'tool', callId: 'toolu_1', text: 'sun' },
      { role: 'user', text: 'Quick!' },
    ]
    expect(textOf(await collect(stream({ ...asked, messages: history })))).toBe('Sunny.')
    expect(fake.requests.at(-1)?.body).toMatchObject({ thinking: { type: 'enabled' }, system: 'Be brief.' })
  })
  test.each([
    'claude-3-5-haiku-20241022',
    'claude-haiku-4-5',
    'claude-opus-4-6',
    'claude-opus-4-8',
    'claude-sonnet-5',
    'claude-sonnet-5-5',
    'claude-opus-5-5',
  ])('%s takes whatever is asked of it, in its own way', async (model) => {
    fake.answer({ pieces: ['Yes'] })
    const schema = { type: 'object', properties: { a: { type: 'integer', minimum: 1 } } }
    const everything: ModelRequest = {
      ...request,
      tools: [{ name: 'f', parameters: schema, strict: true }],
      toolChoice: 'auto',
      parallelToolCalls: false,
      temperature: 1.3,
      topP: 0.5,
      topK: 3,
      stop: ['END', ' '],
      seed: 1,
      user: 'u',
      responseFormat: { type: 'schema', name: 's', schema },
    }
    for (const effort of [undefined, 'none', 'minimal', 'medium', 'xhigh'] as const) {
      for (const maxTokens of [undefined, 500, 5_000]) {
        const asked = {
          ...{ ...everything, ...(effort && { reasoning: { effort } }) },
          ...(maxTokens !== undefined && { maxTokens }),
        }
        expect(textOf(await collect(stream(asked, model)))).toBe('Yes')
      }
    }
  })
  test('a beginning is gone on with by those who can', async () => {
    const messages = [...request.messages, { role: 'assistant' as const, text: 'One, ' }]
    fake.answer({ pieces: [' two'] })
    expect(provider.llm!('claude-sonnet-4-5')!.caps.prefill).toBe(true)
    expect(textOf(await collect(stream({ messages }, 'claude-sonnet-4-5')))).toBe(' two')
    expect(provider.llm!('claude-sonnet-4-6')!.caps.prefill).toBe(false)
    await expect(collect(stream({ messages }, 'claude-sonnet-4-6'))).rejects.toMatchObject({
      kind: 'bad_request',
    })
  })
  test.each(['no_final', 'never_closes'] as const)('an answer that is over ends: %s', async (fault) => {
    fake.answer({ pieces: ['Fine'], fault })
    expect((await collect(stream())).at(-1)).toEqual({ type: 'finish', reason: 'stop' })
  })
})

describe('the wire', () => {
  const body = { model: 'claude-haiku-4-5', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] }
  const options = () => ({ signal: openScope().signal, clock: realClock })
  test('whole: the provider’s own text, and what it means', async () => {
    fake.answer({ pieces: ['Hello'], extra: { later: { x: 1 } } })
    const { text, events } = await provider.llm!('claude-haiku-4-5')!.wire!.whole({ body, ...options() })
    expect(JSON.parse(text)).toMatchObject({ id: 'msg_fake', later: { x: 1 } })
    expect(events[0]).toEqual({ type: 'begin', id: 'msg_fake', model: 'claude-haiku-4-5' })
    expect(textOf(events)).toBe('Hello')
  })
  test('streamed: its own events with their meaning', async () => {
    fake.answer({ pieces: ['Hello'] })
    const { wire } = provider.llm!('claude-haiku-4-5')!
    const frames = (await collect(wire!.frames({ body: { ...body, stream: true }, ...options() }))).flat()
    expect(frames.map(({ raw }) => raw.event)).toEqual([
      ...['message_start', 'ping', 'content_block_start', 'content_block_delta', 'content_block_stop'],
      ...['message_delta', 'message_stop'],
    ])
    expect(textOf(frames.flatMap(({ events }) => events))).toBe('Hello')
  })
  test('a body meant for another model fits this one', async () => {
    fake.answer({ pieces: ['Hello'] })
    const { wire } = provider.llm!('claude-opus-5-5')!
    const meant = { ...body, model: 'claude-opus-5-5', temperature: 0.3, thinking: { type: 'disabled' } }
    await wire!.whole({ body: wire!.fit(meant), ...options() })
    expect(fake.requests.at(-1)?.body).toEqual({ ...body, model: 'claude-opus-5-5' })
  })
})

describe('faults', () => {
  const cases: [AnthropicFault, string][] = [
    ['refuse_auth', 'auth'],
    ['refuse_429', 'rate'],
    ['refuse_spend', 'quota'],
    ['refuse_billing', 'quota'],
    ['refuse_too_long', 'bad_request'],
    ['overloaded', 'transient'],
    ['refuse_503', 'transient'],
    ['drop_mid_stream', 'transient'],
    ['close_clean_early', 'transient'],
    ['half_event', 'transient'],
    ['malformed_json', 'transient'],
    ['error_without_context', 'transient'],
    ['wrong_content_type', 'transient'],
    ['huge_event', 'transient'],
  ]
  test.each(cases)('%s is a ProviderError of kind %s that tells no secret', async (fault, kind) => {
    fake.answer({ pieces: ['Some', ' text'], fault })
    const failed = await collect(stream()).catch((error: unknown) => error)
    expect(failed).toMatchObject({ name: 'ProviderError', provider: 'claude', stage: 'llm', kind })
    expect(String((failed as Error).message)).not.toMatch(/SECRET|sk-ant/)
  })
  test.each(['malformed_json', 'drop_mid_stream'] as const)('%s of a whole answer', async (fault) => {
    fake.answer({ pieces: ['Some'], fault })
    const body = { model: 'claude-haiku-4-5', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] }
    const { wire } = provider.llm!('claude-haiku-4-5')!
    const whole = wire!.whole({ body, signal: openScope().signal, clock: realClock })
    await expect(whole).rejects.toMatchObject({ name: 'ProviderError', kind: 'transient' })
  })
  test('what came before the fault is still given', async () => {
    fake.answer({ pieces: ['Some', ' text'], fault: 'error_without_context' })
    const seen: ModelEvent[] = []
    const reading = (async () => {
      for await (const event of stream()) seen.push(event)
    })()
    await expect(reading).rejects.toMatchObject({ kind: 'transient' })
    expect(textOf(seen)).toBe('Some text')
  })
  test('a prompt too long for it may fit another; its sentence is for the sender', async () => {
    fake.answer({ fault: 'refuse_too_long' })
    await expect(collect(stream())).rejects.toMatchObject({
      declined: 'context_overflow',
      told: { status: 400, type: 'invalid_request_error' },
    })
  })
  test('the server says when to come back', async () => {
    fake.answer({ fault: 'refuse_429', retryAfter: '7' })
    await expect(collect(stream())).rejects.toMatchObject({ kind: 'rate', retryAfterMs: 7_000 })
  })
  test('a silent server is left at once, and the request closed', async () => {
    fake.answer({ pieces: ['Some'], fault: 'silent_after_ms' })
    const scope = openScope()
    const events = stream(request, 'claude-haiku-4-5', scope.signal)[Symbol.asyncIterator]()
    expect((await events.next()).value).toEqual({ type: 'text', text: 'Some' })
    const pending = events.next()
    scope.cancel('barge-in')
    await expect(pending).rejects.toBe(scope.signal.reason)
    expect(await fake.requests.at(-1)?.closed).toBe(true)
  })
})

describe('settings', () => {
  const endpoint = (more: Partial<AnthropicSettings>) => endpointOf({ name: 'claude', apiKey: 'k', ...more })
  test.each([
    [undefined, 'https://api.anthropic.com/v1/messages'],
    ['https://api.anthropic.com/v1/', 'https://api.anthropic.com/v1/messages'],
    ['https://x.test/anthropic?tenant=1', 'https://x.test/anthropic/v1/messages?tenant=1'],
  ])('base %s is %s', (baseUrl, url) => {
    expect(endpoint(baseUrl === undefined ? {} : { baseUrl }).url.href).toBe(url)
  })
  test('headers, ours and the operator’s', async () => {
    provider = providerOf({ headers: { 'anthropic-beta': 'a-2026' } })
    fake.answer({ pieces: ['Hi'] })
    await collect(stream())
    expect(fake.requests.at(-1)?.headers).toMatchObject({
      'x-api-key': ANTHROPIC_KEY,
      'anthropic-version': '2023-06-01',
      'anthropic-beta': 'a-2026',
      accept: 'text/event-stream',
    })
  })
  test('the newer version of the API is sent no sampling at all', async () => {
    provider = providerOf({ headers: { 'Anthropic-Version': '2026-10-21' } })
    fake.answer({ pieces: ['Hi'] })
    expect(textOf(await collect(stream({ ...request, temperature: 0.2 })))).toBe('Hi')
    expect(fake.requests.at(-1)?.body).not.toHaveProperty('temperature')
  })
  test.each([
    [{ apiKey: '' }, 'providers.claude.apiKey'],
    [{ apiKey: 'sk\n-secret' }, 'providers.claude.apiKey'],
    [{ baseUrl: 'ftp://x' }, 'providers.claude.baseUrl'],
    [{ baseUrl: 'https://u:secret@x' }, 'providers.claude.baseUrl'],
  ])('%j is refused by its name', (more, setting) => {
    expect(() => endpoint(more)).toThrow(setting)
    expect(() => endpoint(more)).not.toThrow(/secret/)
  })
})
