/** A Gemini model behind the whole server, with the official `openai` SDK as the client. */
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { GEMINI_KEY, type GeminiDouble, startGeminiDouble } from '../../src/testing/model/gemini/double.ts'
import { startTokenDouble, type TokenDouble } from '../../src/testing/model/gemini/token-double.ts'
import { GATEWAY_KEY, type Gateway, startGateway } from './server.ts'

let double: GeminiDouble
let tokens: TokenDouble
let gateway: Gateway
let client: OpenAI

beforeAll(async () => {
  double = await startGeminiDouble()
  tokens = await startTokenDouble()
  gateway = await startGateway({
    settings: [
      'providers:',
      `  google: { type: gemini, baseUrl: '${double.baseUrl}', apiKey: ${GEMINI_KEY} }`,
      `  cloud: { type: vertex, baseUrl: '${double.url}/v1beta1', project: p, credentials: '${tokens.keyFile}' }`,
    ].join('\n'),
  })
  client = new OpenAI({ apiKey: GATEWAY_KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
})
afterAll(async () => {
  await gateway.close()
  await double.close()
  await tokens.close()
})

const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'Hi' }]
const tools: OpenAI.ChatCompletionTool[] = [
  { type: 'function', function: { name: 'get_time', parameters: { type: 'object', properties: {} } } },
]

test('a whole answer, with usage and what could not be said', async () => {
  double.answer({ pieces: ['Hello'] })
  const answer = await client.chat.completions.create({
    model: 'google/gemini-2.5-flash',
    messages,
    user: 'u',
  })
  expect(answer.choices[0]).toMatchObject({ message: { content: 'Hello' }, finish_reason: 'stop' })
  expect(answer.usage).toMatchObject({
    prompt_tokens: 12,
    completion_tokens: 8,
    prompt_tokens_details: { cached_tokens: 4 },
    completion_tokens_details: { reasoning_tokens: 3 },
  })
  expect(answer).toMatchObject({ parley: { attempts: [{ provider: 'google', status: 'ok' }] } })
})

test('a streamed answer, thoughts and text apart', async () => {
  double.answer({ thoughts: ['Hm.'], pieces: ['Hel', 'lo'] })
  const stream = await client.chat.completions.create({
    model: 'google/gemini-2.5-flash',
    messages,
    stream: true,
    reasoning_effort: 'low',
  })
  let text = ''
  let thoughts = ''
  for await (const { choices } of stream) {
    const delta = choices[0]?.delta as { content?: string; reasoning_content?: string } | undefined
    text += delta?.content ?? ''
    thoughts += delta?.reasoning_content ?? ''
  }
  expect([thoughts, text]).toEqual(['Hm.', 'Hello'])
})

test('Vertex by a service account', async () => {
  double.answer({ pieces: ['Hello'] })
  const answer = await client.chat.completions.create({ model: 'cloud/gemini-2.5-flash', messages })
  expect(answer.choices[0]?.message.content).toBe('Hello')
  expect(double.requests.at(-1)?.url).toMatch(
    /^\/v1beta1\/projects\/p\/locations\/global\/publishers\/google\//,
  )
})

test('a call and its result; the signature goes out and comes back with the message', async () => {
  const model = 'google/gemini-3-pro'
  double.answer({ calls: [{ id: 'c1', name: 'get_time', args: { zone: 'Rome' } }], signature: 'c2ln' })
  const { choices } = await client.chat.completions.stream({ model, messages, tools }).finalChatCompletion()
  const message = choices[0]!.message
  expect(message.tool_calls).toMatchObject([
    { id: 'c1', function: { name: 'get_time', arguments: '{"zone":"Rome"}' } },
  ])
  expect(choices[0]?.finish_reason).toBe('tool_calls')

  double.answer({ pieces: ['Noon.'] })
  const next = await client.chat.completions.create({
    model,
    tools,
    messages: [...messages, message, { role: 'tool', tool_call_id: 'c1', content: 'noon' }],
  })
  expect(next.choices[0]?.message.content).toBe('Noon.')
  const { contents } = double.requests.at(-1)!.body as { contents: { parts: object[] }[] }
  expect(contents[1]?.parts[0]).toMatchObject({ thoughtSignature: 'c2ln' })
})

test('a client of /v1/messages brings the signature back with its thoughts', async () => {
  const anthropic = new Anthropic({ apiKey: GATEWAY_KEY, baseURL: gateway.url, maxRetries: 0 })
  const call = { id: 'c1', name: 'get_time', args: {} }
  double.answer({ thoughts: ['Hm.'], calls: [call], signature: 'c2ln' })
  const user = { role: 'user' as const, content: 'Time?' }
  const asked = {
    model: 'google/gemini-3-pro',
    max_tokens: 4_000,
    tools: [{ name: 'get_time', input_schema: { type: 'object' as const } }],
  }
  const { content } = await anthropic.messages.stream({ ...asked, messages: [user] }).finalMessage()
  expect(content.map(({ type }) => type)).toEqual(['thinking', 'tool_use'])

  double.answer({ pieces: ['Noon.'] })
  const result = { type: 'tool_result' as const, tool_use_id: 'c1', content: 'noon' }
  await anthropic.messages.create({
    ...asked,
    messages: [user, { role: 'assistant', content }, { role: 'user', content: [result] }],
  })
  const { contents } = double.requests.at(-1)!.body as { contents: { parts: object[] }[] }
  expect(contents[1]?.parts).toMatchObject([{ functionCall: { id: 'c1' }, thoughtSignature: 'c2ln' }])
})

test('what Google says of a wrong request reaches its sender, and no log', async () => {
  double.answer({})
  const wrong = client.chat.completions.create({ model: 'google/gemini-2.5-flash', messages, temperature: 9 })
  await expect(wrong).rejects.toMatchObject({ status: 400, type: 'invalid_request_error' })
  await expect(wrong).rejects.toThrow(/temperature/)
  expect(gateway.log.join('\n')).not.toMatch(/SECRET|AIza/)
})
