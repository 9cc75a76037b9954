/** A bare model name is answered by whoever serves that model, the cheaper first, and goes on to the next; the catalogue says who. */
import OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { FakeOpenAi } from '../../src/testing/model/openai.ts'
import { chatUpstreams, GATEWAY_KEY, type Gateway, startGateway } from './server.ts'

const CATALOG = `
catalog:
  a/house: { kind: llm, cost: { input: 2, output: 4 } }
  b/house: { kind: llm, cost: { input: 1, output: 2 } }
  b/house-vectors: { kind: embedding, cost: { input: 1 } }
  c/author/house: { kind: llm, cost: { input: 9, output: 9 } }
`

let upstreams: Awaited<ReturnType<typeof chatUpstreams>>
let gateway: Gateway
let client: OpenAI
beforeAll(async () => {
  upstreams = await chatUpstreams(3)
  gateway = await startGateway({ settings: upstreams.settings + CATALOG })
  client = new OpenAI({ apiKey: GATEWAY_KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
})
afterAll(async () => {
  await gateway.close()
  await upstreams.close()
})

async function ask(model: string) {
  const answer = await client.chat.completions.create({ model, messages: [{ role: 'user', content: 'Hi' }] })
  const { parley } = answer as typeof answer & {
    parley: { attempts: { provider: string; model: string; status: string; costUsd: number | null }[] }
  }
  return parley.attempts
}

test('the cheaper of two that serve it, at its price', async () => {
  const attempts = await ask('house')
  expect(attempts).toMatchObject([{ provider: 'b', model: 'house', status: 'ok' }])
  expect(attempts[0]?.costUsd).toBeGreaterThan(0)
})

test('when that one fails, the next', async () => {
  const [, b] = upstreams.fakes as [FakeOpenAi, FakeOpenAi, FakeOpenAi]
  b.answer({ fault: 'refuse_503' })
  expect((await ask('house')).map(({ provider, status }) => `${provider} ${status}`)).toEqual([
    'b failed',
    'a ok',
  ])
  b.answer({ pieces: ['Hello'] })
})

test('with its author before it, whoever names the author too', async () => {
  expect(await ask('author/house')).toMatchObject([{ provider: 'c', model: 'author/house' }])
  await expect(ask('nobody/house')).rejects.toMatchObject({ status: 404, code: 'model_not_found' })
})

test('a name of vectors makes vectors, and no conversation', async () => {
  const answer = await client.embeddings.create({ model: 'house-vectors', input: 'hello' })
  const { parley } = answer as typeof answer & { parley: { attempts: object[] } }
  expect(parley.attempts).toMatchObject([{ provider: 'b', model: 'house-vectors' }])
  await expect(ask('house-vectors')).rejects.toMatchObject({ status: 404, code: 'model_not_found' })
  const listed = (await client.models.list()).data.map(({ id }) => id)
  expect(listed).toEqual(expect.arrayContaining(['b/house-vectors', 'c/author/house']))
})
