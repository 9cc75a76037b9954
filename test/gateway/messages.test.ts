/** Messages through the whole server: the official Anthropic SDK as the client, and Claude behind the `openai` SDK. */
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ANTHROPIC_KEY, type FakeAnthropic, startFakeAnthropic } from '../../src/testing/model/anthropic.ts'
import { SIGNATURE } from '../../src/testing/model/anthropic-mistakes.ts'
import type { FakeOpenAi } from '../../src/testing/model/openai.ts'
import { chatUpstreams, GATEWAY_KEY, type Gateway, startGateway } from './server.ts'

const PIPELINES = [
  'name: claude-first\nllm: { routes: [{ name: any, use: [claude/claude-haiku-4-5, a/gpt] }] }\n',
  'name: goes-on\nllm: { routes: [{ name: any, use: [steady/claude-haiku-4-5, a/gpt] }] }\n',
  'name: gpt-first\nllm: { routes: [{ name: any, use: [a/gpt, steady/claude-haiku-4-5] }] }\n',
  `
name: tiers
llm:
  routes:
    - { name: gold, when: 'metadata.tier == "gold"', use: [claude/claude-opus-5-5] }
    - { name: any, use: [claude/claude-haiku-4-5] }
`,
]

let upstreams: Awaited<ReturnType<typeof chatUpstreams>>
let a: FakeOpenAi
let claude: FakeAnthropic
let gateway: Gateway
let client: Anthropic

beforeAll(async () => {
  claude = await startFakeAnthropic()
  upstreams = await chatUpstreams(1)
  a = upstreams.fakes[0] as FakeOpenAi
  // Two names of one server: a target that failed in one test is left alone for a while.
  const lines = ['claude', 'steady'].map(
    (name) =>
      `  ${name}: { type: anthropic, baseUrl: '${claude.baseUrl}', apiKey: ${ANTHROPIC_KEY}, headers: { anthropic-beta: b } }`,
  )
  gateway = await startGateway({ settings: [upstreams.settings, ...lines].join('\n'), pipelines: PIPELINES })
  client = new Anthropic({ apiKey: GATEWAY_KEY, baseURL: gateway.url, maxRetries: 0 })
})
afterAll(async () => {
  await gateway.close()
  await upstreams.close()
  await claude.close()
})
beforeEach(() => {
  a.answer({ pieces: ['Hello', ' from a.'] })
  claude.answer({ pieces: ['Hello', ' from Claude.'] })
})

type Params = Anthropic.MessageCreateParamsNonStreaming
type Recorded = { parley: { turnId: string; attempts: object[]; dropped?: Record<string, string[]> } }

const ask: Params = {
  model: 'claude/claude-haiku-4-5',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'Hi' }],
}
const TOOL = { name: 'get_weather', input_schema: { type: 'object' as const } }
const textOf = ({ content }: Anthropic.Message) =>
  content.map((block) => (block.type === 'text' ? block.text : '')).join('')

async function streamed(more: Partial<Params> = {}) {
  let last: unknown
  const stream = client.messages.stream({ ...ask, ...more })
  stream.on('streamEvent', (event) => {
    last = event
  })
  const message = await stream.finalMessage()
  return { message, ...(last as Recorded) }
}

