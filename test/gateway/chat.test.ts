/** Chat completions through the whole server, with the official `openai` SDK as the client. */
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { FakeOpenAi } from '../../src/testing/model/openai.ts'
import { chatUpstreams, GATEWAY_KEY, type Gateway, startGateway } from './server.ts'

const PIPELINES = [
  `
name: both
llm: { routes: [{ name: any, use: [a/first, b/second] }] }
budget: { turnMs: 5000 }
`,
  `
name: goes-on
llm: { routes: [{ name: any, use: [c/first, b/second] }] }
`,
  `
name: tiers
llm:
  routes:
    - { name: gold, when: 'key.tier == "gold" && metadata.plan == "pro"', use: [b/large] }
    - { name: long, when: 'size(turn.text) > 40', use: [a/long] }
    - { name: any, use: [a/small] }
`,
]

let upstreams: Awaited<ReturnType<typeof chatUpstreams>>
let a: FakeOpenAi
let b: FakeOpenAi
let c: FakeOpenAi
let gateway: Gateway
let client: OpenAI

beforeAll(async () => {
  upstreams = await chatUpstreams(3)
  ;[a, b, c] = upstreams.fakes as [FakeOpenAi, FakeOpenAi, FakeOpenAi]
  gateway = await startGateway({ settings: upstreams.settings, pipelines: PIPELINES })
  client = new OpenAI({ apiKey: GATEWAY_KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
})
afterAll(async () => {
  await gateway.close()
  await upstreams.close()
})
beforeEach(() => {
  a.answer({ pieces: ['Hello', ' from', ' a.'] })
  b.answer({ pieces: ['Hello', ' from', ' b.'] })
})

const messages = [{ role: 'user' as const, content: 'Hi' }]
type Recorded = { parley: { turnId: string; attempts: { provider: string; status: string; kind: string }[] } }

async function streamed(body: Partial<OpenAI.ChatCompletionCreateParamsStreaming> = {}) {
  const stream = await client.chat.completions.create({ model: 'a/m', messages, stream: true, ...body })
  const chunks: (OpenAI.ChatCompletionChunk & Partial<Recorded>)[] = []
  for await (const chunk of stream) chunks.push(chunk)
  const text = chunks.map((chunk) => chunk.choices[0]?.delta?.content ?? '').join('')
  return { chunks, text, parley: chunks.at(-1)!.parley! }
}

describe('an answer', () => {
  test('whole, as the provider gave it, with what was done for it', async () => {
    a.answer({ pieces: ['Hello'], extra: { system_fingerprint: 'fp_1', citations: ['x'] } })
    const { data, response } = await client.chat.completions.create({ model: 'a/m', messages }).withResponse()
    expect(data.choices[0]?.message.content).toBe('Hello')
    expect(data).toMatchObject({ id: 'chatcmpl-fake', system_fingerprint: 'fp_1', citations: ['x'] })
    const { parley } = data as typeof data & Recorded
    expect(parley).toMatchObject({
      pipeline: '-',
      attempts: [{ stage: 'llm', provider: 'a', model: 'm', status: 'ok', reason: 'first' }],
    })
    expect(response.headers.get('x-parley-turn-id')).toBe(parley.turnId)
    expect(await gateway.turn(parley.turnId)).toMatchObject({
      wire: 'chat',
      outcome: 'said',
      keyId: 'tester',
    })
  })

  test('streamed, chunk by chunk as it came, the record in the last one', async () => {
    a.answer({ pieces: ['Hel', 'lo'], extra: { service_tier: 'flex' } })
    const { chunks, text, parley } = await streamed()
    expect(text).toBe('Hello')
    expect(chunks.every((chunk) => chunk.service_tier === 'flex' && chunk.id === 'chatcmpl-fake')).toBe(true)
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop')
    expect(parley.attempts).toMatchObject([{ provider: 'a', status: 'ok' }])
    expect((await gateway.turn(parley.turnId)).budget.actualMs).toBeGreaterThan(0)
  })

  test('usage is asked for always and shown to who asked', async () => {
    const without = await streamed()
    expect(without.chunks.some(({ usage }) => usage)).toBe(false)
    expect(a.requests.at(-1)?.body['stream_options']).toEqual({ include_usage: true })
    const { chunks } = await streamed({ stream_options: { include_usage: true } })
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 12 }, parley: {} })
  })

  test('members that only the provider knows reach it, ours do not', async () => {
    await client.chat.completions.create({
      model: 'a/m',
      messages,
      logit_bias: { 50256: -100 },
      seed: 7,
      ...({ parley: { resume: true }, models: ['b/n'] } as object),
    })
    expect(a.requests.at(-1)?.body).toEqual({ model: 'm', messages, logit_bias: { 50256: -100 }, seed: 7 })
  })

  test('tool calls, streamed and put together by the SDK', async () => {
    a.answer({ calls: [{ id: 'c1', name: 'get_time', arguments: '{"zone":"Europe/Rome"}' }] })
    const tool = { type: 'function' as const, function: { name: 'get_time', parameters: { type: 'object' } } }
    const run = client.chat.completions.stream({ model: 'a/m', messages, tools: [tool] })
    const { choices } = await run.finalChatCompletion()
    expect(choices[0]?.message.tool_calls).toMatchObject([
      { id: 'c1', function: { name: 'get_time', arguments: '{"zone":"Europe/Rome"}' } },
    ])
    expect(choices[0]?.finish_reason).toBe('tool_calls')
  })
})

