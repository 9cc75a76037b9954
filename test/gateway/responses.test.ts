/** `/v1/responses` through the whole server, with the official `openai` SDK as the client. */
import OpenAI from 'openai'
import { zodTextFormat } from 'openai/helpers/zod'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { FAKE_KEY, type FakeOpenAi, startFakeOpenAi } from '../../src/testing/model/openai.ts'
import {
  DOUBLE_KEY,
  type ResponsesDouble,
  startResponsesDouble,
} from '../../src/testing/model/openai-responses/double.ts'
import { GATEWAY_KEY, type Gateway, startGateway } from './server.ts'

const pipeline = (name: string, use: string) => `
name: ${name}
llm: { routes: [{ name: any, use: [${use}] }] }
`

let chat: FakeOpenAi
let responses: ResponsesDouble
let broken: ResponsesDouble
/** One whose circuit may open. */
let faulty: ResponsesDouble
let gateway: Gateway
let client: OpenAI

beforeAll(async () => {
  chat = await startFakeOpenAi()
  responses = await startResponsesDouble()
  broken = await startResponsesDouble()
  faulty = await startResponsesDouble()
  const target = (name: string, baseUrl: string) =>
    `  ${name}: { type: openai, api: responses, baseUrl: '${baseUrl}', apiKey: ${DOUBLE_KEY} }`
  gateway = await startGateway({
    settings: [
      'providers:',
      `  chat: { type: openai, baseUrl: '${chat.baseUrl}', apiKey: ${FAKE_KEY} }`,
      target('same', responses.baseUrl),
      target('broken', broken.baseUrl),
      target('faulty', faulty.baseUrl),
    ].join('\n'),
    pipelines: [
      pipeline('same-first', 'same/m, chat/m'),
      pipeline('faulty-first', 'faulty/m, chat/m'),
      pipeline('goes-on', 'broken/m, chat/m'),
      pipeline('asks', 'broken/asks, chat/m'),
      pipeline('searches', 'broken/searches, chat/m'),
      pipeline('goes-on-alike', 'broken/m, same/m'),
    ],
  })
  client = new OpenAI({ apiKey: GATEWAY_KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
})
afterAll(async () => {
  await gateway.close()
  await Promise.all([chat.close(), responses.close(), broken.close(), faulty.close()])
})
beforeEach(() => {
  chat.answer({ pieces: ['Hello', ' from', ' chat.'] })
  responses.answer({ items: [{ type: 'message', pieces: ['Hello', ' from', ' responses.'] }] })
})

type Recorded = {
  parley: { turnId: string; attempts: { provider: string; status: string }[]; dropped?: unknown }
}
const parleyOf = (response: object) => (response as Recorded).parley
const TOOL = {
  type: 'function' as const,
  name: 'get_time',
  strict: true,
  parameters: {
    type: 'object',
    properties: { zone: { type: 'string' } },
    required: ['zone'],
    additionalProperties: false,
  },
}

describe.each([
  ['chat/m', 'Hello from chat.'],
  ['same/m', 'Hello from responses.'],
])('of %s', (model, words) => {
  const provider = model.split('/')[0]

  test('whole, with what was done for it', async () => {
    const response = await client.responses.create({ model, input: 'Hi', instructions: 'Be brief.' })
    expect(response).toMatchObject({ object: 'response', status: 'completed', output_text: words })
    const { attempts, turnId } = parleyOf(response)
    expect(attempts).toMatchObject([{ provider, status: 'ok' }])
    expect(await gateway.turn(turnId)).toMatchObject({ wire: 'responses', outcome: 'said', keyId: 'tester' })
  })

  test('streamed: the SDK puts it together, our record in the last event', async () => {
    const stream = client.responses.stream({ model, input: [{ role: 'user', content: 'Hi' }] })
    const deltas: string[] = []
    stream.on('response.output_text.delta', ({ delta }) => deltas.push(delta))
    const response = await stream.finalResponse()
    expect([response.output_text, deltas.join('')]).toEqual([words, words])
    expect(parleyOf(response).attempts).toMatchObject([{ provider, status: 'ok' }])
    expect(response.usage?.total_tokens).toBeGreaterThan(0)
  })

  test('a tool is called, its result given back', async () => {
    const calls = [{ id: 'call_1', name: 'get_time', arguments: '{"zone":"Europe/Rome"}' }]
    chat.answer({ calls })
    responses.answer({
      items: [
        { type: 'reasoning', summary: [['I look.']], sealed: 'gAAAA-1' },
        { type: 'function_call', callId: 'call_1', name: 'get_time', arguments: '{"zone":"Europe/Rome"}' },
      ],
    })
    const body = { model, tools: [TOOL], store: false }
    const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: 'What time is it?' }]
    const first = await client.responses.stream({ ...body, input }).finalResponse()
    expect(first.output.at(-1)).toMatchObject({
      call_id: 'call_1',
      parsed_arguments: { zone: 'Europe/Rome' },
    })
    chat.answer({ pieces: ['Noon.'] })
    responses.answer({ items: [{ type: 'message', pieces: ['Noon.'] }] })
    input.push(...(first.output as OpenAI.Responses.ResponseInput))
    input.push({ type: 'function_call_output', call_id: 'call_1', output: '12:00' })
    expect((await client.responses.create({ ...body, input })).output_text).toBe('Noon.')
  })

  test('structured output', async () => {
    chat.answer({ pieces: ['{"city":', '"Rome"}'] })
    responses.answer({ items: [{ type: 'message', pieces: ['{"city":', '"Rome"}'] }] })
    const text = { format: zodTextFormat(z.object({ city: z.string() }), 'place') }
    const { output_parsed } = await client.responses.parse({ model, input: 'Where?', text })
    expect(output_parsed).toEqual({ city: 'Rome' })
  })
})

