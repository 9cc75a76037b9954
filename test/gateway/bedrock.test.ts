/** A model on Bedrock behind the whole server, with the official `openai` SDK as the client. */
import OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  BEDROCK_KEYS,
  type BedrockDouble,
  startBedrockDouble,
} from '../../src/testing/model/bedrock/double.ts'
import { GATEWAY_KEY, type Gateway, startGateway } from './server.ts'

let double: BedrockDouble
let gateway: Gateway
let client: OpenAI

beforeAll(async () => {
  double = await startBedrockDouble()
  const { accessKeyId, secretAccessKey, sessionToken, region } = BEDROCK_KEYS
  gateway = await startGateway({
    settings: [
      'providers:',
      `  aws: { type: bedrock, baseUrl: '${double.url}', region: ${region}, accessKeyId: ${accessKeyId},`,
      `    secretAccessKey: '${secretAccessKey}', sessionToken: ${sessionToken} }`,
      `  keyless: { type: bedrock, region: ${region} }`,
    ].join('\n'),
  })
  client = new OpenAI({ apiKey: GATEWAY_KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
})
afterAll(async () => {
  await gateway.close()
  await double.close()
})

const model = 'aws/eu.anthropic.claude-sonnet-4-5-20250929-v1:0'
const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'Hi' }]
const tools: OpenAI.ChatCompletionTool[] = [
  { type: 'function', function: { name: 'get_time', parameters: { type: 'object', properties: {} } } },
]

test('a whole answer, with usage and what could not be said', async () => {
  double.answer({ pieces: ['Hello'] })
  const answer = await client.chat.completions.create({ model, messages, seed: 7 })
  expect(answer.choices[0]).toMatchObject({ message: { content: 'Hello' }, finish_reason: 'stop' })
  expect(answer.usage).toMatchObject({
    prompt_tokens: 15,
    completion_tokens: 5,
    prompt_tokens_details: { cached_tokens: 4 },
  })
  expect(answer).toMatchObject({ parley: { attempts: [{ provider: 'aws', status: 'ok' }] } })
  expect(JSON.stringify(answer)).toContain('seed')
})

test('a streamed answer, thoughts and text apart', async () => {
  double.answer({ thoughts: 'Hm.', pieces: ['Hel', 'lo'] })
  const stream = await client.chat.completions.create({
    model,
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

test('a call and its result', async () => {
  double.answer({ calls: [{ id: 'tooluse_1', name: 'get_time', args: { zone: 'Rome' } }] })
  const { choices } = await client.chat.completions.stream({ model, messages, tools }).finalChatCompletion()
  const message = choices[0]!.message
  expect(message.tool_calls).toMatchObject([
    { id: 'tooluse_1', function: { name: 'get_time', arguments: '{"zone":"Rome"}' } },
  ])
  expect(choices[0]?.finish_reason).toBe('tool_calls')

  double.answer({ pieces: ['Noon.'] })
  const result = { role: 'tool' as const, tool_call_id: 'tooluse_1', content: 'noon' }
  const next = await client.chat.completions.create({
    model,
    tools,
    messages: [...messages, message, result],
  })
  expect(next.choices[0]?.message.content).toBe('Noon.')
})

test('an image by address is refused with its place, since nobody fetches it', async () => {
  const image = { type: 'image_url' as const, image_url: { url: 'https://a.example/x.png' } }
  const wrong = client.chat.completions.create({ model, messages: [{ role: 'user', content: [image] }] })
  await expect(wrong).rejects.toMatchObject({ status: 400, param: 'messages[0]' })
})

test('a provider without a key is left out, and said so once', async () => {
  const wrong = client.chat.completions.create({ model: 'keyless/x', messages })
  await expect(wrong).rejects.toMatchObject({ status: 404 })
  expect(gateway.log.filter((line) => line.includes('providers.keyless has no key'))).toHaveLength(1)
  expect(gateway.log.join('\n')).not.toMatch(/AKIA|fake/)
})
