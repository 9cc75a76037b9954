/** Answers to clients of `/v1/responses`, judged by the official `openai` SDK. */
import { zodTextFormat } from 'openai/helpers/zod'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { FailFacts, Frame } from '../../src/dialect/codec.ts'
import type { ModelEvent } from '../../src/dialect/neutral.ts'
import { ChatStreamDecoder } from '../../src/dialect/openai-chat/decode.ts'
import { responsesClient, responsesProvider } from '../../src/dialect/openai-responses/index.ts'
import { eventsOf, type Script } from '../../src/testing/model/openai-responses/script.ts'
import { eventsIn, keepsOrder, type Loose, type Served, serve } from './openai-responses-served.ts'

const HEAD = { id: 'resp_0123456789abcdef', model: 'pipeline', createdS: 1_700_000_000 }
const TRAILER = { parley: { turnId: 'turn_1' } }
const BODY = { model: 'pipeline', input: 'Hi' }

let served: Served
beforeAll(async () => {
  served = await serve()
})
afterAll(() => served.close())

function written(events: readonly ModelEvent[], body: Loose = BODY): string {
  const writer = responsesClient.writer(HEAD, body)
  return events.map((event) => writer.write(event)).join('') + writer.end(TRAILER)
}

/** What chat completions said, as neutral events. */
function fromChat(...chunks: readonly object[]): ModelEvent[] {
  const decoder = new ChatStreamDecoder({ newCallId: () => 'made', calls: 'streamed' })
  const events = chunks.flatMap((chunk) => decoder.push({ event: 'message', data: JSON.stringify(chunk) }))
  return [...events, ...decoder.end()]
}
const delta = (members: object, finish_reason: string | null = null) => ({
  id: 'chatcmpl-1',
  model: 'm',
  choices: [{ index: 0, delta: members, finish_reason }],
})
const usage = {
  choices: [],
  usage: { prompt_tokens: 3, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 1 } },
}

/** A provider's frames, as the transport brings them. */
function frames(script: Script, body: Loose = BODY): Frame[] {
  const decoder = responsesProvider.decoder({ newCallId: () => 'made', calls: 'streamed' })
  return [...eventsOf('resp_theirs', body, script)].map((event, sequence_number) => {
    const data = JSON.stringify({ ...event, sequence_number })
    const raw = { event: String(event['type']), data }
    return { raw, events: decoder.push(raw) }
  })
}