describe('an answer of Claude', () => {
  test('whole, as the provider gave it, with what was done for it', async () => {
    claude.answer({ pieces: ['Hello'], extra: { later: { x: 1 } } })
    const message = await client.messages.create(ask)
    expect(message).toMatchObject({ id: 'msg_fake', later: { x: 1 }, content: [{ text: 'Hello' }] })
    const { parley } = message as typeof message & Recorded
    expect(parley.attempts).toMatchObject([{ provider: 'claude', model: 'claude-haiku-4-5', status: 'ok' }])
    expect(await gateway.turn(parley.turnId)).toMatchObject({ wire: 'messages', outcome: 'said' })
    expect(claude.requests.at(-1)?.headers).toMatchObject({
      'x-api-key': ANTHROPIC_KEY,
      'anthropic-beta': 'b',
    })
  })

  test('streamed with thoughts and calls, and the history with them goes back', async () => {
    const call = { id: 'toolu_1', name: 'get_weather', input: { city: 'Rome' } }
    claude.answer({ thought: 'Hm.', sealed: 'dark', pieces: ['I look.'], calls: [call] })
    const { message, parley } = await streamed({ tools: [TOOL] })
    expect(message).toMatchObject({
      id: 'msg_fake',
      content: [
        { type: 'thinking', thinking: 'Hm.', signature: SIGNATURE },
        { type: 'redacted_thinking', data: 'dark' },
        { type: 'text', text: 'I look.' },
        { type: 'tool_use', ...call },
      ],
      stop_reason: 'tool_use',
      usage: { input_tokens: 12, output_tokens: 5 },
    })
    expect(parley.attempts).toMatchObject([{ status: 'ok' }])
    claude.answer({ pieces: ['Sunny.'] })
    const messages: Anthropic.MessageParam[] = [
      ...ask.messages,
      { role: 'assistant', content: message.content as Anthropic.ContentBlockParam[] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: 'sun' }] },
    ]
    expect(textOf((await streamed({ tools: [TOOL], messages })).message)).toBe('Sunny.')
  })

  test('members of a beta go with the header that names it, beside the operator’s', async () => {
    const beta = ['context-management-2025-06-27', 'other-2026']
    const params = { ...ask, betas: beta, context_management: { edits: [] } }
    expect(await client.beta.messages.create(params)).toMatchObject({
      content: [{ text: 'Hello from Claude.' }],
    })
    expect(String(claude.requests.at(-1)?.headers['anthropic-beta']).split(/, ?/)).toEqual(['b', ...beta])
    const wrong = client.messages.create(ask, { headers: { 'anthropic-beta': 'a b; c' } })
    await expect(wrong).rejects.toMatchObject({ status: 400, details: { param: 'anthropic-beta' } })
    await client.messages.create({ ...ask, model: 'a/gpt' }, { headers: { 'anthropic-beta': 'x' } })
    expect(a.requests.at(-1)?.headers).not.toHaveProperty('anthropic-beta')
  })

  test('a route reads metadata that Anthropic never sees, and the model gets what it takes', async () => {
    const metadata = { user_id: 'u1', tier: 'gold' } as Anthropic.Metadata
    const { parley } = await streamed({ model: 'tiers', metadata, thinking: { type: 'disabled' } })
    expect(parley.attempts).toMatchObject([{ model: 'claude-opus-5-5', status: 'ok' }])
    expect(claude.requests.at(-1)?.body).toEqual({
      model: 'claude-opus-5-5',
      max_tokens: 100,
      messages: ask.messages,
      metadata: { user_id: 'u1' },
      stream: true,
    })
  })
})

describe('an answer of a chat completions provider', () => {
  test('is a message: thoughts, words, parallel calls, usage', async () => {
    a.answer({
      reasoning: 'Hm.',
      pieces: ['I ', 'look.'],
      calls: [
        { id: 'c1', name: 'get_weather', arguments: '{"city":"Rome"}' },
        { id: 'c2', name: 'get_weather', arguments: '{"city":"Oslo"}' },
      ],
    })
    const { message, parley } = await streamed({
      model: 'a/gpt',
      tools: [TOOL],
      system: 'Be brief.',
      top_k: 3,
    } as Partial<Params>)
    expect(message).toMatchObject({
      type: 'message',
      model: 'a/gpt',
      content: [
        { type: 'thinking', thinking: 'Hm.' },
        { type: 'text', text: 'I look.' },
        { type: 'tool_use', id: 'c1', input: { city: 'Rome' } },
        { type: 'tool_use', id: 'c2', input: { city: 'Oslo' } },
      ],
      stop_reason: 'tool_use',
      usage: { input_tokens: 8, cache_read_input_tokens: 4, output_tokens: 5 },
    })
    expect(message.id).toMatch(/^msg_/)
    expect(parley.dropped).toEqual({ 'a/gpt': ['topK'] })
    const body = a.requests.at(-1)!.body as { messages: { content: unknown }[] }
    expect(body.messages.map(({ content }) => content)).toEqual(['Be brief.', 'Hi'])

    const results = ['c1', 'c2'].map((id) => ({
      ...{ type: 'tool_result' as const, tool_use_id: id, content: 'sun' },
    }))
    a.answer({ pieces: ['Sunny.'] })
    const again = await client.messages.create({
      ...ask,
      model: 'a/gpt',
      tools: [TOOL],
      messages: [
        ...ask.messages,
        { role: 'assistant', content: message.content as Anthropic.ContentBlockParam[] },
        { role: 'user', content: results },
      ],
    })
    expect(again).toMatchObject({ content: [{ type: 'text', text: 'Sunny.' }], stop_reason: 'end_turn' })

    // Claude takes the conversation over: thoughts that it did not sign stay behind.
    const taken = await client.messages.create({
      ...ask,
      tools: [TOOL],
      messages: [
        ...ask.messages,
        { role: 'assistant', content: message.content as Anthropic.ContentBlockParam[] },
        { role: 'user', content: results },
      ],
    })
    expect(textOf(taken)).toBe('Hello from Claude.')
  })
})