describe('between equal dialects', () => {
  test('the body is the client’s own, and the answer the provider’s own', async () => {
    responses.answer({
      items: [
        { type: 'web_search_call', query: 'weather' },
        {
          type: 'message',
          pieces: ['Sun.'],
          annotations: [{ type: 'url_citation', url: 'https://x.example' }],
        },
      ],
      extra: { service_tier: 'flex' },
    })
    const tools = [{ type: 'web_search' as const }]
    const body = {
      input: 'Weather?',
      tools,
      prompt_cache_key: 'k',
      store: true,
      ...({ parley: {} } as object),
    }
    const response = await client.responses.stream({ model: 'same/m', ...body }).finalResponse()
    expect(response).toMatchObject({ service_tier: 'flex', id: expect.stringMatching(/^resp_\d+$/) })
    expect(response.output[1]).toMatchObject({ content: [{ annotations: [{ url: 'https://x.example' }] }] })
    expect(responses.requests.at(-1)?.body).toEqual({
      model: 'm',
      input: 'Weather?',
      tools,
      prompt_cache_key: 'k',
      store: true,
      stream: true,
    })
    const next = { model: 'same/m', input: 'And now?', previous_response_id: response.id }
    expect((await client.responses.create(next)).previous_response_id).toBe(response.id)
  })

  test('an answer that only clients of the dialect understand is an answer', async () => {
    // More pieces than are kept back before the first useful output.
    const input = 'patch '.repeat(1_500)
    responses.answer({ items: [{ type: 'custom_tool_call', callId: 'call_1', name: 'apply', input }] })
    const tools = [{ type: 'custom' as const, name: 'apply' }]
    const stream = client.responses.stream({ model: 'same/m', input: 'Fix it.', tools })
    let pieces = ''
    stream.on('response.custom_tool_call_input.delta', ({ delta }) => {
      pieces += delta
    })
    const response = await stream.finalResponse()
    expect(response.output).toMatchObject([{ type: 'custom_tool_call', call_id: 'call_1', input }])
    expect(pieces).toBe(input)
    expect(parleyOf(response).attempts).toMatchObject([{ status: 'ok' }])
  })

  test('a history that another dialect answered is passed without its marks', async () => {
    chat.answer({ pieces: ['One.'] })
    const first = await client.responses.create({ model: 'chat/m', input: 'Count.' })
    const input = [
      ...(first.output as OpenAI.Responses.ResponseInput),
      { role: 'user' as const, content: 'On.' },
    ]
    await client.responses.create({ model: 'same/m', input })
    const sent = responses.requests.at(-1)?.body['input'] as object[]
    expect(sent[0]).not.toHaveProperty('id')
    expect(sent[0]).toMatchObject({ role: 'assistant', content: [{ text: 'One.' }] })
  })
})

describe('what another dialect cannot do', () => {
  test.each([
    ['previous_response_id', { previous_response_id: 'resp_1' }],
    ['tools[0].type', { tools: [{ type: 'web_search' as const }] }],
    ['background', { background: true }],
  ])('%s is refused with its path', async (param, more) => {
    const asked = client.responses.create({ model: 'chat/m', input: 'Hi', ...more })
    await expect(asked).rejects.toMatchObject({ status: 400, param, code: 'unsupported_value' })
  })
  test('but a target of its own dialect serves it', async () => {
    const tools = [{ type: 'web_search' as const }]
    expect((await client.responses.create({ model: 'same-first', input: 'Hi', tools })).output_text).toBe(
      'Hello from responses.',
    )
  })
})

