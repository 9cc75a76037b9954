/** The `openai-responses` dialect on anything: it fails in one way only, and what is translated there and back means the same. */
import fc from 'fast-check'
import { accumulateResponse } from 'openai/lib/responses/ResponseAccumulator'
import type { Response, ResponseStreamEvent } from 'openai/resources/responses/responses'
import { expect, test } from 'vitest'
import { RequestFault, StreamFault } from '../../src/dialect/faults.ts'
import type { ModelEvent, ModelMessage, ModelRequest, ToolCall } from '../../src/dialect/neutral.ts'
import { responsesClient, responsesProvider } from '../../src/dialect/openai-responses/index.ts'
import { SseParser } from '../../src/dialect/sse.ts'
import { mistakeIn } from '../../src/testing/model/openai-responses/mistakes.ts'
import { eventsIn, keepsOrder } from './openai-responses-served.ts'

const HEAD = { id: 'resp_1', model: 'm', createdS: 1 }
const BODY = { model: 'm', input: 'Hi' }
const word = fc.string({ minLength: 1, maxLength: 6, unit: 'grapheme' })
const json = fc.oneof(
  fc.constant('{}'),
  fc.jsonValue().map((value) => JSON.stringify(value)),
)

// -- anything

const EVENT_TYPES = [
  ...['response.created', 'response.in_progress', 'response.completed', 'response.incomplete'],
  ...['response.output_item.added', 'response.output_item.done', 'response.content_part.added'],
  ...[
    'response.output_text.delta',
    'response.output_text.done',
    'response.refusal.delta',
    'response.refusal.done',
  ],
  ...['response.reasoning_summary_text.delta', 'response.reasoning_text.delta', 'error', 'response.failed'],
  ...['response.function_call_arguments.delta', 'response.function_call_arguments.done', 'future.event'],
]
const odd = fc.oneof(fc.integer({ min: -2, max: 3 }), word, fc.constant(null), fc.constant([]), fc.boolean())
const item = fc.record(
  {
    type: fc.oneof(fc.constantFrom('message', 'function_call', 'reasoning', 'web_search_call'), odd),
    id: odd,
    call_id: odd,
    name: odd,
    arguments: odd,
    content: fc.oneof(fc.array(fc.record({ type: odd, text: odd, logprobs: odd }), { maxLength: 2 }), odd),
    summary: fc.oneof(fc.array(fc.record({ text: odd }), { maxLength: 2 }), odd),
    encrypted_content: odd,
  },
  { requiredKeys: [] },
)
const response = fc.record(
  {
    id: odd,
    model: odd,
    status: fc.oneof(fc.constantFrom('completed', 'incomplete', 'failed'), odd),
    incomplete_details: fc.oneof(fc.record({ reason: odd }), odd),
    output: fc.oneof(fc.array(fc.oneof(item, odd), { maxLength: 3 }), odd),
    usage: fc.oneof(fc.record({ input_tokens: odd, output_tokens: odd, input_tokens_details: odd }), odd),
    error: fc.oneof(fc.record({ code: odd, message: odd }), odd),
  },
  { requiredKeys: [] },
)
const event = fc.record(
  {
    type: fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...EVENT_TYPES) }, odd),
    output_index: odd,
    content_index: odd,
    summary_index: odd,
    delta: odd,
    text: odd,
    refusal: odd,
    logprobs: fc.oneof(fc.array(odd, { maxLength: 2 }), odd),
    item: fc.oneof(item, odd),
    part: fc.oneof(fc.record({ type: odd }), odd),
    response: fc.oneof(response, odd),
    error: odd,
  },
  { requiredKeys: ['type'] },
)
const stream = fc.array(fc.oneof({ weight: 9, arbitrary: event.map((one) => JSON.stringify(one)) }, word), {
  maxLength: 12,
})