describe('Claude for clients of chat completions', () => {
  test('thoughts, calls and usage in their words', async () => {
    const openai = new OpenAI({ apiKey: GATEWAY_KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
    claude.answer({
      thought: 'Hm.',
      pieces: ['I look.'],
      calls: [{ id: 'toolu_1', name: 'get_weather', input: { city: 'Rome' } }],
    })
    const tools = [{ type: 'function' as const, function: { name: 'get_weather', parameters: {} } }]
    const model = 'claude/claude-haiku-4-5'
    const messages: OpenAI.ChatCompletionMessageParam[] = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Weather?' },
    ]
    const completion = await openai.chat.completions
      .stream({ model, messages, tools, seed: 1, stream_options: { include_usage: true } })
      .finalChatCompletion()
    const message = completion.choices[0]!.message
    expect(completion).toMatchObject({
      choices: [{ finish_reason: 'tool_calls', message: { content: 'I look.' } }],
      usage: {
        prompt_tokens: 19,
        completion_tokens: 5,
        prompt_tokens_details: { cached_tokens: 4 },
        completion_tokens_details: { reasoning_tokens: 2 },
      },
    })
    expect(message.tool_calls).toMatchObject([{ id: 'toolu_1', function: { arguments: '{"city":"Rome"}' } }])
    expect(claude.requests.at(-1)?.body).toMatchObject({ max_tokens: 16_000, system: 'Be brief.' })
    claude.answer({ pieces: ['Sunny.'] })
    const { choices } = await openai.chat.completions.create({
      model,
      tools,
      messages: [...messages, message, { role: 'tool', tool_call_id: 'toolu_1', content: 'sun' }],
    })
    expect(choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: 'Sunny.' } })
  })
})

describe('Claude for clients of Responses', () => {
  test('thoughts go there sealed, and come back to Claude with their signature', async () => {
    const openai = new OpenAI({ apiKey: GATEWAY_KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
    claude.answer({
      thought: 'Hm.',
      calls: [{ id: 'toolu_1', name: 'get_weather', input: { city: 'Rome' } }],
    })
    const input: OpenAI.Responses.ResponseInputItem[] = [{ role: 'user', content: 'Weather?' }]
    const asked: OpenAI.Responses.ResponseCreateParamsNonStreaming = {
      model: 'claude/claude-haiku-4-5',
      reasoning: { effort: 'low' },
      tools: [{ type: 'function', name: 'get_weather', parameters: { type: 'object' }, strict: false }],
    }
    const { output } = await openai.responses.create({ ...asked, input })
    expect(output.map(({ type }) => type)).toEqual(['reasoning', 'function_call'])
    claude.answer({ pieces: ['Sunny.'] })
    const result = { type: 'function_call_output' as const, call_id: 'toolu_1', output: 'sun' }
    const history = [...input, ...(output as OpenAI.Responses.ResponseInputItem[]), result]
    expect((await openai.responses.create({ ...asked, input: history })).output_text).toBe('Sunny.')
    expect(claude.requests.at(-1)?.body).toMatchObject({
      thinking: { type: 'enabled', budget_tokens: 2_048 },
      messages: [
        { role: 'user', content: 'Weather?' },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'Hm.', signature: SIGNATURE },
            { type: 'tool_use', id: 'toolu_1', input: { city: 'Rome' } },
          ],
        },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'sun' }] },
      ],
    })
  })
})

