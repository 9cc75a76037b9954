import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openScope } from '../../../src/cancel.ts'
import { realClock } from '../../../src/clock.ts'
import type { ModelEvent, ModelRequest } from '../../../src/dialect/neutral.ts'
import { addressOf } from '../../../src/provider/openai/address.ts'
import { createOpenAi, type OpenAiSettings } from '../../../src/provider/openai/index.ts'
import { retryAfterMs } from '../../../src/provider/retry-after.ts'
import type { Provider } from '../../../src/stage/provider.ts'
import {
  FAKE_KEY,
  type FakeFault,
  type FakeOpenAi,
  startFakeOpenAi,
} from '../../../src/testing/model/openai.ts'

const deps = { clock: realClock, note: () => {} }
const request: ModelRequest = { messages: [{ role: 'user', text: 'Hi' }] }

let fake: FakeOpenAi
let provider: Provider
beforeAll(async () => {
  fake = await startFakeOpenAi()
})
afterAll(() => fake.close())
beforeEach(() => {
  provider = providerOf({})
})
afterEach(() => provider.close())

function providerOf(settings: Partial<OpenAiSettings>): Provider {
  return createOpenAi(deps, { name: 'test', baseUrl: fake.baseUrl, apiKey: FAKE_KEY, ...settings })
}

function stream(asked = request, signal = new AbortController().signal) {
  return provider.llm!('gpt-test')!.stream(asked, { signal, clock: realClock })
}

async function collect(events: AsyncIterable<ModelEvent>): Promise<ModelEvent[]> {
  const all: ModelEvent[] = []
  for await (const event of events) all.push(event)
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
        { type: 'usage', usage: { inputTokens: 12, outputTokens: 5, cachedTokens: 4 } },
        { type: 'finish', reason: 'stop' },
      ])
    },
  )
  test('tool calls come whole; the history with their results is one the server accepts', async () => {
    const tools = [{ name: 'get_weather', parameters: { type: 'object', properties: {} } }]
    fake.answer({
      pieces: ['Let me see.'],
      calls: [{ id: 'c1', name: 'get_weather', arguments: '{"city":"Rome"}' }],
    })
    const events = await collect(
      stream({ ...request, tools, toolChoice: 'auto', maxTokens: 9, temperature: 0.5 }),
    )
    const call = events.find((e) => e.type === 'toolCall')?.call
    expect(call).toEqual({ callId: 'c1', name: 'get_weather', arguments: '{"city":"Rome"}' })
    expect(events.at(-1)).toEqual({ type: 'finish', reason: 'tool_calls' })

    fake.answer({ pieces: ['Sunny.'] })
    const messages = [
      ...request.messages,
      { role: 'assistant' as const, text: 'Let me see.', toolCalls: [call!] },
      { role: 'tool' as const, callId: 'c1', text: 'sun' },
    ]
    expect(textOf(await collect(stream({ messages, tools })))).toBe('Sunny.')
  })
  test('a missing [DONE] is forgiven', async () => {
    fake.answer({ pieces: ['Fine'], fault: 'no_final' })
    expect((await collect(stream())).at(-1)).toEqual({ type: 'finish', reason: 'stop' })
  })
  test('an answer that is over ends, even if the server never closes', async () => {
    fake.answer({ pieces: ['Over'], fault: 'never_closes' })
    expect((await collect(stream())).at(-1)).toEqual({ type: 'finish', reason: 'stop' })
  })
  test('answers one after the other share connections', async () => {
    const before = fake.connections
    fake.answer({ pieces: ['Hi'] })
    for (let i = 0; i < 20; i++) {
      await collect(stream())
      await fake.requests.at(-1)!.closed
    }
    // Two, if a request starts in the moment before the last one's end is read.
    expect(fake.connections - before).toBeLessThan(5)
  })
  test('a slow reader gets everything, in order', async () => {
    const pieces = Array.from({ length: 5_000 }, (_, i) => `${i} `)
    fake.answer({ pieces })
    const seen: string[] = []
    for await (const event of stream()) {
      if (event.type === 'text') seen.push(event.text)
      if (seen.length % 500 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    expect(seen).toEqual(pieces)
  })
})

