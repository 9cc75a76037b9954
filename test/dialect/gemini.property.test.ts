import fc from 'fast-check'
import { expect, test } from 'vitest'
import { StreamFault } from '../../src/dialect/faults.ts'
import { geminiProvider } from '../../src/dialect/gemini/index.ts'
import type { ContentPart, ModelEvent, ModelMessage } from '../../src/dialect/neutral.ts'
import { geminiMistakes, rulesOf } from '../../src/testing/model/gemini/mistakes.ts'

const word = fc.string({ minLength: 1, maxLength: 8 })
const loose = <T>(real: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 6, arbitrary: real }, fc.jsonValue({ maxDepth: 2 }))

const part = fc.record(
  {
    text: loose(fc.string({ maxLength: 8 })),
    thought: loose(fc.boolean()),
    thoughtSignature: loose(word),
    functionCall: loose(
      fc.record({ id: loose(word), name: loose(word), args: loose(fc.object({ maxDepth: 1 })) }),
    ),
  },
  { requiredKeys: [] },
)
const candidate = fc.record(
  {
    index: loose(fc.constantFrom(0, 1)),
    content: loose(fc.record({ parts: loose(fc.array(loose(part), { maxLength: 3 })) })),
    finishReason: loose(fc.constantFrom('STOP', 'MAX_TOKENS', 'SAFETY', 'OTHER')),
    logprobsResult: loose(fc.record({ chosenCandidates: loose(fc.array(fc.jsonValue({ maxDepth: 1 }))) })),
  },
  { requiredKeys: [] },
)
const chunk = fc.record(
  {
    candidates: loose(fc.array(loose(candidate), { maxLength: 2 })),
    usageMetadata: loose(
      fc.record({ promptTokenCount: loose(fc.nat()), thoughtsTokenCount: loose(fc.nat()) }),
    ),
    promptFeedback: loose(fc.record({ blockReason: loose(word) })),
    error: fc.oneof({ weight: 20, arbitrary: fc.constant(null) }, fc.jsonValue({ maxDepth: 1 })),
  },
  { requiredKeys: [] },
)

function wellFormed(events: readonly ModelEvent[]): void {
  const finishes = events.filter(({ type }) => type === 'finish')
  expect(finishes.length).toBeLessThanOrEqual(1)
  if (finishes.length === 1) expect(events.at(-1)?.type).toBe('finish')
}

test('whatever a server sends, its decoder gives events or a StreamFault, and finish once and last', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          chunk.map((one) => JSON.stringify(one)),
          fc.string({ maxLength: 6 }),
        ),
        { maxLength: 6 },
      ),
      fc.constantFrom('whole' as const, 'streamed' as const),
      (stream, calls) => {
        const events: ModelEvent[] = []
        const decoder = geminiProvider.decoder({ newCallId: () => 'made', calls })
        try {
          for (const data of stream) events.push(...decoder.push({ event: 'message', data }))
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
  fc.assert(
    fc.property(fc.oneof(chunk, fc.jsonValue()), fc.integer({ min: 300, max: 599 }), (body, status) => {
      geminiProvider.errorOf(status, body)
      try {
        wellFormed(geminiProvider.decodeAnswer(body, () => 'made'))
      } catch (error) {
        expect(error).toBeInstanceOf(StreamFault)
      }
    }),
    { numRuns: 1_000 },
  )
})

const parts: fc.Arbitrary<readonly ContentPart[]> = fc.array(
  fc.oneof(
    fc.string({ maxLength: 4 }).map((text) => ({ type: 'text' as const, text })),
    fc.constant({
      type: 'image' as const,
      source: { type: 'base64' as const, mediaType: 'image/png', data: 'aGk=' },
    }),
  ),
  { minLength: 1, maxLength: 3 },
)
const spoken = (role: 'system' | 'user') =>
  parts.map(
    (all): ModelMessage => ({
      role,
      text: all.map((one) => (one.type === 'text' ? one.text : '')).join(''),
      parts: all,
    }),
  )

/** A turn with calls: its results follow in any order. */
const called = fc
  .tuple(fc.string({ maxLength: 4 }), fc.integer({ min: 1, max: 3 }), fc.nat(), parts, fc.boolean())
  .map(([text, count, from, given, failed]): ModelMessage[] => {
    const calls = Array.from({ length: count }, (_, i) => ({
      callId: `c${from}_${i}`,
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
    return [{ role: 'user', text: 'do' }, { role: 'assistant', text, toolCalls: calls }, ...results.reverse()]
  })

test('every conversation whose calls are answered is one that the server takes', () => {
  const turn = fc.oneof(
    spoken('system').map((one) => [one]),
    spoken('user').map((one) => [one]),
    fc.string({ maxLength: 4 }).map((text): ModelMessage[] => [{ role: 'assistant', text }]),
    called,
  )
  fc.assert(
    fc.property(
      fc.array(turn, { maxLength: 6 }),
      fc.constantFrom('gemini-2.5-pro', 'gemini-3-pro'),
      (turns, model) => {
        const { body } = geminiProvider.encode({ messages: turns.flat() }, { model, delivery: 'whole' })
        expect(geminiMistakes(JSON.parse(JSON.stringify(body)), rulesOf(model))).toEqual([])
      },
    ),
    { numRuns: 1_000 },
  )
})
