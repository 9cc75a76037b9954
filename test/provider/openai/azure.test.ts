/** Azure in both its forms, and servers without a key: the double is asked by OpenAI's own clients first, then by our adapter. */
import OpenAI, { AzureOpenAI } from 'openai'
import { afterEach, describe, expect, test } from 'vitest'
import { realClock } from '../../../src/clock.ts'
import { ProviderError } from '../../../src/errors.ts'
import { createOpenAi, type OpenAiSettings, presetOf } from '../../../src/provider/openai/index.ts'
import type { Provider } from '../../../src/stage/provider.ts'
import {
  FAKE_API_VERSION,
  FAKE_KEY,
  type FakeOpenAi,
  type FakeShape,
  startFakeOpenAi,
} from '../../../src/testing/model/openai.ts'

const open: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()))
})

async function double(shape: FakeShape): Promise<FakeOpenAi> {
  const fake = await startFakeOpenAi(shape)
  open.push(fake)
  return fake
}

function providerOf(type: string, settings: Omit<OpenAiSettings, 'name' | 'preset'>): Provider {
  const preset = presetOf(type)
  const provider = createOpenAi(
    { clock: realClock, note: () => {} },
    { name: 'mine', ...settings, ...(preset && { preset }) },
  )
  open.push(provider)
  return provider
}

async function say(provider: Provider, model = 'my-deployment'): Promise<string> {
  let text = ''
  const options = { signal: new AbortController().signal, clock: realClock }
  const asked = { messages: [{ role: 'user' as const, text: 'Hi' }], maxTokens: 9 }
  for await (const event of provider.llm!(model)!.stream(asked, options)) {
    if (event.type === 'text') text += event.text
  }
  return text
}

async function embed(provider: Provider): Promise<string> {
  const { signal } = new AbortController()
  const body = { model: 'vectors', input: 'Hi' }
  return (await provider.embedding!('vectors')!.embed({ body, signal, clock: realClock })).text
}

const HI = { messages: [{ role: 'user' as const, content: 'Hi' }] }

describe('Azure’s deployments of a dated version', () => {
  test('the double is what AzureOpenAI talks to', async () => {
    const fake = await double('azure deployments')
    const client = new AzureOpenAI({
      endpoint: new URL(fake.baseUrl).origin,
      apiKey: FAKE_KEY,
      apiVersion: FAKE_API_VERSION,
      maxRetries: 0,
    })
    const answer = await client.chat.completions.create({ model: 'my-deployment', ...HI })
    expect(answer.choices[0]?.message.content).toBe('Hello')
    const vectors = await client.embeddings.create({ model: 'vectors', input: 'Hi' })
    expect(vectors.data).toHaveLength(1)
    await expect(
      new AzureOpenAI({
        endpoint: new URL(fake.baseUrl).origin,
        apiKey: FAKE_KEY,
        apiVersion: '2020-01-01',
        maxRetries: 0,
      }).chat.completions.create({ model: 'my-deployment', ...HI }),
    ).rejects.toMatchObject({ status: 404 })
  })

  test('our adapter asks at the same address with the same header', async () => {
    const fake = await double('azure deployments')
    const baseUrl = new URL(fake.baseUrl).origin
    const provider = providerOf('azure', {
      baseUrl,
      apiKey: FAKE_KEY,
      members: { apiVersion: FAKE_API_VERSION },
    })
    expect(await say(provider)).toBe('Hello')
    await embed(provider)
    expect(fake.requests.map(({ url }) => url)).toEqual([
      `/openai/deployments/my-deployment/chat/completions?api-version=${FAKE_API_VERSION}`,
      `/openai/deployments/vectors/embeddings?api-version=${FAKE_API_VERSION}`,
    ])
    expect(fake.requests[0]?.headers).toMatchObject({ 'api-key': FAKE_KEY })
  })
})

describe('Azure’s v1 API', () => {
  test('the double is what OpenAI’s client talks to', async () => {
    const fake = await double('azure')
    const client = new OpenAI({
      baseURL: fake.baseUrl,
      apiKey: 'unused',
      defaultHeaders: { authorization: null, 'api-key': FAKE_KEY },
      maxRetries: 0,
    })
    const answer = await client.chat.completions.create({ model: 'my-deployment', ...HI })
    expect(answer.choices[0]?.message.content).toBe('Hello')
  })

  test('our adapter: the deployment is the model', async () => {
    const fake = await double('azure')
    const provider = providerOf('azure', { baseUrl: new URL(fake.baseUrl).origin, apiKey: FAKE_KEY })
    expect(await say(provider)).toBe('Hello')
    expect(fake.requests[0]?.url).toBe('/openai/v1/chat/completions')
    expect(fake.requests[0]?.body).toMatchObject({ model: 'my-deployment', max_completion_tokens: 9 })
    await embed(provider)
  })

  test('a bearer token is refused by the double, so the header is tested', async () => {
    const fake = await double('azure')
    const provider = providerOf('openai', { baseUrl: fake.baseUrl, apiKey: FAKE_KEY })
    await expect(say(provider)).rejects.toMatchObject({ kind: 'auth' })
  })
})

describe('a server on one’s own machine', () => {
  test('the double is what OpenAI’s client talks to, without its key', async () => {
    const fake = await double('no key')
    const client = new OpenAI({
      baseURL: fake.baseUrl,
      apiKey: 'unused',
      defaultHeaders: { authorization: null },
      maxRetries: 0,
    })
    const answer = await client.chat.completions.create({ model: 'llama3.2', ...HI })
    expect(answer.choices[0]?.message.content).toBe('Hello')
  })

  test.each(['ollama', 'vllm', 'llama.cpp', 'lm-studio'])('%s is asked without a key', async (type) => {
    const fake = await double('no key')
    const provider = providerOf(type, { baseUrl: fake.baseUrl })
    expect(await say(provider, 'llama3.2')).toBe('Hello')
    expect(fake.requests[0]?.headers).not.toHaveProperty('authorization')
    await embed(provider)
  })

  test('one that was told to want a key gets it', async () => {
    const fake = await double('openai')
    expect(await say(providerOf('vllm', { baseUrl: fake.baseUrl, apiKey: FAKE_KEY }))).toBe('Hello')
    const error = await say(providerOf('vllm', { baseUrl: fake.baseUrl })).catch((cause: unknown) => cause)
    expect(error).toBeInstanceOf(ProviderError)
    expect(error).toMatchObject({ kind: 'auth' })
  })
})
