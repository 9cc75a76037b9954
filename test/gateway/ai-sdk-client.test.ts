/** The AI SDK as a client of the whole server, by `@ai-sdk/openai-compatible`, as an application would use it. */
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import {
  APICallError,
  embed,
  generateObject,
  generateText,
  stepCountIs,
  streamObject,
  streamText,
  tool,
} from 'ai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { FakeOpenAi } from '../../src/testing/model/openai.ts'
import { chatUpstreams, GATEWAY_KEY, type Gateway, startGateway } from './server.ts'

const PIPELINES = [`\nname: both\nllm: { routes: [{ name: any, use: [a/first, b/second] }] }\n`]

let upstreams: Awaited<ReturnType<typeof chatUpstreams>>
let a: FakeOpenAi
let b: FakeOpenAi
let gateway: Gateway
let parley: ReturnType<typeof createOpenAICompatible>

beforeAll(async () => {
  upstreams = await chatUpstreams(2)
  ;[a, b] = upstreams.fakes as [FakeOpenAi, FakeOpenAi]
  gateway = await startGateway({ settings: upstreams.settings, pipelines: PIPELINES })
  parley = createOpenAICompatible({
    name: 'parley',
    baseURL: `${gateway.url}/v1`,
    apiKey: GATEWAY_KEY,
    includeUsage: true,
    supportsStructuredOutputs: true,
  })
})
afterAll(async () => {
  await gateway.close()
  await upstreams.close()
})
beforeEach(() => {
  a.answer({ pieces: ['Hello', ' from', ' a.'] })
  b.answer({ pieces: ['Hello', ' from', ' b.'] })
})

const ask = { prompt: 'Hi', maxRetries: 0 }

describe('text', () => {
  test('whole, with usage and our record', async () => {
    const { text, finishReason, usage, response } = await generateText({
      ...ask,
      model: parley('a/m'),
      system: 'Be kind.',
    })
    expect({ text, finishReason }).toEqual({ text: 'Hello from a.', finishReason: 'stop' })
    expect(usage).toMatchObject({
      inputTokens: 12,
      outputTokens: 5,
      inputTokenDetails: { cacheReadTokens: 4 },
    })
    expect(response.headers).toMatchObject({ 'x-parley-turn-id': expect.any(String) })
    expect(response.body).toMatchObject({ parley: { attempts: [{ provider: 'a', status: 'ok' }] } })
    expect(a.requests.at(-1)?.body).toMatchObject({
      messages: [{ role: 'system' }, { role: 'user', content: 'Hi' }],
    })
  })

  test('streamed, thoughts before it', async () => {
    a.answer({ reasoning: 'Hm.', pieces: ['Hel', 'lo'] })
    const run = streamText({ ...ask, model: parley('a/m') })
    const deltas: string[] = []
    for await (const delta of run.textStream) deltas.push(delta)
    expect(deltas).toEqual(['Hel', 'lo'])
    expect(await run.reasoningText).toBe('Hm.')
    expect(await run.finishReason).toBe('stop')
    expect(await run.usage).toMatchObject({ inputTokens: 12, outputTokens: 5 })
  })

  test('by a pipeline: who fails is followed by the next, and the client sees one answer', async () => {
    a.answer({ fault: 'refuse_503' })
    const whole = await generateText({ ...ask, model: parley('router/both') })
    expect(whole.text).toBe('Hello from b.')
    a.answer({ pieces: ['One two', ' three'], fault: 'drop_mid_stream' })
    b.answer({ pieces: [' four.'] })
    expect(await streamText({ ...ask, model: parley('both') }).text).toBe('One two three four.')
  })

  test('our own members go as provider options', async () => {
    await generateText({
      ...ask,
      model: parley('a/m'),
      providerOptions: { parley: { parley: { resume: false }, user: 'u-1', models: ['b/n'] } },
    })
    expect(a.requests.at(-1)?.body).toEqual({
      model: 'm',
      messages: [{ role: 'user', content: 'Hi' }],
      user: 'u-1',
    })
  })
})