describe('out of chat completions', () => {
  test('text: the SDK has it, with usage and our record', async () => {
    const text = written(
      fromChat(
        delta({ role: 'assistant', content: '' }),
        delta({ content: 'Hel' }),
        delta({ content: 'lo' }),
        delta({}, 'stop'),
        usage,
      ),
    )
    keepsOrder(eventsIn(text))
    served.next(text)
    const response = await served.client.responses.stream(BODY).finalResponse()
    expect(response).toMatchObject({
      id: HEAD.id,
      object: 'response',
      model: 'pipeline',
      status: 'completed',
      output_text: 'Hello',
      output: [{ type: 'message', role: 'assistant', status: 'completed' }],
      usage: {
        input_tokens: 3,
        output_tokens: 2,
        total_tokens: 5,
        input_tokens_details: { cached_tokens: 1 },
        output_tokens_details: { reasoning_tokens: 0 },
      },
      ...TRAILER,
    })
  })

  test('all events of a text, in their order', () => {
    const text = written(fromChat(delta({ content: 'Hi' }), delta({}, 'stop')))
    expect(eventsIn(text).map(({ type }) => type)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ])
    expect(eventsIn(text)[4]).toEqual({
      type: 'response.output_text.delta',
      sequence_number: 4,
      item_id: 'msg_parley_0_0123456789abcdef',
      output_index: 0,
      content_index: 0,
      delta: 'Hi',
      logprobs: [],
    })
  })

  test('thoughts, text and calls side by side', async () => {
    const piece = (index: number, id: string | undefined, name: string | undefined, args: string) =>
      delta({ tool_calls: [{ index, id, function: { name, arguments: args } }] })
    const text = written(
      fromChat(
        delta({ reasoning_content: 'Let me ' }),
        delta({ reasoning_content: 'think.' }),
        delta({ content: 'I look.' }),
        piece(0, 'c1', 'get_time', '{"zone":'),
        piece(1, 'c2', 'get_weather', '{'),
        piece(0, undefined, undefined, '"Rome"}'),
        piece(1, undefined, undefined, '}'),
        delta({}, 'tool_calls'),
      ),
    )
    keepsOrder(eventsIn(text))
    served.next(text)
    const tool = (name: string) => ({
      type: 'function' as const,
      name,
      strict: true,
      parameters: { type: 'object' },
    })
    const stream = served.client.responses.stream({ ...BODY, tools: [tool('get_time'), tool('get_weather')] })
    const deltas: string[] = []
    stream.on('response.function_call_arguments.delta', ({ delta: piece }) => deltas.push(piece))
    const { output } = await stream.finalResponse()
    expect(output).toMatchObject([
      { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Let me think.' }] },
      { type: 'message', content: [{ type: 'output_text', text: 'I look.' }] },
      { type: 'function_call', call_id: 'c1', name: 'get_time', parsed_arguments: { zone: 'Rome' } },
      { type: 'function_call', call_id: 'c2', name: 'get_weather', parsed_arguments: {} },
    ])
    expect(deltas.join('|')).toBe('{"zone":|{|"Rome"}|}')
  })

  test('structured output is parsed by zod, streamed and whole', async () => {
    const body = { ...BODY, text: { format: zodTextFormat(z.object({ city: z.string() }), 'place') } }
    const events = fromChat(delta({ content: '{"city":' }), delta({ content: '"Rome"}' }), delta({}, 'stop'))
    served.next(written(events, body))
    const streamed = await served.client.responses.stream(body).finalResponse()
    expect(streamed.output_parsed).toEqual({ city: 'Rome' })
    served.next({ ...responsesClient.encodeAnswer(events, HEAD, body), ...TRAILER })
    const parsed = await served.client.responses.parse(body)
    expect(parsed).toMatchObject({ output_parsed: { city: 'Rome' }, ...TRAILER })
    expect(parsed.text?.format).toMatchObject({ type: 'json_schema', name: 'place' })
  })

  test.each([
    ['length', 'max_output_tokens'],
    ['content_filter', 'content_filter'],
  ] as const)('%s is a response that is incomplete for %s', async (finish, reason) => {
    served.next(written(fromChat(delta({ content: 'Half' }), delta({}, finish))))
    const response = await served.client.responses.stream(BODY).finalResponse()
    expect(response).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason },
      output: [{ status: 'incomplete' }],
      output_text: 'Half',
      ...TRAILER,
    })
  })

  test('log probabilities, as far as the two have the same', async () => {
    const logprob = {
      token: 'Hi',
      logprob: -0.1,
      bytes: null,
      top_logprobs: [{ token: 'Ha', logprob: -2, bytes: null }],
    }
    const chunk = { choices: [{ index: 0, delta: { content: 'Hi' }, logprobs: { content: [logprob] } }] }
    served.next(written(fromChat(chunk, delta({}, 'stop'))))
    const { output } = await served.client.responses.stream(BODY).finalResponse()
    const written_ = {
      token: 'Hi',
      logprob: -0.1,
      bytes: [],
      top_logprobs: [{ token: 'Ha', logprob: -2, bytes: [] }],
    }
    expect(output[0]).toMatchObject({ content: [{ text: 'Hi', logprobs: [written_] }] })
  })

  test('an answer of nothing at all is still one', async () => {
    served.next(written([{ type: 'finish', reason: 'stop' }]))
    const response = await served.client.responses.stream(BODY).finalResponse()
    expect(response).toMatchObject({ status: 'completed', output: [], output_text: '' })
  })

  test('what was asked for is told again; nothing is said to be kept', () => {
    const body = {
      ...BODY,
      instructions: 'Be brief.',
      metadata: { a: 'b' },
      store: true,
      max_output_tokens: 20,
    }
    const whole = responsesClient.encodeAnswer([{ type: 'text', text: 'Hi' }], HEAD, body)
    expect(whole).toMatchObject({
      instructions: 'Be brief.',
      metadata: { a: 'b' },
      store: false,
      max_output_tokens: 20,
    })
    expect(whole).toMatchObject({
      error: null,
      incomplete_details: null,
      tools: [],
      previous_response_id: null,
    })
  })

  test('metadata of the record stands beside the client’s own', () => {
    const writer = responsesClient.writer(HEAD, { ...BODY, metadata: { a: 'b' } })
    const text = writer.write({ type: 'text', text: 'Hi' }) + writer.end({ metadata: { attempts: [] } })
    expect(eventsIn(text).at(-1)).toMatchObject({ response: { metadata: { a: 'b', attempts: [] } } })
  })

  test('a call whose arguments came whole only, or otherwise than in pieces, ends as it is', async () => {
    const call = (callId: string, args: string): ModelEvent => ({
      type: 'toolCall',
      call: { callId, name: 'f', arguments: args },
    })
    const text = written([
      { type: 'toolCallDelta', index: 0, callId: 'c1', name: 'f', arguments: '' },
      call('c1', '{}'),
      call('c2', '{"a":1}'),
      { type: 'toolCallDelta', index: 2, callId: 'c3', name: 'f', arguments: '{"b"' },
      call('c3', '{"c":3}'),
      { type: 'finish', reason: 'tool_calls' },
    ])
    served.next(text)
    const { output } = await served.client.responses.stream(BODY).finalResponse()
    expect(output.map((item) => item.type === 'function_call' && [item.call_id, item.arguments])).toEqual([
      ['c1', '{}'],
      ['c2', '{"a":1}'],
      ['c3', '{"c":3}'],
    ])
  })
})

