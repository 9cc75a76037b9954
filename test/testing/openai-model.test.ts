import OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FAKE_KEY, type FakeOpenAi, startFakeOpenAi } from '../../src/testing/model/openai.ts'

let fake: FakeOpenAi
let client: OpenAI
beforeAll(async () => {
  fake = await startFakeOpenAi()
  client = new OpenAI({ apiKey: FAKE_KEY, baseURL: fake.baseUrl, maxRetries: 0 })
})
afterAll(() => fake.close())

const messages = [{ role: 'user' as const, content: 'Hi' }]

test('the official SDK reads its text, finish and usage', async () => {
  fake.answer({ pieces: ['Hel', 'lo – ', 'ça va?'], framing: 'byteByByte' })
  const stream = client.chat.completions.stream({
    model: 'm',
    messages,
    stream_options: { include_usage: true },
  })
  const completion = await stream.finalChatCompletion()
  expect(completion.choices[0]).toMatchObject({
    finish_reason: 'stop',
    message: { content: 'Hello – ça va?' },
  })
  expect(completion.usage).toMatchObject({ prompt_tokens: 12, completion_tokens: 5 })
})

test('the official SDK assembles its tool calls', async () => {
  fake.answer({
    calls: [
      { id: 'c1', name: 'get_time', arguments: '{}' },
      { id: 'c2', name: 'get_weather', arguments: '{"city":"Rome"}' },
    ],
  })
  const tools = ['get_time', 'get_weather'].map((name) => ({
    type: 'function' as const,
    function: { name, parameters: { type: 'object', properties: {} } },
  }))
  const completion = await client.chat.completions
    .stream({ model: 'm', messages, tools })
    .finalChatCompletion()
  const calls = completion.choices[0]?.message.tool_calls ?? []
  expect(calls.map((c) => [c.id, c.type === 'function' && c.function.arguments])).toEqual([
    ['c1', '{}'],
    ['c2', '{"city":"Rome"}'],
  ])
})

test.each([
  ['refuse_auth', OpenAI.AuthenticationError],
  ['refuse_429', OpenAI.RateLimitError],
  ['refuse_503', OpenAI.InternalServerError],
] as const)('its %s is the error class the SDK knows', async (fault, type) => {
  fake.answer({ fault })
  await expect(client.chat.completions.create({ model: 'm', messages, stream: true })).rejects.toBeInstanceOf(
    type,
  )
})

test('a request the real server would refuse is refused', async () => {
  fake.answer({ pieces: ['x'] })
  const orphan = [{ role: 'tool' as const, tool_call_id: 'c9', content: '1' }]
  const asked = client.chat.completions.create({ model: 'm', messages: orphan, stream: true })
  await expect(asked).rejects.toThrow('a tool message must answer a call')
})
