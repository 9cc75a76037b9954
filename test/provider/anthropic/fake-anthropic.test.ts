/** The double, as the official SDK sees it. */
import Anthropic from '@anthropic-ai/sdk'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  ANTHROPIC_KEY,
  type FakeAnthropic,
  startFakeAnthropic,
} from '../../../src/testing/model/anthropic.ts'

let fake: FakeAnthropic
let client: Anthropic
beforeAll(async () => {
  fake = await startFakeAnthropic()
  client = new Anthropic({ apiKey: ANTHROPIC_KEY, baseURL: fake.baseUrl, maxRetries: 0 })
})
afterAll(() => fake.close())

const ask = {
  model: 'claude-opus-5',
  max_tokens: 2_000,
  messages: [{ role: 'user' as const, content: 'Hi' }],
}
const tools = [{ name: 'get_weather', input_schema: { type: 'object' as const } }]

test('a whole message', async () => {
  fake.answer({ pieces: ['Hel', 'lo'] })
  expect(await client.messages.create(ask)).toMatchObject({
    content: [{ type: 'text', text: 'Hello' }],
    stop_reason: 'end_turn',
    usage: { input_tokens: 12, cache_read_input_tokens: 4, output_tokens: 5 },
  })
})

test('a streamed one with thoughts and calls, then the history with their results', async () => {
  const calls = [
    { id: 'toolu_1', name: 'get_weather', input: { city: 'Rom – ça' } },
    { id: 'toolu_2', name: 'get_weather', input: {} },
  ]
  fake.answer({
    thought: 'Let me think.',
    sealed: 'dark',
    pieces: ['I', ' look.'],
    calls,
    framing: 'byteByByte',
  })
  const first = await client.messages.stream({ ...ask, tools }).finalMessage()
  expect(first).toMatchObject({
    content: [
      { type: 'thinking', thinking: 'Let me think.' },
      { type: 'redacted_thinking', data: 'dark' },
      { type: 'text', text: 'I look.' },
      { type: 'tool_use', ...calls[0] },
      { type: 'tool_use', ...calls[1] },
    ],
    stop_reason: 'tool_use',
  })
  fake.answer({ pieces: ['Sunny.'] })
  const results = calls.map(({ id }) => ({ type: 'tool_result' as const, tool_use_id: id, content: 'sun' }))
  const { content } = await client.messages.create({
    ...ask,
    tools,
    messages: [
      ...ask.messages,
      { role: 'assistant', content: first.content as Anthropic.ContentBlockParam[] },
      { role: 'user', content: results },
    ],
  })
  expect(content).toMatchObject([{ text: 'Sunny.' }])
})

test.each([
  ['refuse_auth', Anthropic.AuthenticationError],
  ['refuse_429', Anthropic.RateLimitError],
  ['refuse_billing', Anthropic.PaymentRequiredError],
  ['refuse_too_long', Anthropic.BadRequestError],
  ['overloaded', Anthropic.OverloadedError],
  ['refuse_503', Anthropic.InternalServerError],
] as const)('its %s is the error class the SDK knows', async (fault, type) => {
  fake.answer({ fault })
  await expect(client.messages.create(ask)).rejects.toBeInstanceOf(type)
})

test('its error inside a stream is the SDK’s error', async () => {
  fake.answer({ pieces: ['Half'], fault: 'error_without_context' })
  await expect(client.messages.stream(ask).finalMessage()).rejects.toMatchObject({ type: 'overloaded_error' })
})

describe('what the real one refuses, it refuses', () => {
  const wrong = (more: object) =>
    client.messages.create({ ...ask, ...more } as Anthropic.MessageCreateParamsNonStreaming)
  const say = (role: string, content: unknown) => ({ role, content })
  const user = say('user', 'Hi')
  const use = { type: 'tool_use', id: 'a', name: 'f', input: {} }
  test.each([
    ['an unknown member', { extra: 1 }],
    ['sampling, of which the SDK’s version has none', { temperature: 1 }],
    ['no limit', { max_tokens: undefined }],
    ['no message', { messages: [] }],
    ['two turns of one role', { messages: [user, user] }],
    ['an assistant first', { messages: [say('assistant', 'Hi'), user] }],
    ['a beginning of the answer', { messages: [user, say('assistant', 'One')] }],
    ['an empty text', { messages: [say('user', [{ type: 'text', text: ' ' }])] }],
    ['a call without its result', { messages: [user, say('assistant', [use]), user] }],
    [
      'a result without its call',
      { messages: [say('user', [{ type: 'tool_result', tool_use_id: 'a', content: '' }])] },
    ],
    [
      'words before results',
      {
        messages: [
          ...[user, say('assistant', [use])],
          say('user', [
            { type: 'text', text: 'x' },
            { type: 'tool_result', tool_use_id: 'a' },
          ]),
        ],
      },
    ],
    [
      'thoughts that others signed',
      { messages: [user, say('assistant', [{ type: 'thinking', thinking: 'x', signature: 'y' }]), user] },
    ],
    ['a budget', { thinking: { type: 'enabled', budget_tokens: 1_024 } }],
    [
      'a forced call while it thinks',
      { thinking: { type: 'adaptive' }, tools, tool_choice: { type: 'any' } },
    ],
    ['a choice without tools', { tool_choice: { type: 'auto' } }],
    ['an open schema', { output_config: { format: { type: 'json_schema', schema: { type: 'object' } } } }],
    ['metadata of our routes', { metadata: { tier: 'gold' } }],
  ])('%s', async (_what, more) => {
    fake.answer({})
    await expect(wrong(more)).rejects.toBeInstanceOf(Anthropic.BadRequestError)
  })
})