describe('tools', () => {
  /** Answers the next round with its result. */
  const weather = tool({
    description: 'The weather in a city.',
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => {
      a.answer({ pieces: [`Sunny in ${city}.`] })
      return { sky: 'clear' }
    },
  })
  const calls = [{ id: 'c1', name: 'weather', arguments: '{"city":"Rome"}' }]
  const asked = { ...ask, tools: { weather }, stopWhen: stepCountIs(3) }

  test('whole, with a second round', async () => {
    a.answer({ pieces: ['Let me see.'], calls })
    const { text, steps } = await generateText({ ...asked, model: parley('a/m') })
    expect(steps.map(({ finishReason }) => finishReason)).toEqual(['tool-calls', 'stop'])
    expect(text).toBe('Sunny in Rome.')
    expect(a.requests.at(-1)?.body['messages']).toMatchObject([
      { role: 'user' },
      { role: 'assistant', content: 'Let me see.', tool_calls: [{ id: 'c1' }] },
      { role: 'tool', tool_call_id: 'c1', content: '{"sky":"clear"}' },
    ])
  })

  test('streamed, with a second round', async () => {
    a.answer({ calls })
    const run = streamText({ ...asked, model: parley('a/m'), toolChoice: 'auto' })
    const seen: string[] = []
    for await (const part of run.fullStream) seen.push(part.type)
    expect(seen).toEqual(
      expect.arrayContaining(['tool-input-delta', 'tool-call', 'tool-result', 'text-delta']),
    )
    expect(await run.text).toBe('Sunny in Rome.')
    expect(await run.totalUsage).toMatchObject({ inputTokens: 24 })
  })
})

describe('structured output', () => {
  const schema = z.object({ name: z.string(), guests: z.number() })
  const said = ['{"name":"Ada",', '"guests":5}']

  test('whole', async () => {
    a.answer({ pieces: said })
    const { object } = await generateObject({ ...ask, model: parley('a/m'), schema })
    expect(object).toEqual({ name: 'Ada', guests: 5 })
    expect(a.requests.at(-1)?.body['response_format']).toMatchObject({
      type: 'json_schema',
      json_schema: { schema: { required: ['name', 'guests'] } },
    })
  })

  test('streamed, in parts', async () => {
    a.answer({ pieces: said })
    const run = streamObject({ ...ask, model: parley('a/m'), schema })
    const parts: unknown[] = []
    for await (const part of run.partialObjectStream) parts.push(part)
    expect(parts.at(-1)).toEqual({ name: 'Ada', guests: 5 })
    expect(await run.object).toEqual({ name: 'Ada', guests: 5 })
  })
})

test('embeddings', async () => {
  const { embedding } = await embed({ model: parley.embeddingModel('a/e'), value: 'hello', maxRetries: 0 })
  expect(embedding).toEqual([5, 2])
})

describe('errors', () => {
  const failed = (model: string) =>
    generateText({ ...ask, model: parley(model) }).catch((error: unknown) => error)

  test('a model that nobody has, and a provider that is down, as the SDK tells them apart', async () => {
    const unknown = await failed('nobody/x')
    expect(APICallError.isInstance(unknown) && unknown.statusCode).toBe(404)
    expect(unknown).toMatchObject({ isRetryable: false })
    a.answer({ fault: 'refuse_503' })
    expect(await failed('a/down')).toMatchObject({ statusCode: 502, isRetryable: true })
    a.answer({ fault: 'refuse_429', retryAfter: '7' })
    expect(await failed('a/limited')).toMatchObject({ statusCode: 429, isRetryable: true })
  })

  test('what a provider says of a wrong request is the error’s message', async () => {
    const wrong = generateText({ ...ask, model: parley('a/m'), temperature: 9 })
    await expect(wrong).rejects.toThrow(/temperature/)
    await expect(wrong).rejects.toMatchObject({ statusCode: 400 })
  })

  test('a stream that breaks off with nobody left ends with an error, not as if it were whole', async () => {
    a.answer({ pieces: ['So'], fault: 'drop_mid_stream' })
    const seen: string[] = []
    let error: unknown
    const run = streamText({
      ...ask,
      model: parley('a/breaks'),
      onError: (event) => void (error = event.error),
    })
    for await (const part of run.fullStream) seen.push(part.type)
    expect(seen).toContain('error')
    expect(error).toBeDefined()
    expect(await run.finishReason).toBe('error')
  })
})

describe('abort', () => {
  test('of a stream closes the request upstream', async () => {
    a.answer({ pieces: ['One'], fault: 'silent_after_ms' })
    const controller = new AbortController()
    const seen: string[] = []
    const run = streamText({ ...ask, model: parley('a/m'), abortSignal: controller.signal })
    for await (const part of run.fullStream) {
      seen.push(part.type)
      if (part.type === 'text-delta') controller.abort()
    }
    expect(seen.at(-1)).toBe('abort')
    expect(await a.requests.at(-1)!.closed).toBe(true)
  })

  test('of a whole answer too', async () => {
    a.answer({ fault: 'hang_on_connect' })
    const before = a.requests.length
    const controller = new AbortController()
    const run = generateText({ ...ask, model: parley('a/m'), abortSignal: controller.signal })
    const ended = expect(run).rejects.toMatchObject({ name: 'AbortError' })
    while (a.requests.length === before) await new Promise((resolve) => setImmediate(resolve))
    controller.abort()
    await ended
    expect(await a.requests.at(-1)!.closed).toBe(true)
  })
})
