import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MessagesDecoder } from '../../src/dialect/anthropic/decode.ts'
import { anthropicClient, anthropicProvider } from '../../src/dialect/anthropic/index.ts'
import { StreamFault } from '../../src/dialect/faults.ts'
import type {
  ContentPart,
  ModelEvent,
  ModelMessage,
  ReasoningPart,
  ToolCall,
} from '../../src/dialect/neutral.ts'
import { eventsOf, framesOf, HEAD, orderMistakes, writtenOf } from './anthropic-stream.ts'

const word = fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }).filter((text) => text.trim() !== '')
const id = fc.stringMatching(/^[\w-]{1,8}$/)
const json = fc
  .dictionary(fc.string({ maxLength: 4 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 })
  .map((value) => JSON.stringify(JSON.parse(JSON.stringify(value))))
const cache = fc.option(fc.constantFrom('5m' as const, '1h' as const), { nil: undefined })
const cached = <T extends object>(part: fc.Arbitrary<T>) =>
  fc.tuple(part, cache).map(([one, hint]) => ({ ...one, ...(hint && { cache: hint }) }))
const image = fc.record({
  type: fc.constant('image' as const),
  source: fc.record({
    type: fc.constant('base64' as const),
    mediaType: fc.constantFrom('image/png', 'image/jpeg'),
    data: fc.base64String({ maxLength: 8 }),
  }),
})
const text = word.map((one) => ({ type: 'text' as const, text: one }))
const part: fc.Arbitrary<ContentPart> = cached(fc.oneof(text, image))
const spoken = <R extends 'system' | 'user'>(role: R, parts: readonly ContentPart[]) => ({
  ...{ role, text: parts.map((one) => (one.type === 'text' ? one.text : '')).join(''), parts },
})
const thought: fc.Arbitrary<ReasoningPart> = fc.oneof(
  fc.record({ text: fc.string(), signature: id, by: fc.constant('anthropic') }),
  fc.record({ text: fc.constant(''), sealed: id, by: fc.constant('anthropic') }),
)
const call: fc.Arbitrary<ToolCall> = fc.record({ callId: id, name: id, arguments: json })
const message: fc.Arbitrary<ModelMessage> = fc.oneof(
  fc.array(cached(text), { minLength: 1, maxLength: 2 }).map((parts) => spoken('system', parts)),
  fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => spoken('user', parts)),
  fc
    .tuple(word, fc.array(call, { maxLength: 2 }), fc.array(thought, { maxLength: 2 }))
    .map(([said, toolCalls, reasoning]) => ({
      role: 'assistant' as const,
      text: said,
      toolCalls,
      reasoning,
    })),
  fc
    .tuple(id, fc.array(part, { minLength: 1, maxLength: 2 }), fc.boolean())
    .map(([callId, parts, failed]) => ({
      ...{ ...spoken('user', parts), role: 'tool' as const, callId },
      ...(failed && { failed: true as const }),
    })),
)

/** What a conversation means, however its turns are cut. */
function meaningOf(messages: readonly ModelMessage[]): unknown {
  const system: unknown[] = []
  const turns: { role: string; results: unknown[]; said: unknown[]; calls: ToolCall[]; text: string }[] = []
  for (const one of messages) {
    if (one.role === 'system') {
      system.push(one.text)
      continue
    }
    const role = one.role === 'assistant' ? 'assistant' : 'user'
    if (turns.at(-1)?.role !== role) turns.push({ role, results: [], said: [], calls: [], text: '' })
    const turn = turns.at(-1)!
    if (one.role === 'assistant') {
      turn.text += one.text
      turn.calls.push(...(one.toolCalls ?? []))
      turn.said.push(...(one.reasoning ?? []))
    } else {
      const parts = one.parts ?? [{ type: 'text', text: one.text }]
      if (one.role === 'tool') turn.results.push([one.callId, one.failed, contentOf(parts)])
      else turn.said.push(...parts)
    }
  }
  const last = turns.at(-1)
  if (last?.role === 'assistant' && last.calls.length === 0) last.text = last.text.trimEnd()
  // Where none is marked they are one text.
  return { system: system.join('').replaceAll('\n\n', ''), turns }
}

