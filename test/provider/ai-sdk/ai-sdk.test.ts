/** Packages of the AI SDK, one of each version of its specification that runs here, against a real server of our own. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openScope } from '../../../src/cancel.ts'
import { realClock } from '../../../src/clock.ts'
import type { ModelEvent, ModelRequest } from '../../../src/dialect/neutral.ts'
import { aiSdkEntry, aiSdkSettings, createAiSdk } from '../../../src/provider/ai-sdk/index.ts'
import type { Provider } from '../../../src/stage/provider.ts'
import {
  FAKE_KEY,
  type FakeFault,
  type FakeOpenAi,
  startFakeOpenAi,
} from '../../../src/testing/model/openai.ts'

const request: ModelRequest = { messages: [{ role: 'user', text: 'Hi' }] }
const tools = [{ name: 'get_weather', parameters: { type: 'object', properties: {} } }]
const notes: string[] = []

let fake: FakeOpenAi
let provider: Provider | undefined
beforeAll(async () => {
  fake = await startFakeOpenAi()
})
afterAll(() => fake.close())
beforeEach(() => void notes.splice(0))
afterEach(() => provider?.close())

function made(packageName: string, options: object = {}, baseUrl = fake.baseUrl) {
  const deps = { clock: realClock, note: (message: string) => void notes.push(message) }
  const settings = { name: 'test', apiKey: FAKE_KEY, baseUrl, folders: [import.meta.dirname] }
  const read = aiSdkSettings({ ...settings, members: { package: packageName, options } })
  const entry = aiSdkEntry(deps, read)
  provider = entry === undefined ? undefined : createAiSdk(deps, read, entry)
  return provider
}

function stream(asked = request, signal = openScope().signal) {
  return provider!.llm!('m-1')!.stream(asked, { signal, clock: realClock })
}

async function collect(events: AsyncIterable<ModelEvent>): Promise<ModelEvent[]> {
  const all: ModelEvent[] = []
  for await (const event of events) all.push(event)
  return all
}

const textOf = (events: readonly ModelEvent[]) =>
  events.map((e) => (e.type === 'text' ? e.text : '')).join('')
const sent = () => fake.requests.at(-1)!.body

describe.each(['@ai-sdk/openai-compatible', '@ai-sdk/groq'])('%s', (packageName) => {
  beforeEach(() => void made(packageName, { includeUsage: true }))

  test('text, usage and finish', async () => {
    fake.answer({ pieces: ['Grüß', ' Gott', ' 👋🏽'], framing: 'byteByByte' })
    const events = await collect(stream())
    expect(textOf(events)).toBe('Grüß Gott 👋🏽')
    expect(events.at(-1)).toEqual({ type: 'finish', reason: 'stop' })
    expect(sent()).toMatchObject({ model: 'm-1', stream: true, messages: [{ role: 'user', content: 'Hi' }] })
  })

  test('what was asked for arrives', async () => {
    fake.answer({ pieces: ['Hello'] })
    await collect(
      stream({
        messages: [{ role: 'system', text: 'Be brief.' }, ...request.messages],
        tools,
        toolChoice: { name: 'get_weather' },
        maxTokens: 9,
        temperature: 0.5,
        topP: 0.9,
        stop: ['END'],
        seed: 7,
        params: { user: 'u-1' },
      }),
    )
    expect(sent()).toMatchObject({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hi' },
      ],
      tools: [{ type: 'function', function: { name: 'get_weather', parameters: { type: 'object' } } }],
      tool_choice: { type: 'function', function: { name: 'get_weather' } },
      max_tokens: 9,
      temperature: 0.5,
      top_p: 0.9,
      stop: ['END'],
      seed: 7,
      user: 'u-1',
    })
  })

  test('tool calls come whole; the history with their results is one the server accepts', async () => {
    const calls = [
      { id: 'c1', name: 'get_weather', arguments: '{"city":"Rome"}' },
      { id: 'c2', name: 'get_weather', arguments: '{"city":"Oslo"}' },
    ]
    fake.answer({ pieces: ['Let me see.'], calls })
    const events = await collect(stream({ ...request, tools }))
    const toolCalls = events.flatMap((e) => (e.type === 'toolCall' ? [e.call] : []))
    expect(toolCalls).toEqual(calls.map(({ id, ...call }) => ({ callId: id, ...call })))
    expect(events.at(-1)).toEqual({ type: 'finish', reason: 'tool_calls' })

    fake.answer({ pieces: ['Sunny.'] })
    const messages: ModelRequest['messages'] = [
      ...request.messages,
      { role: 'assistant', text: 'Let me see.', toolCalls },
      { role: 'tool', callId: 'c1', text: 'sun' },
      { role: 'tool', callId: 'c2', text: 'no answer', failed: true },
    ]
    expect(textOf(await collect(stream({ messages, tools })))).toBe('Sunny.')
    expect(sent()['messages']).toMatchObject([
      { role: 'user' },
      { role: 'assistant', content: 'Let me see.', tool_calls: [{ id: 'c1' }, { id: 'c2' }] },
      { role: 'tool', tool_call_id: 'c1', content: 'sun' },
      { role: 'tool', tool_call_id: 'c2', content: 'no answer' },
    ])
  })

  test('a slow reader gets everything, in order', async () => {
    const pieces = Array.from({ length: 2_000 }, (_, i) => `${i} `)
    fake.answer({ pieces })
    const seen: string[] = []
    for await (const event of stream()) {
      if (event.type === 'text') seen.push(event.text)
      if (seen.length % 500 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    expect(seen).toEqual(pieces)
  })

  const faults: [FakeFault, string][] = [
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
  test.each(faults)('%s is a ProviderError of kind %s that tells no secret', async (fault, kind) => {
    fake.answer({ pieces: ['Some', ' text'], fault })
    const failed = await collect(stream()).catch((error: unknown) => error)
    expect(failed).toMatchObject({ name: 'ProviderError', provider: 'test', stage: 'llm', kind })
    expect(String((failed as Error).message)).not.toMatch(/SECRET|sk-fake/)
    expect((failed as Error).cause).toBeUndefined()
  })

  test('the server says when to come back', async () => {
    fake.answer({ fault: 'refuse_429', retryAfter: '7' })
    await expect(collect(stream())).rejects.toMatchObject({ kind: 'rate', retryAfterMs: 7_000 })
  })

  test('a request the server finds wrong is bad_request, is sent once, and its sender is told', async () => {
    fake.answer({})
    const before = fake.requests.length
    const failed = await collect(stream({ ...request, temperature: 9 })).catch((error: unknown) => error)
    expect(failed).toMatchObject({ kind: 'bad_request', retryable: false })
    expect((failed as { told?: unknown }).told).toMatchObject({ status: 400, code: 'invalid_value' })
    expect(fake.requests.length).toBe(before + 1)
  })

  test('nobody listening is transient', async () => {
    const gone = await startFakeOpenAi()
    await gone.close()
    await provider!.close()
    made(packageName, {}, gone.baseUrl)
    await expect(collect(stream())).rejects.toMatchObject({
      kind: 'transient',
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })

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

  test('answers one after the other share connections', async () => {
    const before = fake.connections
    fake.answer({ pieces: ['Hi'] })
    for (let i = 0; i < 20; i++) {
      await collect(stream())
      await fake.requests.at(-1)!.closed
    }
    expect(fake.connections - before).toBeLessThan(5)
  })
})

describe('usage', () => {
  test('of version 3, with what was cached', async () => {
    made('@ai-sdk/openai-compatible', { includeUsage: true })
    fake.answer({ pieces: ['Hi'] })
    expect(await collect(stream())).toContainEqual({
      type: 'usage',
      usage: { inputTokens: 12, outputTokens: 5, cachedTokens: 4, reasoningTokens: 0 },
    })
  })
})

describe('thoughts', () => {
  test('come as thoughts, and go back as such', async () => {
    made('@ai-sdk/openai-compatible')
    fake.answer({ reasoning: 'Hm.', pieces: ['Yes.'] })
    const events = await collect(stream())
    expect(events).toContainEqual({ type: 'reasoning', text: 'Hm.' })
    fake.answer({ pieces: ['Still.'] })
    await collect(
      stream({
        messages: [
          ...request.messages,
          { role: 'assistant', text: 'Yes.', reasoning: [{ text: 'Hm.' }] },
          { role: 'user', text: 'Sure?' },
        ],
      }),
    )
    expect(sent()['messages']).toMatchObject([{}, { content: 'Yes.', reasoning_content: 'Hm.' }, {}])
  })
})

describe('structured output', () => {
  const responseFormat = {
    type: 'schema',
    name: 'answer',
    schema: { type: 'object', properties: {} },
  } as const

  test('by its schema', async () => {
    made('@ai-sdk/openai-compatible', { supportsStructuredOutputs: true })
    fake.answer({ pieces: ['{}'] })
    await collect(stream({ ...request, responseFormat }))
    expect(sent()['response_format']).toMatchObject({ type: 'json_schema', json_schema: { name: 'answer' } })
  })

  test('a package that would leave the schema out is not taken for one that keeps to it', async () => {
    made('@ai-sdk/openai-compatible')
    fake.answer({ pieces: ['{}'], fault: 'silent_after_ms' })
    await expect(collect(stream({ ...request, responseFormat }))).rejects.toMatchObject({
      kind: 'bad_request',
      told: { status: 400, message: expect.stringContaining('schema') },
    })
    expect(await fake.requests.at(-1)!.closed).toBe(true)
  })

  test('what else it leaves out is noted once', async () => {
    made('@ai-sdk/openai-compatible')
    fake.answer({ pieces: ['Hi'] })
    for (const topK of [1, 2]) await collect(stream({ ...request, topK }))
    expect(notes).toEqual(['providers.test: @ai-sdk/openai-compatible leaves out topK'])
  })
})

describe('the package', () => {
  test('is not loaded before it is used, and a package that is missing is said with what to do', () => {
    expect(made('@ai-sdk/nobody-has-this')).toBeUndefined()
    expect(notes).toEqual([
      'providers.test: the package @ai-sdk/nobody-has-this is not installed (npm install @ai-sdk/nobody-has-this): its targets are skipped',
    ])
  })

  test('one that makes no provider fails its own targets, and says how to name the export', async () => {
    made('fastify')
    await expect(collect(stream())).rejects.toMatchObject({
      kind: 'transient',
      message: expect.stringContaining('name it as factory'),
    })
    expect(notes).toHaveLength(1)
  })

  test.each(['../evil', '/tmp/x', 'file:///tmp/x', '@a/b/c', 'https://h/x', '.hidden', 'x@1.2.3', '', 7])(
    '%j is no name of a package',
    (name) => {
      expect(() => aiSdkSettings({ name: 'x', members: { package: name }, folders: [] })).toThrow(
        'providers.x.package',
      )
    },
  )

  test('a member that belongs into options is told', () => {
    const members = { package: '@ai-sdk/xai', headers: {} }
    expect(() => aiSdkSettings({ name: 'x', members, folders: [] })).toThrow(/headers is unknown.*options/)
  })
})