describe('routes', () => {
  test('read the key, the metadata and what was said', async () => {
    const modelFor = async (metadata: Record<string, string>, content: string) => {
      const { parley } = await streamed({ model: 'tiers', metadata, messages: [{ role: 'user', content }] })
      return parley.attempts.map((one) => `${one.provider}/${(one as { model?: string }).model}`).join()
    }
    expect(await modelFor({ plan: 'pro' }, 'Hi')).toBe('b/large')
    expect(await modelFor({}, 'Hi')).toBe('a/small')
    expect(await modelFor({}, 'x'.repeat(50))).toBe('a/long')
  })

  test.each(['router/both', 'inworld/both', 'both'])('%s is the pipeline', async (model) => {
    expect((await streamed({ model })).text).toBe('Hello from a.')
  })
})

describe('when a target fails', () => {
  test.each([
    'refuse_503',
    'drop_mid_stream',
    'malformed_json',
    'wrong_content_type',
    'refuse_429',
    'refuse_auth',
  ] as const)(
    '%s before anything useful: the next answers, and nobody sees more than one attempt',
    async (fault) => {
      a.answer({ pieces: [], fault })
      const { text, parley } = await streamed({ model: 'both' })
      expect(text).toBe('Hello from b.')
      expect(parley.attempts.at(-1)).toMatchObject({ provider: 'b', status: 'ok' })
      await gateway.app.http.inject({ url: '/healthz' })
    },
  )

  test('in the middle of a text: another goes on with it, in the same stream', async () => {
    c.answer({ pieces: ['One two', ' three'], fault: 'drop_mid_stream' })
    b.answer({ pieces: [' four', ' five.'] })
    const { text, chunks, parley } = await streamed({ model: 'goes-on' })
    expect(text).toBe('One two three four five.')
    expect(new Set(chunks.map(({ id }) => id))).toEqual(new Set(['chatcmpl-fake']))
    expect(parley.attempts).toMatchObject([
      { provider: 'c', status: 'failed' },
      { provider: 'b', status: 'ok', reason: 'continuation' },
    ])
    const asked = b.requests.at(-1)?.body['messages'] as { role: string; content: string }[]
    expect(asked[1]).toEqual({ role: 'assistant', content: 'One two three' })
  })

  test('with nobody left the caller learns it in its own shape', async () => {
    a.answer({ fault: 'refuse_503' })
    b.answer({ fault: 'refuse_503' })
    const failed = client.chat.completions.create({ model: 'both', messages, stream: true })
    await expect(failed).rejects.toMatchObject({ status: 502, code: 'transient', type: 'server_error' })
  })

  test('what a provider says of a wrong request reaches its sender', async () => {
    const wrong = client.chat.completions.create({
      model: 'a/m',
      messages: [{ role: 'user', content: 'Hi' }],
      n: 0.5 as number,
      top_logprobs: 1,
      ...({ bogus: 1 } as object),
    })
    await expect(wrong).rejects.toMatchObject({ status: 400, type: 'invalid_request_error' })
    await expect(wrong).rejects.toThrow(/unknown parameter bogus/)
    expect(gateway.log.join('\n')).not.toContain('bogus')
  })
})
