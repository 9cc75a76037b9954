/** The double itself, driven by the official `openai` SDK: what it says and refuses is what a real client knows. */
import OpenAI from 'openai'
import { zodTextFormat } from 'openai/helpers/zod'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import {
  DOUBLE_KEY,
  type ResponsesDouble,
  startResponsesDouble,
} from '../../../src/testing/model/openai-responses/double.ts'

let double: ResponsesDouble
let client: OpenAI
beforeAll(async () => {
  double = await startResponsesDouble()
  client = new OpenAI({ apiKey: DOUBLE_KEY, baseURL: double.baseUrl, maxRetries: 0 })
})
afterAll(() => double.close())

const ask = { model: 'm', input: 'Hi' }
const TOOL = {
  type: 'function' as const,
  name: 'get_weather',
  strict: true,
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
}

test.each(['lf', 'crlf', 'cr', 'byteByByte', 'done'] as const)(
  'the SDK puts a stream together, framed %s',
  async (framing) => {
    double.answer({ items: [{ type: 'message', pieces: ['Grüß', ' Gott', ' 👋🏽'] }], framing })
    const response = await client.responses.stream(ask).finalResponse()
    expect(response).toMatchObject({
      output_text: 'Grüß Gott 👋🏽',
      status: 'completed',
      usage: { total_tokens: 49 },
    })
  },
)

test('thoughts, calls, refusals and what built-in tools did, streamed and whole alike', async () => {
  double.answer({
    items: [
      { type: 'reasoning', summary: [['I ', 'think'], ['more']], sealed: 'gAAAA1' },
      { type: 'thoughts', pieces: ['raw ', 'ones'] },
      { type: 'web_search_call', query: 'weather' },
      { type: 'message', pieces: ['No.'], kind: 'refusal' },
      { type: 'message', pieces: ['See ', 'it'], annotations: [{ type: 'url_citation', url: 'https://x' }] },
      { type: 'function_call', callId: 'call_1', name: 'get_weather', arguments: '{"city":"Rome"}' },
    ],
  })
  const body = { ...ask, tools: [TOOL, { type: 'web_search' as const }] }
  const streamed = await client.responses.stream(body).finalResponse()
  const whole = await client.responses.create(body)
  expect(streamed.output.map(({ type }) => type)).toEqual(whole.output.map(({ type }) => type))
  expect(streamed.output_text).toBe('See it')
  expect(streamed.output.at(-1)).toMatchObject({ parsed_arguments: { city: 'Rome' } })
  expect(whole.output[0]).toEqual(streamed.output[0])
})

test('structured output is parsed', async () => {
  double.answer({ items: [{ type: 'message', pieces: ['{"city":', '"Rome"}'] }] })
  const text = { format: zodTextFormat(z.object({ city: z.string() }), 'place') }
  expect((await client.responses.parse({ ...ask, text })).output_parsed).toEqual({ city: 'Rome' })
})

test('an answer is kept for the next request, unless it was asked not to be', async () => {
  double.answer({ items: [{ type: 'message', pieces: ['Hi'] }] })
  const kept = await client.responses.create(ask)
  await client.responses.create({ ...ask, previous_response_id: kept.id })
  const lost = await client.responses.create({ ...ask, store: false })
  await expect(client.responses.create({ ...ask, previous_response_id: lost.id })).rejects.toMatchObject({
    status: 400,
    param: 'previous_response_id',
  })
})

describe('faults', () => {
  test.each([
    ['refuse_auth', OpenAI.AuthenticationError],
    ['refuse_429', OpenAI.RateLimitError],
    ['refuse_503', OpenAI.InternalServerError],
  ] as const)('%s is the error class the SDK knows', async (fault, type) => {
    double.answer({ fault })
    await expect(client.responses.create({ ...ask, stream: true })).rejects.toBeInstanceOf(type)
  })
  test.each(['error_without_context', 'error_event_nested'] as const)(
    '%s is thrown by the SDK',
    async (fault) => {
      double.answer({ items: [{ type: 'message', pieces: ['Hi'] }], fault })
      await expect(client.responses.stream(ask).finalResponse()).rejects.toBeInstanceOf(OpenAI.APIError)
    },
  )
  test('a failed response is one with an error', async () => {
    double.answer({ items: [{ type: 'message', pieces: ['Hi'] }], fault: 'failed' })
    const response = await client.responses.stream(ask).finalResponse()
    expect(response).toMatchObject({ status: 'failed', error: { code: 'server_error' } })
  })
})

describe('what the real server would refuse is refused', () => {
  const call = { type: 'function_call', call_id: 'c1', name: 'f', arguments: '{}' }
  test.each<[string, object]>([
    ['bogus', { bogus: 1 }],
    ['max_output_tokens', { max_output_tokens: 3 }],
    ['input[0].type', { input: [{ type: 'text', text: 'x' }] }],
    ['input[0].content[0].type', { input: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }] }],
    ['input[0].content[0].type', { input: [{ role: 'assistant', content: [{ type: 'input_text' }] }] }],
    ['input', { input: [call] }],
    ['input[0].call_id', { input: [{ type: 'function_call_output', call_id: 'c9', output: 'x' }] }],
    ['input[0].id', { input: [{ ...call, id: 'call_7' }] }],
    ['input', { store: false, input: [{ type: 'reasoning', id: 'rs_1', summary: [] }] }],
    ['input[0].summary', { input: [{ type: 'reasoning', encrypted_content: 'gAAAA' }] }],
    ['input[0].encrypted_content', { input: [{ type: 'reasoning', summary: [], encrypted_content: 'x' }] }],
    ['tools[0].function', { tools: [{ type: 'function', function: { name: 'f' } }] }],
    ['tools[0].parameters', { tools: [{ type: 'function', name: 'f', parameters: { type: 'object' } }] }],
    ['tool_choice.function', { tools: [TOOL], tool_choice: { type: 'function', function: { name: 'f' } } }],
    ['tool_choice', { tool_choice: 'required' }],
    ['text.format.json_schema', { text: { format: { type: 'json_schema', json_schema: {} } } }],
    ['include[0]', { include: ['reasoning'] }],
    ['reasoning.effort', { reasoning: { effort: 'huge' } }],
  ])('%s of %j', async (param, more) => {
    double.answer({})
    const asked = client.responses.create({ ...ask, ...more } as OpenAI.Responses.ResponseCreateParams)
    await expect(asked).rejects.toMatchObject({ param, type: 'invalid_request_error' })
  })
})