test('a stream of anything: neutral events and one finish, or a StreamFault; and it can be passed on', () => {
  fc.assert(
    fc.property(stream, fc.constantFrom('whole' as const, 'streamed' as const), (datas, calls) => {
      const decoder = responsesProvider.decoder({ newCallId: () => 'made', calls })
      const writer = responsesClient.writer(HEAD, BODY)
      const events: ModelEvent[] = []
      let text = ''
      try {
        for (const data of datas) {
          if (decoder.done) break
          const raw = { event: 'message', data }
          const meant = decoder.push(raw)
          events.push(...meant)
          text += writer.pass({ raw, events: meant })
        }
        events.push(...decoder.end())
        expect(events.filter(({ type }) => type === 'finish')).toHaveLength(1)
        expect(events.at(-1)?.type).toBe('finish')
        text += writer.end({ parley: {} })
      } catch (error) {
        expect(error).toBeInstanceOf(StreamFault)
        text += writer.write({ type: 'text', text: 'on' }) + writer.end({ parley: {} })
      }
      for (const { data } of new SseParser().push(new TextEncoder().encode(text))) JSON.parse(data)
    }),
    { numRuns: 400 },
  )
})

test('a whole answer of anything: neutral events, or a StreamFault', () => {
  fc.assert(
    fc.property(fc.oneof(response, odd), (body) => {
      try {
        const events = responsesProvider.decodeAnswer(body, () => 'made')
        expect(events.at(-1)?.type).toBe('finish')
      } catch (error) {
        expect(error).toBeInstanceOf(StreamFault)
      }
    }),
    { numRuns: 400 },
  )
})

test('a request of anything: a neutral one, or a RequestFault', () => {
  const member = fc.oneof(
    odd,
    fc.array(fc.oneof(item, fc.record({ role: odd, content: odd }), odd), { maxLength: 3 }),
    fc.record({ type: odd, format: odd, effort: odd, tools: odd }),
  )
  const names = [
    'input',
    'instructions',
    'tools',
    'tool_choice',
    'reasoning',
    'text',
    'include',
    'temperature',
  ]
  const body = fc.record(Object.fromEntries(names.map((name) => [name, member])), { requiredKeys: [] })
  fc.assert(
    fc.property(body, (given) => {
      try {
        responsesClient.read({ model: 'm', ...given }).neutral()
      } catch (error) {
        expect(error).toBeInstanceOf(RequestFault)
      }
    }),
    { numRuns: 400 },
  )
})

// -- there and back

const call = (place: number): fc.Arbitrary<ToolCall> =>
  fc.record({ callId: fc.constant(`call_${place}`), name: fc.constantFrom('f', 'g'), arguments: json })
const pieces = (text: string, at: readonly number[]): string[] => {
  const cuts = [0, ...at.map((one) => one % (text.length + 1)).sort((a, b) => a - b), text.length]
  return cuts.slice(1).map((end, i) => text.slice(cuts[i], end))
}
/** Thoughts with their seal, text, calls written side by side in pieces, a finish. */
const answer = fc
  .record({
    thoughts: fc.array(word, { maxLength: 3 }),
    seal: fc.option(word),
    texts: fc.array(word, { maxLength: 5 }),
    calls: fc
      .integer({ min: 0, max: 3 })
      .chain((count) => fc.tuple(...Array.from({ length: count }, (_, i) => call(i)))),
    cuts: fc.array(fc.nat(), { maxLength: 3 }),
    reason: fc.constantFrom('stop' as const, 'length' as const, 'content_filter' as const),
    usage: fc.record({ inputTokens: fc.nat(), outputTokens: fc.nat(), cachedTokens: fc.nat() }),
  })
  .map(({ thoughts, seal, texts, calls, cuts, reason, usage }): ModelEvent[] => {
    const parts = calls.map((one) => pieces(one.arguments, cuts))
    const deltas = [0, 1, 2, 3].flatMap((step) =>
      calls.flatMap(({ callId, name }, index): ModelEvent[] => {
        const text = parts[index]?.[step]
        return text === undefined ? [] : [{ type: 'toolCallDelta', index, callId, name, arguments: text }]
      }),
    )
    return [
      ...thoughts.map((text): ModelEvent => ({ type: 'reasoning', text })),
      ...(seal === null
        ? []
        : [{ type: 'reasoningSeal', sealed: seal, by: 'openai-responses' } satisfies ModelEvent]),
      ...texts.map((text): ModelEvent => ({ type: 'text', text })),
      ...deltas,
      ...calls.map((one): ModelEvent => ({ type: 'toolCall', call: one })),
      { type: 'usage', usage },
      { type: 'finish', reason: reason === 'stop' && calls.length > 0 ? 'tool_calls' : reason },
    ]
  })

