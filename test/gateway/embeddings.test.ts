/** Embeddings through the whole server, with the official `openai` SDK as the client. */
import OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { chatUpstreams, GATEWAY_KEY, type Gateway, startGateway } from './server.ts'

let upstreams: Awaited<ReturnType<typeof chatUpstreams>>
let gateway: Gateway
let client: OpenAI
beforeAll(async () => {
  upstreams = await chatUpstreams(1)
  gateway = await startGateway({ settings: upstreams.settings })
  client = new OpenAI({ apiKey: GATEWAY_KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
})
afterAll(async () => {
  await gateway.close()
  await upstreams.close()
})

test('vectors, as numbers and in base64 as the SDK asks for them by itself', async () => {
  const { data, usage } = await client.embeddings.create({ model: 'a/e', input: ['hello', 'you'] })
  expect(data.map(({ embedding }) => [...embedding])).toEqual([
    [5, 2],
    [3, 2],
  ])
  expect(usage.prompt_tokens).toBe(2)
  const plain = await client.embeddings.create({ model: 'a/e', input: 'sky', encoding_format: 'float' })
  expect(plain.data[0]?.embedding).toEqual([3, 0])
})

test('the record is in the answer and kept', async () => {
  const answer = await client.embeddings.create({ model: 'a/e', input: 'hello' })
  const { parley } = answer as typeof answer & { parley: { turnId: string; attempts: object[] } }
  expect(parley.attempts).toMatchObject([{ provider: 'a', model: 'e', status: 'ok' }])
  expect(await gateway.turn(parley.turnId)).toMatchObject({ wire: 'embeddings', outcome: 'said' })
})

test('a wrong request is told in the provider’s words, an unknown model in ours', async () => {
  const wrong = client.embeddings.create({ model: 'a/e', input: '' })
  await expect(wrong).rejects.toMatchObject({ status: 400, code: 'invalid_value' })
  await expect(wrong).rejects.toThrow('input must be text')
  const unknown = client.embeddings.create({ model: 'nobody/e', input: 'x' })
  await expect(unknown).rejects.toMatchObject({ status: 404, code: 'model_not_found', param: 'model' })
})
