/** A provider with several keys over HTTP: which is used, which takes over, and that no key is ever shown. */
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type FakeOpenAi, startFakeOpenAi } from '../../src/testing/model/openai.ts'
import { GATEWAY_KEY, type Gateway, startGateway } from './server.ts'

const ONE = 'sk-one-00000000000000000001'
const TWO = 'sk-two-00000000000000000002'
const KEYS = { [ONE]: 'one', [TWO]: 'two' } as Record<string, string>

let fake: FakeOpenAi
let gateway: Gateway
let client: OpenAI
beforeAll(async () => {
  fake = await startFakeOpenAi()
})
beforeEach(async () => {
  await gateway?.close()
  for (const key of [ONE, TWO]) fake.answerKey(key, { pieces: ['Hello'] })
  gateway = await startGateway({
    settings: `
providers:
  a:
    type: openai
    baseUrl: '${fake.baseUrl}'
    apiKeys: [{ id: one, key: ${ONE}, weight: 3 }, { id: two, key: ${TWO} }]
`,
  })
  client = new OpenAI({ apiKey: GATEWAY_KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
})
afterAll(async () => {
  await gateway.close()
  await fake.close()
})

interface Told {
  readonly turnId: string
  readonly attempts: readonly {
    readonly credential?: string
    readonly status: string
    readonly kind: string
  }[]
}

async function ask(user: string): Promise<Told> {
  const answer = await client.chat.completions.create({
    model: 'a/m',
    user,
    messages: [{ role: 'user', content: 'Hi' }],
  })
  return (answer as typeof answer & { parley: Told }).parley
}

const attemptsOf = ({ attempts }: Told) => attempts.map(({ credential, status }) => `${credential} ${status}`)

/** A user whose own key is the one of this name. */
async function userOf(name: string): Promise<string> {
  for (let i = 0; ; i++) {
    const { attempts } = await ask(`user-${i}`)
    if (attempts[0]?.credential === name) return `user-${i}`
  }
}

test('each user has a key, always the same, and the record names it', async () => {
  const user = await userOf('two')
  for (let i = 0; i < 3; i++) expect(attemptsOf(await ask(user))).toEqual(['two ok'])
  expect(fake.requests.at(-1)?.key).toBe(TWO)
  expect(attemptsOf(await ask(await userOf('one')))).toEqual(['one ok'])
  expect(fake.requests.at(-1)?.key).toBe(ONE)
})

test('a key that is refused is left for the other, at once and from then on', async () => {
  const user = await userOf('one')
  fake.answerKey(ONE, { fault: 'refuse_auth' })
  expect(attemptsOf(await ask(user))).toEqual(['one failed', 'two ok'])
  expect(attemptsOf(await ask(user))).toEqual(['two ok'])
  const metrics = await (await fetch(`${gateway.url}/metrics`, withKey)).text()
  expect(metrics).toContain('parley_key_circuit_state{stage="llm",target="a/m",credential="one"} 2')
  expect(metrics).toContain('parley_key_circuit_state{stage="llm",target="a/m",credential="two"} 0')
  expect(metrics).toContain('parley_circuit_state{stage="llm",target="a/m"} 0')
})

const withKey = { headers: { authorization: `Bearer ${GATEWAY_KEY}` } }

test('vectors go by the same keys', async () => {
  fake.answerKey(ONE, { fault: 'refuse_quota' })
  for (let i = 0; i < 4; i++) {
    const answer = await client.embeddings.create({ model: 'a/e', input: 'Hi' })
    const { parley } = answer as typeof answer & { parley: Told }
    expect(attemptsOf(parley).at(-1)).toBe('two ok')
  }
})

test('no key is in an answer, a record, an error, a metric or the log', async () => {
  const user = await userOf('one')
  const shown = [JSON.stringify(await ask(user))]
  for (const key of [ONE, TWO]) fake.answerKey(key, { fault: 'refuse_auth' })
  const refused = await ask(user).catch((error: InstanceType<typeof OpenAI.APIError>) => error)
  if (!(refused instanceof OpenAI.APIError)) throw new Error('it was answered')
  expect(refused.status).toBeGreaterThanOrEqual(500)
  shown.push(JSON.stringify(refused.error), refused.message)
  shown.push(JSON.stringify(await gateway.turn(refused.headers?.get('x-parley-turn-id') ?? '')))
  shown.push(await (await fetch(`${gateway.url}/metrics`, withKey)).text(), gateway.log.join('\n'))
  const all = shown.join('\n')
  expect(all).toContain('parley_circuit_state{stage="llm",target="a/m"} 2')
  expect(all).toContain('"credential":"one"')
  for (const key of Object.keys(KEYS)) expect(all).not.toContain(key)
})

test('a request that allows no other target may still be asked with another key', async () => {
  const user = await userOf('one')
  fake.answerKey(ONE, { fault: 'refuse_auth' })
  const answer = await client.chat.completions.create({
    model: 'a/m',
    user,
    messages: [{ role: 'user', content: 'Hi' }],
    // @ts-expect-error OpenRouter's own
    provider: { allow_fallbacks: false },
  })
  expect(attemptsOf((answer as typeof answer & { parley: Told }).parley)).toEqual(['one failed', 'two ok'])
})

test('of 300 users each key gets about its share', async () => {
  const counts: Record<string, number> = { one: 0, two: 0 }
  for (let i = 0; i < 300; i++) {
    const { attempts } = await ask(`someone-${i}`)
    counts[attempts[0]?.credential ?? ''] = (counts[attempts[0]?.credential ?? ''] ?? 0) + 1
  }
  // The draw is a hash, so this is the same at every run; 225 are expected, three deviations are 23.
  expect(Math.abs((counts['one'] ?? 0) - 225)).toBeLessThan(23)
})