describe('thoughts with a seal', () => {
  test('of another dialect: the client keeps them and gives them back, and their maker gets them', () => {
    const whole = responsesClient.encodeAnswer(
      [
        { type: 'reasoning', text: 'I think.' },
        { type: 'reasoningSeal', signature: 'SIG==', by: 'anthropic' },
        { type: 'reasoningSeal', sealed: 'SEALED', by: 'anthropic' },
        { type: 'toolCall', call: { callId: 'c1', name: 'f', arguments: '{}' } },
        { type: 'finish', reason: 'tool_calls' },
      ],
      HEAD,
      BODY,
    )
    const input = [
      ...(whole['output'] as object[]),
      { type: 'function_call_output', call_id: 'c1', output: 'x' },
    ]
    const [assistant] = responsesClient.read({ model: 'm', input }).neutral().messages
    expect(assistant).toMatchObject({
      reasoning: [
        { text: 'I think.', signature: 'SIG==', by: 'anthropic' },
        { text: '', sealed: 'SEALED', by: 'anthropic' },
      ],
    })
    const passed = responsesClient.passBody(
      { model: 'm', input },
      { model: 'm', params: {}, delivery: 'whole' },
    )
    expect(passed['input']).toEqual([
      { type: 'function_call', status: 'completed', call_id: 'c1', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c1', output: 'x' },
    ])
  })

  test('of this dialect: as they are', () => {
    const whole = responsesClient.encodeAnswer(
      [{ type: 'reasoningSeal', sealed: 'gAAAA', by: 'openai-responses' }],
      HEAD,
      BODY,
    )
    expect(whole['output']).toMatchObject([{ type: 'reasoning', encrypted_content: 'gAAAA', summary: [] }])
    const options = { model: 'm', params: {}, delivery: 'whole' } as const
    expect(responsesClient.passBody({ input: whole['output'] }, options)['input']).toEqual([
      { type: 'reasoning', status: 'completed', summary: [], encrypted_content: 'gAAAA' },
    ])
  })
})

const RICH: Script = {
  items: [
    { type: 'reasoning', summary: [['I ', 'think'], ['more']], sealed: 'gAAAA' },
    { type: 'web_search_call', query: 'weather' },
    {
      type: 'message',
      pieces: ['See ', 'it.'],
      annotations: [{ type: 'url_citation', url: 'https://x.example' }],
    },
    { type: 'function_call', callId: 'c1', name: 'f', arguments: '{"a":1}' },
  ],
  extra: { service_tier: 'flex' },
}

describe('passed on', () => {
  test('every event as it came, our record in the last one', async () => {
    const came = frames(RICH)
    const writer = responsesClient.writer(HEAD, BODY)
    const text = came.map((frame) => writer.pass(frame)).join('') + writer.end(TRAILER)
    const sent = eventsIn(text)
    expect(sent.slice(0, -1)).toEqual(came.slice(0, -1).map(({ raw }) => JSON.parse(raw.data)))
    const last = JSON.parse(came.at(-1)!.raw.data)
    expect(sent.at(-1)).toEqual({ ...last, response: { ...last.response, ...TRAILER } })
    served.next(text)
    const response = await served.client.responses.stream(BODY).finalResponse()
    expect(response).toMatchObject({
      id: 'resp_theirs',
      service_tier: 'flex',
      output_text: 'See it.',
      ...TRAILER,
    })
  })

  test.each(['after a delta', 'after a part', 'before a part', 'between items', 'in a thought'])(
    'broken off %s: another goes on in the same response',
    async (where) => {
      const came = frames({
        items: [
          { type: 'reasoning', summary: [['I ', 'think']], sealed: 'gAAAA' },
          { type: 'message', pieces: ['One ', 'two '] },
        ],
      })
      const ends = {
        'after a delta': came.findLastIndex(({ raw }) => raw.event === 'response.output_text.delta') + 1,
        'after a part': came.findIndex(({ raw }) => raw.event === 'response.content_part.done') + 1,
        'before a part': came.findIndex(({ raw }) => raw.event === 'response.content_part.added'),
        'between items': came.findIndex(({ raw }) => raw.event === 'response.output_item.done') + 1,
        'in a thought':
          came.findIndex(({ raw }) => raw.event === 'response.reasoning_summary_text.delta') + 1,
      }
      const writer = responsesClient.writer(HEAD, BODY)
      const passed = came.slice(0, ends[where as keyof typeof ends])
      const others = fromChat(delta({ content: 'three' }), delta({ content: '.' }), delta({}, 'stop'), usage)
      const text =
        passed.map((frame) => writer.pass(frame)).join('') +
        others.map((event) => writer.write(event)).join('') +
        writer.end(TRAILER)
      keepsOrder(eventsIn(text).map((event) => withStatus(event)))
      served.next(text)
      const response = await served.client.responses.stream(BODY).finalResponse()
      expect(response).toMatchObject({
        id: 'resp_theirs',
        status: 'completed',
        output_text: where.startsWith('after') ? 'One two three.' : 'three.',
        usage: { total_tokens: 5 },
        ...TRAILER,
      })
      expect(response.output.map(({ type }) => type)).toEqual(['reasoning', 'message'])
    },
  )
})

/** Thoughts have none in the real stream. */
function withStatus(event: Loose): Loose {
  return event['type'] === 'response.output_item.added'
    ? { ...event, item: { status: 'in_progress', ...event['item'] } }
    : event
}

describe('an answer that fails', () => {
  const error: FailFacts = {
    status: 502,
    code: 'transient',
    type: 'server_error',
    message: 'The provider failed.',
    param: null,
  }
  test.each(['passed', 'written'])('in the middle of what was %s: failed, and an error', async (how) => {
    const writer = responsesClient.writer(HEAD, BODY)
    const text =
      how === 'passed'
        ? frames({ items: [{ type: 'message', pieces: ['Half', ' way'] }] })
            .slice(0, 6)
            .map((frame) => writer.pass(frame))
            .join('')
        : writer.write({ type: 'text', text: 'Half way' })
    const all = text + writer.fail(error, TRAILER)
    const events = eventsIn(all)
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, i) => i))
    expect(events.at(-2)).toMatchObject({
      type: 'response.failed',
      response: {
        status: 'failed',
        error: { code: 'server_error', message: 'The provider failed.', type: 'server_error', param: null },
        output: [{ type: 'message', status: 'incomplete', content: [{ text: 'Half way' }] }],
        ...TRAILER,
      },
    })
    served.next(all)
    const seen: string[] = []
    const reading = (async () => {
      for await (const event of await served.client.responses.create({ ...BODY, stream: true }))
        seen.push(event.type)
    })()
    await expect(reading).rejects.toMatchObject({ code: 'transient', error: { ...TRAILER } })
    expect(seen.at(-1)).toBe('response.failed')
  })
  test('before anything: an error alone, which the SDK throws', async () => {
    served.next(responsesClient.writer(HEAD, BODY).fail(error, TRAILER))
    await expect(served.client.responses.stream(BODY).finalResponse()).rejects.toMatchObject({
      code: 'transient',
    })
  })
  test('too many requests is a code of its own', () => {
    const writer = responsesClient.writer(HEAD, BODY)
    writer.write({ type: 'text', text: 'x' })
    const text = writer.fail({ ...error, status: 429, code: 'rate' }, TRAILER)
    expect(eventsIn(text)[0]).toMatchObject({ response: { error: { code: 'rate_limit_exceeded' } } })
  })
})