function meaning(events: readonly ModelEvent[]) {
  const all = (type: 'text' | 'reasoning') =>
    events.map((one) => (one.type === type ? one.text : '')).join('')
  const usage = events.find((one) => one.type === 'usage')?.usage
  return {
    text: all('text'),
    reasoning: all('reasoning'),
    seals: events.flatMap((one) =>
      one.type === 'reasoningSeal' && one.sealed !== undefined ? [one.sealed] : [],
    ),
    calls: events.flatMap((one) => (one.type === 'toolCall' ? [one.call] : [])),
    usage: usage && [usage.inputTokens, usage.outputTokens, usage.cachedTokens],
    finish: events.find((one) => one.type === 'finish')?.reason,
  }
}

/** Segments in any order, as a model may give them. */
const mixed = fc
  .array(
    fc.oneof(
      word.map((text) => [{ type: 'text', text }] satisfies ModelEvent[]),
      word.map((text) => [{ type: 'reasoning', text }] satisfies ModelEvent[]),
      word.map(
        (sealed) => [{ type: 'reasoningSeal', sealed, by: 'openai-responses' }] satisfies ModelEvent[],
      ),
      json.map((args) => args),
    ),
    { maxLength: 8 },
  )
  .map((segments): ModelEvent[] => {
    let calls = 0
    const events = segments.flatMap((segment): ModelEvent[] => {
      if (typeof segment !== 'string') return segment
      const index = calls++
      const facts = { callId: `call_${index}`, name: 'f' }
      // A call that is read whole before the next event, as most are.
      return [
        { type: 'toolCallDelta', index, ...facts, arguments: '' },
        { type: 'toolCallDelta', index, ...facts, arguments: segment },
        { type: 'toolCall', call: { ...facts, arguments: segment } },
      ]
    })
    return [...events, { type: 'finish', reason: calls > 0 ? 'tool_calls' : 'stop' }]
  })

/** By the SDK, which refuses what is out of order; the same as the last event says. */
function accumulated(text: string): void {
  let snapshot: Response | undefined
  let before = ''
  for (const event of eventsIn(text)) {
    if (event['type'] === 'response.completed') before = JSON.stringify(snapshot?.output)
    snapshot = accumulateResponse(event as unknown as ResponseStreamEvent, snapshot)
  }
  expect(JSON.parse(before)).toEqual(JSON.parse(JSON.stringify(snapshot?.output)))
}

test('whatever the order of thoughts, texts and calls: the SDK accumulates it to what the last event says', () => {
  fc.assert(
    fc.property(mixed, (events) => {
      const writer = responsesClient.writer(HEAD, BODY)
      const text = events.map((one) => writer.write(one)).join('') + writer.end({ parley: {} })
      keepsOrder(eventsIn(text))
      accumulated(text)
      const decoder = responsesProvider.decoder({ newCallId: () => 'made', calls: 'streamed' })
      const read = new SseParser().push(new TextEncoder().encode(text)).flatMap((raw) => decoder.push(raw))
      expect(meaning(read)).toEqual(meaning(events))
    }),
    { numRuns: 200 },
  )
})

test('an answer written and read again means the same, streamed and whole, and keeps the order of events', () => {
  fc.assert(
    fc.property(answer, (events) => {
      const writer = responsesClient.writer(HEAD, BODY)
      const text = events.map((one) => writer.write(one)).join('') + writer.end({ parley: {} })
      keepsOrder(eventsIn(text))
      const decoder = responsesProvider.decoder({ newCallId: () => 'made', calls: 'streamed' })
      const read = new SseParser().push(new TextEncoder().encode(text)).flatMap((raw) => decoder.push(raw))
      expect(meaning(read)).toEqual(meaning(events))
      const whole = responsesClient.encodeAnswer(events, HEAD, BODY)
      expect(meaning(responsesProvider.decodeAnswer(whole, () => 'made'))).toEqual(meaning(events))
      const { parley: _, ...last } = eventsIn(text).at(-1)!['response']
      expect(last).toEqual(JSON.parse(JSON.stringify(whole)))
    }),
    { numRuns: 150 },
  )
})