describe('when a target fails', () => {
  test.each(['overloaded', 'refuse_too_long', 'drop_mid_stream', 'error_without_context'] as const)(
    '%s before anything useful: the other answers in its place',
    async (fault) => {
      claude.answer({ fault })
      const { message, parley } = await streamed({ model: 'claude-first' })
      expect(textOf(message)).toBe('Hello from a.')
      expect(parley.attempts.at(-1)).toMatchObject({ provider: 'a', status: 'ok' })
    },
  )
  test('a refusal is another’s turn, too', async () => {
    claude.answer({ pieces: [], stop: 'refusal' })
    expect(textOf((await streamed({ model: 'claude-first' })).message)).toBe('Hello from a.')
  })
  test('in the middle of a text of Claude: another goes on in the same block', async () => {
    claude.answer({ pieces: ['One', ' two'], fault: 'half_event' })
    a.answer({ pieces: [' three', ' four.'] })
    const { message, parley } = await streamed({ model: 'goes-on' })
    expect(message).toMatchObject({
      id: 'msg_fake',
      content: [{ type: 'text', text: 'One two three four.' }],
      stop_reason: 'end_turn',
    })
    expect(message.content).toHaveLength(1)
    expect(parley.attempts).toMatchObject([
      { provider: 'steady', status: 'failed' },
      { provider: 'a', status: 'ok', reason: 'continuation' },
    ])
  })
  test('in the middle of another’s text: Claude goes on with it as its own beginning', async () => {
    a.answer({ pieces: ['One', ' two'], fault: 'drop_mid_stream' })
    claude.answer({ pieces: [' three.'] })
    const { message } = await streamed({ model: 'gpt-first' })
    expect(message.content).toMatchObject([{ type: 'text', text: 'One two three.' }])
    const { messages } = claude.requests.at(-1)!.body as { messages: unknown[] }
    expect(messages.at(-1)).toEqual({ role: 'assistant', content: 'One two' })
  })
  test('with nobody left the caller learns it as the SDK knows it', async () => {
    claude.answer({ fault: 'refuse_503' })
    await expect(client.messages.create(ask)).rejects.toMatchObject({
      status: 502,
      type: 'api_error',
      errorCode: 'transient',
    })
    claude.answer({ pieces: ['Half'], fault: 'close_clean_early' })
    await expect(streamed()).rejects.toMatchObject({ errorCode: 'transient' })
  })
  test('what Anthropic says of a wrong request reaches its sender, and no log', async () => {
    const wrong = client.messages.create({ ...ask, bogus_member: 1 } as Params)
    await expect(wrong).rejects.toBeInstanceOf(Anthropic.BadRequestError)
    await expect(wrong).rejects.toMatchObject({ type: 'invalid_request_error' })
    await expect(wrong).rejects.toThrow(/bogus_member: Extra inputs/)
    expect(gateway.log.join('\n')).not.toContain('bogus_member')
  })
  test('what only Anthropic can do is refused with the member’s name', async () => {
    const tools = [{ type: 'web_search_20250305' as const, name: 'web_search' as const }]
    await expect(client.messages.create({ ...ask, model: 'a/gpt', tools })).rejects.toMatchObject({
      status: 400,
      details: { param: 'tools[0].type' },
    })
    claude.answer({ pieces: ['Found.'] })
    expect(textOf(await client.messages.create({ ...ask, tools }))).toBe('Found.')
  })
})

test('keys go in either header; unknown models and bodies are told in Anthropic’s shape', async () => {
  const post = (headers: Record<string, string>, body: object | string) =>
    fetch(`${gateway.url}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  const older = { 'x-api-key': GATEWAY_KEY, 'anthropic-version': '2023-06-01' }
  expect((await post(older, ask)).status).toBe(200)
  const unknown = client.messages.create({ ...ask, model: 'nobody/x' })
  await expect(unknown).rejects.toBeInstanceOf(Anthropic.NotFoundError)
  await expect(unknown).rejects.toMatchObject({ errorCode: 'model_not_found' })
  const broken = await post(older, '{"model"')
  expect([broken.status, await broken.json()]).toMatchObject([
    400,
    { type: 'error', error: { type: 'invalid_request_error', details: { error_code: 'invalid_json' } } },
  ])
})
