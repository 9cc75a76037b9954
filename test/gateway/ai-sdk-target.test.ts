/** A package of the AI SDK as a target of the gateway: the `openai` SDK on this side, a server of chat completions on the other. */
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FAKE_KEY, type FakeOpenAi, startFakeOpenAi } from '../../src/testing/model/openai.ts'
import { GATEWAY_KEY, type Gateway, startGateway } from './server.ts'

type Recorded = {
  parley: {
    turnId: string
    attempts: { provider: string; model: string; status: string }[]
    dropped?: Record<string, string[]>
  }
}

let up: FakeOpenAi
let down: FakeOpenAi
let gateway: Gateway
let client: OpenAI

beforeAll(async () => {
  up = await startFakeOpenAi()
  down = await startFakeOpenAi()
  gateway = await startGateway({
    settings: `
providers:
  tail: { type: ai-sdk, package: '@ai-sdk/openai-compatible', apiKey: ${FAKE_KEY}, baseUrl: '${up.baseUrl}', options: { includeUsage: true } }
  older: { type: ai-sdk, package: '@ai-sdk/groq', factory: createGroq, apiKey: ${FAKE_KEY}, baseUrl: '${down.baseUrl}' }
  missing: { type: ai-sdk, package: '@ai-sdk/nobody-has-this', apiKeys: [{ id: one, key: ${FAKE_KEY} }] }
  keyed: { type: ai-sdk, package: '@ai-sdk/groq', baseUrl: '${up.baseUrl}', apiKeys: [{ id: one, key: ${FAKE_KEY} }] }
`,
    pipelines: [`\nname: chain\nllm: { routes: [{ name: any, use: [missing/m, older/m, tail/m] }] }\n`],
  })
  client = new OpenAI({ apiKey: GATEWAY_KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
})
afterAll(async () => {
  await gateway.close()
  await up.close()
  await down.close()
})

const messages = [{ role: 'user' as const, content: 'Hi' }]
const tool = { type: 'function' as const, function: { name: 'get_time', parameters: { type: 'object' } } }

describe('an answer of a package', () => {
  test('streamed, with usage and the record', async () => {
    up.answer({ pieces: ['Hel', 'lo'] })
    const stream = await client.chat.completions.create({
      model: 'tail/m',
      messages,
      stream: true,
      stream_options: { include_usage: true },
    })
    const chunks: (OpenAI.ChatCompletionChunk & Partial<Recorded>)[] = []
    for await (const chunk of stream) chunks.push(chunk)
    expect(chunks.map((chunk) => chunk.choices[0]?.delta?.content ?? '').join('')).toBe('Hello')
    expect(chunks.at(-1)).toMatchObject({
      usage: { prompt_tokens: 12, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 4 } },
      parley: { attempts: [{ provider: 'tail', model: 'm', status: 'ok' }] },
    })
  })

  test('whole, with a call and its result, and what could not be said named', async () => {
    up.answer({ calls: [{ id: 'c1', name: 'get_time', arguments: '{"zone":"Europe/Rome"}' }] })
    const asked = { model: 'tail/m', tools: [tool], user: 'u-1', parallel_tool_calls: false }
    const first = (await client.chat.completions.create({ ...asked, messages })) as OpenAI.ChatCompletion &
      Recorded
    const { message, finish_reason } = first.choices[0]!
    expect(finish_reason).toBe('tool_calls')
    expect(message.tool_calls).toMatchObject([{ id: 'c1', function: { name: 'get_time' } }])
    expect(first.parley.dropped).toEqual({ 'tail/m': ['parallelToolCalls', 'user'] })

    up.answer({ pieces: ['Noon.'] })
    const result = { role: 'tool' as const, tool_call_id: 'c1', content: '12:00' }
    const second = await client.chat.completions.create({
      ...asked,
      messages: [...messages, message, result],
    })
    expect(second.choices[0]).toMatchObject({ message: { content: 'Noon.' }, finish_reason: 'stop' })
  })

  test('by one of several keys', async () => {
    up.answer({ pieces: ['Hello'] })
    const answer = await client.chat.completions.create({ model: 'keyed/m', messages })
    expect(answer).toMatchObject({ parley: { attempts: [{ provider: 'keyed', status: 'ok' }] } })
    expect(up.requests.at(-1)?.headers.authorization).toBe(`Bearer ${FAKE_KEY}`)
  })

  test('what the provider says of a wrong request reaches its sender, and no log', async () => {
    const wrong = client.chat.completions.create({ model: 'tail/m', messages, temperature: 2.5 })
    await expect(wrong).rejects.toMatchObject({ status: 400 })
    await expect(wrong).rejects.toThrow(/temperature: SECRET-IN-MESSAGE/)
    expect(gateway.log.join('\n')).not.toMatch(/SECRET|sk-fake/)
  })

  test('a client that leaves closes the request upstream', async () => {
    up.answer({ pieces: ['One'], fault: 'silent_after_ms' })
    const stream = await client.chat.completions.create({ model: 'tail/m', messages, stream: true })
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break
    expect(await up.requests.at(-1)!.closed).toBe(true)
  })
})

test('a package that is missing is told at the start and skipped, one that fails is followed by the next', async () => {
  const log = gateway.log.join('\n')
  expect(log).toContain('the package @ai-sdk/nobody-has-this is not installed')
  expect(log).toContain('missing/m is skipped')
  down.answer({ fault: 'refuse_503' })
  up.answer({ pieces: ['Here.'] })
  const { choices, parley } = (await client.chat.completions.create({
    model: 'chain',
    messages,
  })) as OpenAI.ChatCompletion & Recorded
  expect(choices[0]?.message.content).toBe('Here.')
  expect(parley.attempts.map(({ provider, status }) => `${provider} ${status}`)).toEqual([
    'older failed',
    'tail ok',
  ])
})
