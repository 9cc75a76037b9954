/** Who may ask, how often, and with whose key. */
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterEach, expect, test } from 'vitest'
import { FAKE_KEY } from '../../src/testing/model/openai.ts'
import { chatUpstreams, GATEWAY_KEY, type Gateway, startGateway } from './server.ts'

let upstreams: Awaited<ReturnType<typeof chatUpstreams>>
let gateway: Gateway
afterEach(async () => {
  await gateway.close()
  await upstreams.close()
})

async function start(more: string): Promise<OpenAI> {
  upstreams = await chatUpstreams(1)
  gateway = await startGateway({ settings: `${upstreams.settings}\n${more}` })
  return new OpenAI({ apiKey: GATEWAY_KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
}
const body = { model: 'a/m', messages: [{ role: 'user' as const, content: 'Hi' }] }
const withKeys = (keys: object) => ({ ...body, parley: { keys } }) as typeof body

test('a key has its requests a minute, whatever the endpoint', async () => {
  const client = await start('limits: { responsesPerMinute: 2 }')
  await client.chat.completions.create(body)
  await client.embeddings.create({ model: 'a/e', input: 'x' })
  const third = client.chat.completions.create(body)
  await expect(third).rejects.toMatchObject({ status: 429, code: 'rate_limit_exceeded' })
  const error = await third.catch((one: InstanceType<typeof OpenAI.APIError>) => one)
  expect(Number((error as { headers: Headers }).headers.get('retry-after'))).toBeGreaterThan(0)
})

test('a client of Anthropic’s API is refused in its own shape', async () => {
  await start('')
  const client = new Anthropic({ apiKey: 'nobody', baseURL: gateway.url, maxRetries: 0 })
  const asked = client.messages.create({ model: 'a/m', max_tokens: 5, messages: body.messages })
  await expect(asked).rejects.toMatchObject({ status: 401, type: 'authentication_error' })
})

test('a request’s own key is refused unless the settings allow it', async () => {
  const client = await start('')
  const asked = client.chat.completions.create(withKeys({ a: FAKE_KEY }))
  await expect(asked).rejects.toMatchObject({ status: 400, param: 'parley.keys' })
})

test('an allowed one is used, told by no name it could be found by, and has a circuit of its own', async () => {
  const client = await start('gateway: { clientKeys: allowed }')
  const wrong = client.chat.completions.create(withKeys({ a: 'sk-somebody-else' }))
  await expect(wrong).rejects.toMatchObject({ status: 502, code: 'auth' })
  const { parley } = (await client.chat.completions.create(withKeys({ a: FAKE_KEY }))) as unknown as {
    parley: { turnId: string; attempts: { credential: string; status: string }[] }
  }
  expect(parley.attempts).toMatchObject([
    { status: 'ok', credential: expect.stringMatching(/^client-\w{8}$/) },
  ])
  expect(upstreams.fakes[0]?.requests.at(-1)?.body).toEqual({ ...body, model: 'm' })
  // The wrong key of one is no trouble of others.
  expect((await client.chat.completions.create(body)).choices).toHaveLength(1)
  expect(JSON.stringify([gateway.log, await gateway.turn(parley.turnId)])).not.toMatch(/sk-somebody|sk-fake/)
})

test.each([[{ nobody: 'x' }], [{ a: 'x\ny' }], [{ a: 7 }], ['x']])('keys that are none: %j', async (keys) => {
  const client = await start('gateway: { clientKeys: allowed }')
  const asked = client.chat.completions.create(withKeys(keys as object))
  // A key for somebody who is not asked is not used.
  if (typeof keys === 'object' && 'nobody' in keys) expect((await asked).choices).toHaveLength(1)
  else await expect(asked).rejects.toMatchObject({ status: 400, param: 'parley.keys' })
})