describe('when a target fails', () => {
  test.each(['refuse_503', 'wrong_content_type', 'error_without_context'] as const)(
    '%s before anything: the next one, of another dialect, answers',
    async (fault) => {
      faulty.answer({ fault })
      const response = await client.responses.stream({ model: 'faulty-first', input: 'Hi' }).finalResponse()
      expect(response.output_text).toBe('Hello from chat.')
      expect(response.id).toMatch(/^resp_[0-9a-f]{32}$/)
    },
  )
  test.each([
    ['goes-on', ' three.'],
    ['goes-on-alike', ' three.'],
  ])('in the middle of a text: %s, in the same response', async (model, rest) => {
    broken.answer({ items: [{ type: 'message', pieces: ['One', ' two'] }], fault: 'failed' })
    chat.answer({ pieces: [rest] })
    responses.answer({ items: [{ type: 'message', pieces: [rest] }] })
    const response = await client.responses.stream({ model, input: 'Count.' }).finalResponse()
    expect(response).toMatchObject({ status: 'completed', output_text: 'One two three.' })
    expect(response.output).toHaveLength(1)
    expect(parleyOf(response).attempts).toMatchObject([
      { provider: 'broken', status: 'failed' },
      { status: 'ok', reason: 'continuation' },
    ])
  })
  test('after a search at the provider and some text another goes on, too', async () => {
    broken.answer({
      items: [
        { type: 'web_search_call', query: 'numbers' },
        { type: 'message', pieces: ['One', ' two'] },
      ],
      fault: 'drop_mid_stream',
    })
    chat.answer({ pieces: [' three.'] })
    const response = await client.responses.stream({ model: 'searches', input: 'Count.' }).finalResponse()
    expect(response.output.map(({ type }) => type)).toEqual(['web_search_call', 'message'])
    expect(response.output_text).toBe('One two three.')
  })
  test('after a call that the client shall make nobody goes on: it may have made it', async () => {
    broken.answer({
      items: [
        { type: 'message', pieces: ['I patch.'] },
        { type: 'custom_tool_call', callId: 'call_1', name: 'apply', input: 'patch' },
      ],
      fault: 'drop_mid_stream',
    })
    const response = client.responses.stream({ model: 'asks', input: 'Fix it.' }).finalResponse()
    await expect(response).rejects.toMatchObject({ code: 'transient' })
  })
  test('with nobody left after some text: the response failed, and the SDK throws', async () => {
    broken.answer({ items: [{ type: 'message', pieces: ['One', ' two'] }], fault: 'drop_mid_stream' })
    const seen: OpenAI.Responses.ResponseStreamEvent[] = []
    const reading = (async () => {
      const stream = await client.responses.create({ model: 'broken/m', input: 'Count.', stream: true })
      for await (const event of stream) seen.push(event)
    })()
    await expect(reading).rejects.toMatchObject({ code: 'transient' })
    expect(seen.at(-1)).toMatchObject({
      type: 'response.failed',
      response: { status: 'failed', error: { code: 'server_error' }, parley: { attempts: [{}] } },
    })
  })
  test('before anything: an ordinary error', async () => {
    faulty.answer({ fault: 'refuse_503' })
    const failed = client.responses.create({ model: 'faulty/m', input: 'Hi', stream: true })
    await expect(failed).rejects.toMatchObject({ status: 502, code: 'transient' })
  })
  test('what a provider says of a wrong request reaches its sender', async () => {
    const wrong = client.responses.create({ model: 'same/m', input: 'Hi', max_output_tokens: 3 })
    await expect(wrong).rejects.toMatchObject({ status: 400, param: 'max_output_tokens' })
  })
})

describe('other clients of the server', () => {
  test('chat completions of a target that speaks this', async () => {
    responses.answer({
      items: [
        { type: 'message', pieces: ['I ', 'look.'] },
        { type: 'function_call', callId: 'call_1', name: 'get_time', arguments: '{"zone":"x"}' },
      ],
    })
    const messages = [
      { role: 'system' as const, content: 'Be brief.' },
      { role: 'user' as const, content: 'Time?' },
    ]
    const fn = { name: 'get_time', parameters: { type: 'object' } }
    const tools = [{ type: 'function' as const, function: fn }]
    const completion = await client.chat.completions
      .stream({ model: 'same/m', messages, tools, stream_options: { include_usage: true } })
      .finalChatCompletion()
    expect(completion.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: {
        content: 'I look.',
        tool_calls: [{ id: 'call_1', function: { arguments: '{"zone":"x"}' } }],
      },
    })
    expect(completion.usage).toMatchObject({
      prompt_tokens: 40,
      prompt_tokens_details: { cached_tokens: 16 },
    })
    expect(responses.requests.at(-1)?.body).toMatchObject({ instructions: 'Be brief.', store: false })
  })
})