describe('faults', () => {
  const cases: [FakeFault, string][] = [
    ['refuse_auth', 'auth'],
    ['refuse_429', 'rate'],
    ['refuse_quota', 'quota'],
    ['refuse_503', 'transient'],
    ['drop_mid_stream', 'transient'],
    ['close_clean_early', 'transient'],
    ['malformed_json', 'transient'],
    ['error_without_context', 'transient'],
    ['wrong_content_type', 'transient'],
    ['huge_event', 'transient'],
  ]
  test.each(cases)('%s is a ProviderError of kind %s that tells no secret', async (fault, kind) => {
    fake.answer({ pieces: ['Some', ' text'], fault })
    const failed = await collect(stream()).catch((error: unknown) => error)
    expect(failed).toMatchObject({ name: 'ProviderError', provider: 'test', stage: 'llm', kind })
    expect(String((failed as Error).message)).not.toMatch(/SECRET|sk-fake/)
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
  test('the server says when to come back', async () => {
    fake.answer({ fault: 'refuse_429', retryAfter: '7' })
    await expect(collect(stream())).rejects.toMatchObject({
      kind: 'rate',
      retryable: true,
      retryAfterMs: 7_000,
    })
  })
  test('a request the server finds wrong is bad_request, and is sent once', async () => {
    fake.answer({})
    const before = fake.requests.length
    const orphan: ModelRequest = { messages: [{ role: 'tool', callId: 'c9', text: 'x' }] }
    await expect(collect(stream(orphan))).rejects.toMatchObject({ kind: 'bad_request', retryable: false })
    expect(fake.requests.length).toBe(before + 1)
  })
  test('nobody listening is transient', async () => {
    await provider.close()
    const gone = await startFakeOpenAi()
    await gone.close()
    provider = providerOf({ baseUrl: gone.baseUrl })
    await expect(collect(stream())).rejects.toMatchObject({
      kind: 'transient',
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })
})

describe('cancelling', () => {
  test.each(['hang_on_connect', 'silent_after_ms'] as const)(
    'an abort during %s rejects with its reason and closes upstream',
    async (fault) => {
      fake.answer({ pieces: ['One'], fault })
      const before = fake.requests.length
      const scope = openScope()
      const reading = (async () => {
        for await (const event of stream(request, scope.signal)) {
          if (event.type === 'text') scope.cancel('barge-in')
        }
      })()
      const ended = expect(reading).rejects.toMatchObject({ name: 'Cancelled', reason: 'barge-in' })
      if (fault === 'hang_on_connect') {
        while (fake.requests.length === before) await new Promise((resolve) => setImmediate(resolve))
        scope.cancel('barge-in')
      }
      await ended
      expect(await fake.requests.at(-1)!.closed).toBe(true)
    },
  )
  test('a reader that leaves early closes upstream too', async () => {
    fake.answer({ pieces: ['One'], fault: 'silent_after_ms' })
    for await (const _ of stream()) break
    expect(await fake.requests.at(-1)!.closed).toBe(true)
  })
  test('nothing is sent for a signal that is aborted already', async () => {
    const scope = openScope()
    scope.cancel('superseded')
    const before = fake.requests.length
    await expect(collect(stream(request, scope.signal))).rejects.toMatchObject({ reason: 'superseded' })
    expect(fake.requests.length).toBe(before)
  })
})

describe('settings', () => {
  test('the path joins any base, and keeps its query', () => {
    const url = (baseUrl: string) => {
      const { origin, path } = addressOf({ name: 'x', baseUrl })
      return `${origin}${path('chat/completions', 'm')}`
    }
    expect(url('http://h:1/v1/')).toBe('http://h:1/v1/chat/completions')
    expect(url('http://h')).toBe('http://h/chat/completions')
    expect(url('https://h/a?api-version=2')).toBe('https://h/a/chat/completions?api-version=2')
  })
  test('OpenAI itself gets the newer name of the token limit', () => {
    expect(addressOf({ name: 'openai' }).maxTokensField).toBe('max_completion_tokens')
    expect(addressOf({ name: 'x', baseUrl: 'http://h/v1' }).maxTokensField).toBe('max_tokens')
  })
  test.each([
    [{ baseUrl: 'h:1' }, 'providers.x.baseUrl'],
    [{ baseUrl: 'http://u:p@h/v1' }, 'providers.x.baseUrl'],
    [{ apiKey: 'sk-\nsecret' }, 'providers.x.apiKey'],
  ])('%j is refused by its name, without its value', (settings, name) => {
    const make = () => addressOf({ name: 'x', ...settings })
    expect(make).toThrow(name)
    expect(make).not.toThrow(/secret|u:p/)
  })
})

test('retry-after in its three shapes, bounded', () => {
  const now = Date.parse('2025-01-01T00:00:00Z')
  expect(retryAfterMs({ 'retry-after': '2' }, now)).toBe(2_000)
  expect(retryAfterMs({ 'retry-after-ms': '150.4', 'retry-after': '2' }, now)).toBe(150)
  expect(retryAfterMs({ 'retry-after': 'Wed, 01 Jan 2025 00:00:30 GMT' }, now)).toBe(30_000)
  expect(retryAfterMs({ 'retry-after': 'Wed, 01 Jan 2020 00:00:30 GMT' }, now)).toBe(0)
  expect(retryAfterMs({ 'retry-after': '999999999' }, now)).toBe(3_600_000)
  expect(retryAfterMs({ 'retry-after': 'soon' }, now)).toBeUndefined()
  expect(retryAfterMs({}, now)).toBeUndefined()
})