/** Of a result: words without a picture are one text, and one mark stands for the whole. */
function contentOf(parts: readonly ContentPart[]): unknown {
  const hint = parts.findLast((one) => 'cache' in one && one.cache !== undefined)
  const bare = parts.map((one) => (one.type === 'audio' ? one : { ...one, cache: undefined }))
  const plain = bare.every(({ type }) => type === 'text')
  const content = plain ? bare.map((one) => (one.type === 'text' ? one.text : '')).join('') : bare
  return [content, hint && 'cache' in hint ? hint.cache : undefined]
}

test('a conversation that is encoded and read again means the same', () => {
  const codec = anthropicProvider({ maxTokens: 100 })
  fc.assert(
    fc.property(fc.array(message, { maxLength: 8 }), (list) => {
      const messages = [spoken('user', [{ type: 'text', text: 'Hi' }]), ...list]
      const { body } = codec.encode({ messages }, { model: 'claude-haiku-4-5', delivery: 'whole' })
      const again = anthropicClient.read(body).neutral()
      expect(meaningOf(again.messages)).toEqual(meaningOf(messages))
    }),
    { numRuns: 400 },
  )
})

type Item =
  | { readonly type: 'text' | 'reasoning'; readonly text: string }
  | { readonly type: 'reasoningSeal'; readonly signature: string; readonly by: 'anthropic' }
  | { readonly type: 'calls'; readonly calls: readonly { name: string; pieces: readonly string[] }[] }
const item: fc.Arbitrary<Item> = fc.oneof(
  fc.record({ type: fc.constantFrom('text' as const, 'reasoning' as const), text: word }),
  fc.record({
    type: fc.constant('reasoningSeal' as const),
    signature: id,
    by: fc.constant('anthropic' as const),
  }),
  fc.record({
    type: fc.constant('calls' as const),
    calls: fc.array(
      fc.record({ name: id, pieces: fc.array(fc.string({ maxLength: 5 }), { minLength: 1, maxLength: 3 }) }),
      {
        maxLength: 3,
      },
    ),
  }),
)

/** Calls of one item are written at once, a piece of each in turn. */
function eventsFrom(items: readonly Item[]): ModelEvent[] {
  const events: ModelEvent[] = []
  let made = 0
  for (const one of items) {
    if (one.type !== 'calls') {
      events.push(one)
      continue
    }
    const calls = one.calls.map((each) => ({ ...each, index: made, callId: `call_${made++}` }))
    for (let i = 0; i < 3; i++) {
      for (const { pieces, index, callId, name } of calls) {
        const piece = pieces[i]
        if (piece !== undefined) events.push({ type: 'toolCallDelta', index, callId, name, arguments: piece })
      }
    }
    for (const { callId, name, pieces } of calls) {
      events.push({ type: 'toolCall', call: { callId, name, arguments: pieces.join('') || '{}' } })
    }
  }
  const usage = { inputTokens: 9, outputTokens: 4, cachedTokens: 2, cacheWriteTokens: 3 }
  return [...events, { type: 'usage', usage }, { type: 'finish', reason: 'length' }]
}

/** The same however it was cut into pieces. */
function joined(events: readonly ModelEvent[]) {
  const of = (type: 'text' | 'reasoning') =>
    events.map((event) => (event.type === type ? event.text : '')).join('')
  const calls = events.flatMap((event) => (event.type === 'toolCall' ? [event.call] : []))
  const seals = events.flatMap((event) => (event.type === 'reasoningSeal' ? [event.signature] : []))
  return { text: of('text'), reasoning: of('reasoning'), calls, seals, end: events.slice(-2) }
}

test('an answer that is written and read again is the same, in good order', () => {
  fc.assert(
    fc.property(fc.array(item, { maxLength: 8 }), (items) => {
      const events = eventsFrom(items)
      const stream = writtenOf(events)
      expect(orderMistakes(stream)).toEqual([])
      expect(joined(framesOf(stream).flatMap((frame) => frame.events))).toEqual(joined(events))
    }),
    { numRuns: 400 },
  )
})

