/** What requests say about their own routing, over the whole server, as the clients of other gateways write it. */
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { FakeOpenAi } from '../../src/testing/model/openai.ts'
import { chatUpstreams, GATEWAY_KEY, type Gateway, startGateway } from './server.ts'

let upstreams: Awaited<ReturnType<typeof chatUpstreams>>
let a: FakeOpenAi
let b: FakeOpenAi
let c: FakeOpenAi
let gateway: Gateway
let client: OpenAI

beforeAll(async () => {
  upstreams = await chatUpstreams(3)
  ;[a, b, c] = upstreams.fakes as [FakeOpenAi, FakeOpenAi, FakeOpenAi]
  const prices = `
prices:
  a/m: { usdPerMillionInputTokens: 5, usdPerMillionOutputTokens: 5 }
  b/m: { usdPerMillionInputTokens: 1, usdPerMillionOutputTokens: 1 }
  c/m: { usdPerMillionInputTokens: 3, usdPerMillionOutputTokens: 3 }`
  const pipeline = `
name: trio
llm: { routes: [{ name: any, use: [a/m, b/m, c/m] }] }
budget: { turnMs: 60000 }
`
  gateway = await startGateway({ settings: upstreams.settings + prices, pipelines: [pipeline] })
  client = new OpenAI({ apiKey: GATEWAY_KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
})
afterAll(async () => {
  await gateway.close()
  await upstreams.close()
})
beforeEach(() => {
  a.answer({ pieces: ['a'] })
  b.answer({ pieces: ['b'] })
  c.answer({ pieces: ['c'] })
})

const messages = [{ role: 'user' as const, content: 'Hi' }]

async function ask(more: object, headers: Record<string, string> = {}) {
  const body = { model: 'trio', messages, ...more } as OpenAI.ChatCompletionCreateParamsNonStreaming
  const { data, response } = await client.chat.completions.create(body, { headers }).withResponse()
  const told = data as unknown as Record<string, Record<string, unknown>>
  return { said: data.choices[0]?.message.content, told, headers: response.headers }
}
const said = async (more: object, headers = {}) => (await ask(more, headers)).said

describe('OpenRouter', () => {
  test('models: the next when one fails; nothing of it reaches a provider', async () => {
    a.answer({ fault: 'refuse_503' })
    expect(await said({ model: 'a/x1', models: ['c/x1', 'b/x1'] })).toBe('c')
    expect(c.requests.at(-1)?.body).toEqual({ model: 'x1', messages })
  })
  test('provider: order, only, ignore, allow_fallbacks, max_price', async () => {
    expect(await said({ provider: { order: ['c'] } })).toBe('c')
    expect(await said({ provider: { only: ['b'] } })).toBe('b')
    expect(await said({ provider: { ignore: ['a', 'b'] } })).toBe('c')
    expect(await said({ provider: { max_price: { prompt: 2 } } })).toBe('b')
    expect(await said({ provider: { sort: 'price' } })).toBe('b')
    b.answer({ fault: 'refuse_503' })
    await expect(said({ provider: { order: ['b'], allow_fallbacks: false } })).rejects.toMatchObject({
      status: 502,
    })
    await expect(said({ provider: { only: ['nobody'] } })).rejects.toMatchObject({
      status: 503,
      code: 'no_target',
    })
  })
  test(':floor, and its own record for who asks for it', async () => {
    const { said: who, told } = await ask({ model: 'trio:floor' }, { 'x-openrouter-metadata': 'enabled' })
    expect(who).toBe('b')
    expect(told['openrouter_metadata']).toMatchObject({
      attempt: 1,
      attempts: [{ provider: 'b', status: 200 }],
    })
  })
})

test('Inworld: auto takes the best of a pool, and gives a silent one up after its ttft_timeout', async () => {
  const { said: cheap, told } = await ask({ model: 'auto', models: ['a/m', 'b/m', 'c/m'], sort: ['price'] })
  expect(cheap).toBe('b')
  expect(told['metadata']).toMatchObject({ attempts: [{ provider: 'b', status: 'success' }] })
  a.answer({ fault: 'hang_on_connect' })
  const body = { model: 'a/t', messages, models: ['c/t'], fallback: { ttft_timeout: '300ms' }, stream: true }
  const stream = await client.chat.completions.create(
    body as unknown as OpenAI.ChatCompletionCreateParamsStreaming,
  )
  let text = ''
  for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? ''
  expect(text).toBe('c')
})

test('Portkey: a config in the header, and the headers its clients read', async () => {
  a.answer({ fault: 'refuse_503' })
  const config = {
    strategy: { mode: 'fallback' },
    targets: [
      { provider: '@a', override_params: { model: 'p' } },
      { provider: '@b', override_params: { model: 'p' } },
    ],
  }
  const { said: who, headers } = await ask({}, { 'x-portkey-config': JSON.stringify(config) })
  expect(who).toBe('b')
  expect(headers.get('x-portkey-last-used-option-index')).toBe('config.targets[1]')
})

describe('LiteLLM', () => {
  test('num_retries: the same target again', async () => {
    a.answer({ fault: 'refuse_503' })
    const before = a.requests.length
    await expect(said({ model: 'a/r', num_retries: 2 })).rejects.toMatchObject({ status: 502 })
    expect(a.requests.length - before).toBe(3)
  })
  test('fallbacks, and what they cost in a header', async () => {
    a.answer({ fault: 'refuse_503' })
    const { said: who, headers } = await ask({ model: 'a/f', fallbacks: ['b/m'] })
    expect(who).toBe('b')
    expect(Number(headers.get('x-litellm-response-cost') ?? Number.NaN)).not.toBeLessThan(0)
  })
})

describe('our own', () => {
  test('parley.pipeline, whatever the model is called', async () => {
    const { said: who, told } = await ask({ model: 'gpt-unheard-of', parley: { pipeline: 'trio' } })
    expect(who).toBe('a')
    expect(told['parley']).toMatchObject({ pipeline: 'trio' })
  })
  test('parley.timeoutMs ends the wait for a whole answer', async () => {
    a.answer({ fault: 'hang_on_connect' })
    const late = said({ model: 'a/late', parley: { timeoutMs: 300 } })
    await expect(late).rejects.toMatchObject({ status: 504, code: 'timeout' })
  })
  test('parley.resume off: a text that broke off ends where it broke', async () => {
    a.answer({ pieces: ['One', ' two'], fault: 'drop_mid_stream' })
    const body = { model: 'a/q', messages, models: ['b/q'], parley: { resume: false }, stream: true }
    const stream = await client.chat.completions.create(
      body as unknown as OpenAI.ChatCompletionCreateParamsStreaming,
    )
    const read = async () => {
      for await (const _ of stream);
    }
    await expect(read()).rejects.toThrow()
  })
  test('a conversation stays with the target that has its prompt, and sort does not lose it silently', async () => {
    expect(await said({ model: 'c/m', session_id: 's1' })).toBe('c')
    const { said: who, told } = await ask({ session_id: 's1', provider: { sort: 'price' } })
    expect(who).toBe('c')
    expect(told['parley']?.['routing']).toMatchObject({ stuckTo: 'c/m' })
  })
  test('a mistake is told with its place', async () => {
    await expect(said({ provider: { order: 'a' } })).rejects.toMatchObject({
      status: 400,
      param: 'provider.order',
    })
    await expect(said({ models: ['a/m', 'nobody/m'] })).rejects.toMatchObject({
      status: 404,
      param: 'models[1]',
    })
  })
})
