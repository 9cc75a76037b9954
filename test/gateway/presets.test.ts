/** Providers by their names alone, over HTTP: a preset is taken by name or type, and what its server refuses is told to who sent it. */
import OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FAKE_KEY, type FakeOpenAi, startFakeOpenAi } from '../../src/testing/model/openai.ts'
import { GATEWAY_KEY, type Gateway, startGateway } from './server.ts'

let fake: FakeOpenAi
let local: FakeOpenAi
let gateway: Gateway
let client: OpenAI
beforeAll(async () => {
  ;[fake, local] = await Promise.all([startFakeOpenAi(), startFakeOpenAi('no key')])
  gateway = await startGateway({
    settings: `
providers:
  groq: { apiKey: ${FAKE_KEY}, baseUrl: '${fake.baseUrl}' }
  far: { type: Mistral, apiKey: ${FAKE_KEY}, baseUrl: '${fake.baseUrl}' }
  ollama: { baseUrl: '${local.baseUrl}' }
  together: {}
  voice: { type: 11labs }
  gorq: { apiKey: ${FAKE_KEY} }
`,
  })
  client = new OpenAI({ apiKey: GATEWAY_KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
})
afterAll(async () => {
  await gateway.close()
  await Promise.all([fake.close(), local.close()])
})

const HI = [{ role: 'user', content: 'Hi' }] as const

async function ask(body: Partial<OpenAI.ChatCompletionCreateParamsNonStreaming> & { model: string }) {
  const answer = await client.chat.completions.create({ messages: [...HI], ...body })
  const { parley } = answer as typeof answer & { parley: { dropped?: Record<string, readonly string[]> } }
  return parley
}

test('what its server refuses is left out of a client’s body, and the record says so', async () => {
  const { dropped } = await ask({ model: 'groq/m', store: true, seed: 5, max_completion_tokens: 9 })
  expect(dropped).toEqual({ 'groq/m': ['store'] })
  expect(fake.requests.at(-1)?.body).toEqual({
    model: 'm',
    messages: HI,
    seed: 5,
    max_completion_tokens: 9,
  })
})

test('a request with nothing to leave out tells nothing', async () => {
  expect(await ask({ model: 'groq/m', seed: 5 })).not.toHaveProperty('dropped')
})

test('a provider of any name takes its type’s preset, however that is written', async () => {
  const { dropped } = await ask({ model: 'far/m', user: 'ann', max_completion_tokens: 9 })
  expect(dropped).toEqual({ 'far/m': ['user'] })
  expect(fake.requests.at(-1)?.body).toEqual({ model: 'm', messages: HI, max_tokens: 9 })
})

test('a stream too, and our own wish for its usage is nobody’s loss', async () => {
  const stream = await client.chat.completions.create({ model: 'far/m', stream: true, messages: [...HI] })
  let told: { dropped?: unknown } | undefined
  for await (const chunk of stream) told = (chunk as { parley?: typeof told }).parley ?? told
  expect(told).toBeDefined()
  expect(told).not.toHaveProperty('dropped')
  expect(fake.requests.at(-1)?.body).toEqual({ model: 'm', messages: HI, stream: true })
})

test('a server of one’s own needs no key; a hosted one without is skipped, and a slip of the name is named', async () => {
  await ask({ model: 'ollama/llama3.2' })
  expect(local.requests).toHaveLength(1)
  await expect(ask({ model: 'together/m' })).rejects.toMatchObject({ status: 404 })
  const log = gateway.log.join('\n')
  expect(log).toContain('providers.together has no key: its targets are skipped')
  expect(log).toContain('providers.voice has no key: its targets are skipped')
  expect(log).toContain('no adapter of the type gorq; did you mean groq?')
})