test('a whole answer says what its stream says', () => {
  const codec = anthropicProvider({ maxTokens: 100 })
  fc.assert(
    fc.property(fc.array(item, { maxLength: 8 }), (items) => {
      const events = eventsFrom(items)
      const whole = anthropicClient.encodeAnswer(events, HEAD, {})
      const read = codec.decodeAnswer(whole, () => 'made')
      const streamed = framesOf(writtenOf(events)).flatMap((frame) => frame.events)
      const inputs = (list: readonly ModelEvent[]) => {
        const { calls, ...rest } = joined(list)
        return { ...rest, calls: calls.map(({ callId, name }) => [callId, name]) }
      }
      expect(inputs(read)).toEqual(inputs(streamed))
    }),
    { numRuns: 200 },
  )
})

const KINDS = ['text', 'thinking', 'redacted_thinking', 'tool_use', 'server_tool_use', 'later']
const DELTAS = ['text_delta', 'thinking_delta', 'signature_delta', 'input_json_delta', 'citations_delta']
const anything = fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.constantFrom(0, 1, '', 'x', null))
const members = (type: fc.Arbitrary<string>) =>
  fc.record(
    {
      ...{ type, text: anything, thinking: anything, signature: anything, data: anything, id: anything },
      ...{ name: anything, input: anything, partial_json: anything, stop_reason: anything },
      ...{ output_tokens: anything, stop_sequence: anything, usage: anything },
    },
    { requiredKeys: [] },
  )
const wild = fc.record(
  {
    type: fc.constantFrom(
      ...['message_start', 'content_block_start', 'content_block_delta', 'content_block_stop'],
      ...['message_delta', 'message_stop', 'error', 'ping', 'later'],
    ),
    index: fc.oneof(fc.constantFrom(0, 1, 2), anything),
    message: fc.oneof(members(fc.constant('message')), anything),
    content_block: fc.oneof(members(fc.constantFrom(...KINDS)), anything),
    delta: fc.oneof(members(fc.constantFrom(...DELTAS)), anything),
    usage: fc.oneof(members(fc.constant('usage')), anything),
    error: anything,
  },
  { requiredKeys: ['type'] },
)

test('whatever a server sends: events or a StreamFault, and one finish at the end', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 9, arbitrary: wild.map((one) => JSON.stringify(one)) }, fc.string())),
      (list) => {
        const decoder = new MessagesDecoder({ newCallId: () => 'made', calls: 'streamed' })
        const seen: ModelEvent[] = []
        try {
          for (const data of list) seen.push(...decoder.push({ event: 'message', data }))
          seen.push(...decoder.end())
        } catch (error) {
          expect(error).toBeInstanceOf(StreamFault)
          expect(seen.some(({ type }) => type === 'finish')).toBe(false)
          return
        }
        expect(seen.filter(({ type }) => type === 'finish')).toEqual([seen.at(-1)])
        expect(orderMistakes(writtenOf(seen))).toEqual([])
      },
    ),
    { numRuns: 1_000 },
  )
})

test('whatever whole answer a server sends: events or a StreamFault', () => {
  const codec = anthropicProvider({ maxTokens: 100 })
  const body = fc.oneof(
    fc.record({ content: fc.array(fc.oneof(members(fc.constantFrom(...KINDS)), anything)), usage: anything }),
    anything,
  )
  fc.assert(
    fc.property(body, (given) => {
      try {
        expect(codec.decodeAnswer(given, () => 'made').at(-1)?.type).toBe('finish')
      } catch (error) {
        expect(error).toBeInstanceOf(StreamFault)
      }
    }),
    { numRuns: 500 },
  )
})

test('what is passed on stays what it was', () => {
  fc.assert(
    fc.property(fc.array(item, { maxLength: 8 }), (items) => {
      const stream = writtenOf(eventsFrom(items))
      const writer = anthropicClient.writer(HEAD, {})
      const passed = framesOf(stream)
        .map((frame) => writer.pass(frame))
        .join('')
      expect(eventsOf(passed + writer.end({}))).toEqual(eventsOf(stream))
    }),
    { numRuns: 200 },
  )
})
