import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bedrockProvider } from '../../src/dialect/bedrock/index.ts'
import { StreamFault } from '../../src/dialect/faults.ts'
import type { ContentPart, ModelEvent, ModelMessage } from '../../src/dialect/neutral.ts'
import { loadAws } from '../../src/provider/bedrock/aws.ts'
import { EventStreamFraming } from '../../src/provider/bedrock/event-stream.ts'
import { eventMessage } from '../../src/testing/model/bedrock/event-stream.ts'
import { converseMistakes } from '../../src/testing/model/bedrock/mistakes.ts'

const loose = <T>(real: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 6, arbitrary: real }, fc.jsonValue({ maxDepth: 2 }))
const word = fc.string({ maxLength: 6 })
const thought = fc.record(
  { text: loose(word), signature: loose(word), redactedContent: loose(word) },
  { requiredKeys: [] },
)
const use = fc.record({ toolUseId: loose(word), name: loose(word), input: loose(word) }, { requiredKeys: [] })
const payload = fc.record(
  {
    contentBlockIndex: loose(fc.integer({ min: 0, max: 3 })),
    start: loose(fc.record({ toolUse: loose(use) })),
    delta: loose(
      fc.record(
        { text: loose(word), toolUse: loose(use), reasoningContent: loose(thought) },
        { requiredKeys: [] },
      ),
    ),
    stopReason: loose(fc.constantFrom('end_turn', 'tool_use', 'malformed_tool_use')),
    usage: loose(fc.record({ inputTokens: loose(fc.nat()), outputTokens: loose(fc.nat()) })),
  },
  { requiredKeys: [] },
)
const name = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.constantFrom(
      'contentBlockStart',
      'contentBlockDelta',
      'contentBlockStop',
      'messageStop',
      'metadata',
    ),
  },
  fc.constantFrom('messageStart', 'throttlingException', 'error', 'somethingNew'),
)

function wellFormed(events: readonly ModelEvent[]): void {
  const finishes = events.filter(({ type }) => type === 'finish')
  expect(finishes.length).toBeLessThanOrEqual(1)
  if (finishes.length === 1) expect(events.at(-1)?.type).toBe('finish')
}

test('whatever a server sends, its decoder gives events or a StreamFault, and finish once and last', () => {
  const data = fc.oneof({ weight: 20, arbitrary: payload.map((one) => JSON.stringify(one)) }, word)
  fc.assert(
    fc.property(
      fc.array(fc.record({ event: name, data }), { maxLength: 8 }),
      fc.constantFrom('whole' as const, 'streamed' as const),
      (stream, calls) => {
        const events: ModelEvent[] = []
        const decoder = bedrockProvider.decoder({ newCallId: () => 'made', calls })
        try {
          for (const one of stream) events.push(...decoder.push(one))
          events.push(...decoder.end())
          expect(events.at(-1)?.type).toBe('finish')
        } catch (error) {
          expect(error).toBeInstanceOf(StreamFault)
        }
        wellFormed(events)
      },
    ),
    { numRuns: 2_000 },
  )
})

test('a whole answer and any error body, too', () => {
  const block = fc.record(
    { text: loose(word), toolUse: loose(use), reasoningContent: loose(thought) },
    { requiredKeys: [] },
  )
  const answer = fc.record({
    output: loose(fc.record({ message: loose(fc.record({ content: loose(fc.array(loose(block))) })) })),
    stopReason: loose(fc.constantFrom('end_turn', 'tool_use', 'malformed_model_output')),
  })
  fc.assert(
    fc.property(fc.oneof(answer, fc.jsonValue()), fc.integer({ min: 300, max: 599 }), (body, status) => {
      bedrockProvider.errorOf(status, body)
      try {
        wellFormed(bedrockProvider.decodeAnswer(body, () => 'made'))
      } catch (error) {
        expect(error).toBeInstanceOf(StreamFault)
      }
    }),
    { numRuns: 1_000 },
  )
})

