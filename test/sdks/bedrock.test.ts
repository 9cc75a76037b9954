/** AWS's own SDK against our double of Converse: its signature and its API key, its event streams, its errors. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  BEDROCK_API_KEY,
  BEDROCK_KEYS,
  type BedrockDouble,
  startBedrockDouble,
} from '../../src/testing/model/bedrock/double.ts'
import { describeSdk, loadSdk } from './installed.ts'

interface Message {
  readonly role: string
  readonly content: readonly object[]
}

interface Answer {
  readonly output?: { readonly message?: Message }
  readonly stopReason?: string
  readonly usage?: object
  readonly stream?: AsyncIterable<{
    readonly contentBlockStart?: { readonly start?: { readonly toolUse?: object } }
    readonly contentBlockDelta?: {
      readonly delta?: {
        readonly text?: string
        readonly toolUse?: { readonly input?: string }
        readonly reasoningContent?: { readonly text?: string; readonly signature?: string }
      }
    }
    readonly messageStop?: { readonly stopReason?: string }
    readonly metadata?: { readonly usage?: object }
  }>
}

interface Client {
  send(command: object): Promise<Answer>
  destroy(): void
}

interface Sdk {
  readonly BedrockRuntimeClient: new (options: object) => Client
  readonly ConverseCommand: new (input: object) => object
  readonly ConverseStreamCommand: new (input: object) => object
}

interface Handlers {
  readonly NodeHttpHandler: new () => object
}

const MODEL = 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0'
const hi = { role: 'user', content: [{ text: 'Hi' }] }
const toolConfig = { tools: [{ toolSpec: { name: 'get_time', inputSchema: { json: { type: 'object' } } } }] }
const usage = { inputTokens: 8, outputTokens: 5, cacheReadInputTokens: 4, cacheWriteInputTokens: 3 }

describeSdk('@aws-sdk/client-bedrock-runtime', () => {
  let double: BedrockDouble
  let sdk: Sdk
  let client: Client
  beforeEach(async () => {
    double = await startBedrockDouble()
    sdk = await loadSdk<Sdk>('@aws-sdk/client-bedrock-runtime')
    client = await clientWith({ credentials: BEDROCK_KEYS })
  })
  afterEach(async () => {
    client.destroy()
    await double.close()
  })

  async function clientWith(auth: object): Promise<Client> {
    // Its own handler speaks HTTP/2 alone, the double HTTP/1.1, which the real one takes too.
    const { NodeHttpHandler } = await loadSdk<Handlers>('@smithy/node-http-handler')
    const { region } = BEDROCK_KEYS
    const facts = { region, endpoint: double.url, maxAttempts: 1, requestHandler: new NodeHttpHandler() }
    return new sdk.BedrockRuntimeClient({ ...facts, ...auth })
  }

  const converse = (more: object = {}) =>
    client.send(new sdk.ConverseCommand({ modelId: MODEL, messages: [hi], ...more }))
  const converseStream = (more: object = {}) =>
    client.send(new sdk.ConverseStreamCommand({ modelId: MODEL, messages: [hi], ...more }))

  test('a whole answer, for a signed request', async () => {
    double.answer({ pieces: ['Hello'] })
    const answer = await converse({ system: [{ text: 'Be brief.' }], inferenceConfig: { maxTokens: 9 } })
    expect(answer.output?.message?.content).toEqual([{ text: 'Hello' }])
    expect(answer.usage).toMatchObject(usage)
    expect(double.requests.at(-1)?.headers.authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=AKIAFAKE/)
  })

  test('an API key', async () => {
    double.answer({ pieces: ['Hello'] })
    client.destroy()
    client = await clientWith({ token: { token: BEDROCK_API_KEY }, authSchemePreference: ['httpBearerAuth'] })
    expect((await converse()).stopReason).toBe('end_turn')
    expect(double.requests.at(-1)?.headers.authorization).toBe(`Bearer ${BEDROCK_API_KEY}`)
  })

  test.each(['as it is', 'byteByByte'] as const)('a streamed answer, cut %s', async (cuts) => {
    const call = { id: 'c1', name: 'get_time', args: { zone: 'Rome' } }
    double.answer({ thoughts: 'Hm.', pieces: ['Grüß', ' Gott 👋🏽'], calls: [call], cuts })
    const { stream } = await converseStream({ toolConfig })
    const seen = { text: '', thoughts: '', signature: '', input: '', stop: '', usage: {} }
    for await (const { contentBlockDelta, messageStop, metadata } of stream ?? []) {
      const { text, toolUse, reasoningContent } = contentBlockDelta?.delta ?? {}
      seen.text += text ?? ''
      seen.thoughts += reasoningContent?.text ?? ''
      seen.signature += reasoningContent?.signature ?? ''
      seen.input += toolUse?.input ?? ''
      seen.stop += messageStop?.stopReason ?? ''
      Object.assign(seen.usage, metadata?.usage)
    }
    expect(seen).toMatchObject({
      ...{ text: 'Grüß Gott 👋🏽', thoughts: 'Hm.', signature: 'c2lnbmVk', input: '{"zone":"Rome"}' },
      ...{ stop: 'tool_use', usage },
    })
  })

  test('an answer goes back with the result of its call, images and cache points beside it', async () => {
    double.answer({ thoughts: 'Hm.', calls: [{ id: 'c1', name: 'get_time', args: { zone: 'Rome' } }] })
    const answer = await converse({ toolConfig })
    double.answer({ pieces: ['Noon.'] })
    const result = { toolResult: { toolUseId: 'c1', content: [{ text: 'noon' }], status: 'success' } }
    const image = { image: { format: 'png', source: { bytes: Buffer.from('hi') } } }
    const content = [result, { cachePoint: { type: 'default' } }, image]
    const messages = [hi, answer.output?.message, { role: 'user', content }]
    expect((await converse({ messages, toolConfig })).output?.message?.content).toEqual([{ text: 'Noon.' }])
  })

  test('refusals are its exceptions, inside a stream too', async () => {
    double.answer({ fault: 'refuse_429' })
    await expect(converse()).rejects.toMatchObject({ name: 'ThrottlingException' })
    double.answer({ fault: 'too_long' })
    await expect(converse()).rejects.toMatchObject({ name: 'ValidationException' })
    double.answer({ pieces: ['x'] })
    await expect(converse({ messages: [] })).rejects.toMatchObject({ name: 'ValidationException' })
    double.answer({ pieces: ['x'], fault: 'throttled_in_stream' })
    const { stream } = await converseStream()
    await expect(drain(stream)).rejects.toMatchObject({ name: 'ThrottlingException' })
    client.destroy()
    client = await clientWith({ credentials: { ...BEDROCK_KEYS, secretAccessKey: 'wrong' } })
    await expect(converse()).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } })
  })
})

async function drain(stream: AsyncIterable<unknown> = noStream()): Promise<void> {
  for await (const _ of stream);
}

async function* noStream(): AsyncGenerator<never> {}