test('an answer that breaks off anywhere and is gone on with by another says both, in order', () => {
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 1, maxLength: 5 }),
      fc.array(word, { minLength: 1 }),
      fc.nat(),
      (first, then, at) => {
        const theirs = responsesClient.writer({ ...HEAD, id: 'resp_theirs' }, BODY)
        const source = first.map((text) => theirs.write({ type: 'text', text })).join('')
        const decoder = responsesProvider.decoder({ newCallId: () => 'made', calls: 'streamed' })
        const frames = new SseParser()
          .push(new TextEncoder().encode(source))
          .map((raw) => ({ raw, events: decoder.push(raw) }))
        const passed = frames.slice(0, 1 + (at % frames.length))
        const writer = responsesClient.writer(HEAD, BODY)
        const text =
          passed.map((frame) => writer.pass(frame)).join('') +
          then.map((one) => writer.write({ type: 'text', text: one })).join('') +
          writer.write({ type: 'finish', reason: 'stop' }) +
          writer.end({})
        const events = eventsIn(text)
        keepsOrder(events)
        const said = passed.flatMap((frame) =>
          frame.events.map((one) => (one.type === 'text' ? one.text : '')),
        )
        accumulated(text)
        const output = events.at(-1)!['response'].output
        expect(output).toHaveLength(1)
        expect(output[0].content[0].text).toBe([...said, ...then].join(''))
      },
    ),
    { numRuns: 150 },
  )
})

const turn: fc.Arbitrary<ModelMessage[]> = fc.oneof(
  word.map((text): ModelMessage[] => [{ role: 'user', text }]),
  word.map((text): ModelMessage[] => [{ role: 'system', text }]),
  fc
    .record({
      text: fc.oneof(word, fc.constant('')),
      calls: fc.tuple(call(0), call(1)),
      count: fc.integer({ min: 0, max: 2 }),
      seal: fc.option(word),
      result: word,
    })
    .map(({ text, calls, count, seal, result }): ModelMessage[] => {
      const toolCalls = calls.slice(0, text === '' ? Math.max(1, count) : count)
      const reasoning = [{ text: 'hm', sealed: `gAAAA${seal}`, by: 'openai-responses' as const }]
      return [
        // Two turns of the assistant in a row are one here.
        { role: 'user', text: result },
        {
          role: 'assistant',
          text,
          ...(toolCalls.length > 0 && { toolCalls }),
          ...(seal !== null && { reasoning }),
        },
        ...toolCalls.map(({ callId }): ModelMessage => ({ role: 'tool', callId, text: result })),
      ]
    }),
)
const request: fc.Arbitrary<ModelRequest> = fc.record(
  {
    messages: fc.array(turn, { minLength: 1, maxLength: 6 }).map((turns) => turns.flat()),
    tools: fc.constant([{ name: 'f', parameters: { type: 'object' }, strict: false }]),
    toolChoice: fc.constantFrom('auto' as const, 'none' as const, 'required' as const, { name: 'f' }),
    parallelToolCalls: fc.boolean(),
    maxTokens: fc.integer({ min: 16, max: 99 }),
    temperature: fc.double({ min: 0, max: 2, noNaN: true }),
    topP: fc.double({ min: 0, max: 1, noNaN: true }),
    reasoning: fc.record({ effort: fc.constantFrom('none' as const, 'low' as const, 'xhigh' as const) }),
    responseFormat: fc.constantFrom(
      { type: 'json' as const },
      { type: 'schema' as const, name: 'n', schema: { type: 'object' } },
    ),
    topLogprobs: fc.integer({ min: 0, max: 20 }),
    user: fc.stringMatching(/^[a-z]{1,9}$/),
  },
  { requiredKeys: ['messages', 'tools'] },
)

test('a request said in this dialect is one the server accepts, and read again it asks for the same', () => {
  fc.assert(
    fc.property(request, (asked) => {
      const { body, dropped } = responsesProvider.encode(asked, { model: 'm', delivery: 'whole' })
      expect(dropped).toEqual([])
      expect(mistakeIn(body, new Set())).toBeUndefined()
      expect(responsesClient.read(JSON.parse(JSON.stringify(body))).neutral()).toEqual(asked)
    }),
    { numRuns: 150 },
  )
})
