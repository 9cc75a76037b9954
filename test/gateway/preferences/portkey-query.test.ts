import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { celOf } from '../../../src/config/import/portkey-query.ts'
import { holds, queryAt } from '../../../src/gateway/preferences/portkey-query.ts'
import { compileCondition } from '../../../src/route/condition.ts'
import { RoutingContext, type RoutingFacts } from '../../../src/route/context.ts'
import { FACTS } from '../../route/facts.ts'

const REQUEST = { model: 'gpt', messages: [], tools: [], stream: true, maxTokens: 100 }

function facts(metadata: Readonly<Record<string, unknown>>): RoutingFacts {
  return { ...FACTS, key: null, minted: {}, metadata, request: () => REQUEST }
}

const judged = (query: unknown, metadata = {}) => holds(queryAt(query, 'q'), facts(metadata))

describe('queries', () => {
  const literal = fc.constantFrom<string | number | boolean>(
    'a',
    'b',
    '5',
    '10.5',
    '-1',
    '',
    5,
    10.5,
    -1,
    0,
    true,
    false,
  )
  const operators = fc.dictionary(fc.constantFrom('$eq', '$ne'), literal, { minKeys: 1 })
  const lists = fc.dictionary(fc.constantFrom('$in', '$nin'), fc.array(literal, { maxLength: 4 }), {
    minKeys: 1,
  })
  const orders = fc.dictionary(
    fc.constantFrom('$gt', '$gte', '$lt', '$lte'),
    fc.constantFrom<string | number>(5, '5', 10.5, '-1', 0),
    { minKeys: 1 },
  )
  const key = fc.constantFrom(
    'metadata.x',
    'metadata.y',
    'params.model',
    'params.stream',
    'params.max_tokens',
  )
  const query = fc.letrec<{ query: object }>((tie) => ({
    query: fc.oneof(
      { maxDepth: 2 },
      fc.dictionary(key, fc.oneof(literal, operators, lists, orders), { maxKeys: 3 }),
      fc.dictionary(fc.constantFrom('$or', '$and'), fc.array(tie('query'), { minLength: 1, maxLength: 3 }), {
        minKeys: 1,
      }),
    ),
  })).query

  test('hold where the conditions hold that the importer makes of them', () => {
    const seen = { true: 0, false: 0 }
    fc.assert(
      fc.property(query, fc.dictionary(fc.constantFrom('x', 'y'), literal), (one, metadata) => {
        const text = celOf(one)
        if (text === undefined || text.length > 1000) return
        const compiled = compileCondition(text, { stage: 'llm', targets: null })
        // At load a comparison that is never true is a mistake.
        if (!compiled.ok) return
        const expected = compiled.condition.judge(new RoutingContext(facts(metadata))) === true
        expect(judged(one, metadata), text).toBe(expected)
        seen[`${expected}`]++
      }),
      { numRuns: 300, examples: [[{ 'metadata.x': { $gt: -1 } }, { x: '' }]] },
    )
    expect(Math.min(seen.true, seen.false)).toBeGreaterThan(5)
  })

  test('a value that is missing is neither equal nor in a list, and compares with nothing', () => {
    expect(judged({ 'metadata.x': 'a' })).toBe(false)
    expect(judged({ 'metadata.x': { $ne: 'a' } })).toBe(true)
    expect(judged({ 'metadata.x': { $nin: ['a'] } })).toBe(true)
    expect(judged({ 'metadata.x': { $lt: 5 } })).toBe(false)
    expect(judged({})).toBe(true)
  })

  test('what the key or its backend says stands above what the client says', () => {
    const trusted = { ...facts({ tier: 'premium' }), key: { id: 'k', attributes: { tier: 'free' } } }
    expect(holds(queryAt({ 'metadata.tier': 'premium' }, 'q'), trusted)).toBe(false)
    expect(holds(queryAt({ 'metadata.tier': 'free' }, 'q'), trusted)).toBe(true)
  })

  test.each([
    [{ 'url.pathname': 'x' }, 'asks for something else than metadata'],
    [{ 'params.temperature': 1 }, 'asks for something else than metadata'],
    [{ 'metadata.x': {} }, 'compares with nothing'],
    [{ 'metadata.x': { $in: 'a' } }, 'must be a list'],
    [{ 'metadata.x': { $in: null } }, 'has $in without a list'],
    [{ 'metadata.x': { $gt: 'soon' } }, 'has $gt without a number'],
    [{ 'metadata.x': { $regex: '(a+)+$' } }, 'has $regex, which is not computed for one request'],
    [{ 'metadata.x': { $size: 1 } }, 'has an operator that is not known'],
    [{ 'metadata.x': null }, 'compares with what is no text'],
    [{ $or: [] }, 'is empty'],
    [{ $or: [3] }, 'must be an object'],
    ['x', 'must be an object'],
  ])('%j is refused', (one, why) => {
    expect(() => queryAt(one, 'q')).toThrow(why)
  })
})