test('however its bytes are cut, an event stream is the same; any other bytes are a StreamFault or nothing', async () => {
  const aws = await loadAws()
  const events = fc.array(fc.tuple(name, payload), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(events, fc.array(fc.integer({ min: 1, max: 40 })), (all, cuts) => {
      const bytes = Buffer.concat(all.map(([event, data]) => eventMessage('event', event, data)))
      const framing = new EventStreamFraming(aws)
      const read: unknown[] = []
      let from = 0
      for (const cut of [...cuts, bytes.length]) {
        read.push(...framing.push(bytes.subarray(from, from + cut)))
        from += cut
      }
      expect(framing.end()).toEqual([])
      expect(read).toEqual(all.map(([event, data]) => ({ event, data: JSON.stringify(data) })))
    }),
  )
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 4 }), (chunks) => {
      const framing = new EventStreamFraming(aws)
      try {
        for (const chunk of chunks) framing.push(chunk)
        framing.end()
      } catch (error) {
        expect(error).toBeInstanceOf(StreamFault)
      }
    }),
  )
})

const cache = fc.option(fc.constantFrom('5m' as const, '1h' as const), { nil: undefined })
const part: fc.Arbitrary<ContentPart> = fc
  .tuple(
    fc.oneof(
      fc.string({ maxLength: 4 }).map((text) => ({ type: 'text' as const, text })),
      fc.constant({
        type: 'image' as const,
        source: { type: 'base64' as const, mediaType: 'image/png', data: 'aGk=' },
      }),
      fc.string({ maxLength: 6 }).map((named) => ({
        ...{
          type: 'file' as const,
          mediaType: 'text/plain',
          name: named,
          source: { type: 'base64' as const, data: 'aGk=' },
        },
      })),
    ),
    cache,
  )
  .map(([one, hint]) => ({ ...one, ...(hint && { cache: hint }) }))
const parts = fc.array(part, { minLength: 1, maxLength: 3 })
const spoken = (role: 'system' | 'user') =>
  parts.map(
    (all): ModelMessage => ({
      role,
      text: all.map((one) => (one.type === 'text' ? one.text : '')).join(''),
      parts: all,
    }),
  )
const called = fc
  .tuple(fc.string({ maxLength: 4 }), fc.integer({ min: 1, max: 3 }), fc.nat(), parts, fc.boolean())
  .map(([text, count, from, given, failed]): ModelMessage[] => {
    const calls = Array.from({ length: count }, (_, i) => ({
      callId: `c.${from}:${i}`,
      name: `f${i}`,
      arguments: '{}',
    }))
    const results = calls.map(
      ({ callId }): ModelMessage => ({
        role: 'tool',
        callId,
        text: 'r',
        parts: given,
        ...(failed && { failed: true }),
      }),
    )
    return [{ role: 'assistant', text, toolCalls: calls }, ...results.reverse(), { role: 'user', text: 'so' }]
  })

test('every conversation whose calls are answered is one that the server takes', () => {
  const turn = fc.oneof(
    spoken('system').map((one) => [one]),
    spoken('user').map((one) => [one]),
    fc.string({ maxLength: 4 }).map((text): ModelMessage[] => [{ role: 'assistant', text }]),
    called.map((all) => [{ role: 'user', text: 'do' } as const, ...all]),
  )
  const models = [
    'anthropic.claude-sonnet-4-5-20250929-v1:0',
    'amazon.nova-pro-v1:0',
    'meta.llama3-3-70b-instruct-v1:0',
  ]
  fc.assert(
    fc.property(fc.array(turn, { maxLength: 6 }), fc.constantFrom(...models), (turns, model) => {
      const { body } = bedrockProvider.encode({ messages: turns.flat() }, { model, delivery: 'whole' })
      expect(converseMistakes(JSON.parse(JSON.stringify(body)), model)).toEqual([])
    }),
    { numRuns: 1_000 },
  )
})
