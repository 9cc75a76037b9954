/** Whatever comes: a result or the one typed error, bounded, in little time, with no word of the caller's in the error. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { applyPreferences } from '../../../src/gateway/preferences/apply.ts'
import { choicesOf } from '../../../src/gateway/preferences/choices.ts'
import { PreferenceError } from '../../../src/gateway/preferences/error.ts'
import { EXTENSIONS } from '../../../src/gateway/preferences/extensions.ts'
import { needsOf } from '../../../src/gateway/preferences/needs.ts'
import { wishesOf } from '../../../src/gateway/preferences/plan.ts'
import type { Wish } from '../../../src/gateway/preferences/preferences.ts'
import { type Read, readPreferences } from '../../../src/gateway/preferences/read.ts'
import { target, targetFacts } from '../../route/facts.ts'
import { factsOf } from './reading.ts'

function attempt(body: unknown, headers: Record<string, string> = {}): Read | PreferenceError {
  try {
    return readPreferences(body, headers)
  } catch (error) {
    if (error instanceof PreferenceError) return error
    throw error
  }
}

const word = fc.constantFrom(
  'openai',
  'openai/gpt-4o',
  'a/b:floor',
  'a/b:online',
  'auto',
  'price',
  'latency:desc',
  '500ms',
  'x y',
  '',
)
const leaf = fc.oneof(
  word,
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.string(),
  fc.bigInt(),
)
const list = fc.array(
  fc.oneof(leaf, fc.record({ model: word, metric: word, direction: word }, { requiredKeys: [] })),
  {
    maxLength: 20,
  },
)
const members = (names: readonly string[], value: fc.Arbitrary<unknown>) =>
  fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), value, { maxKeys: 8 })

const PROVIDER = [
  'order',
  'only',
  'ignore',
  'sort',
  'max_price',
  'allow_fallbacks',
  'zdr',
  'preferred_max_latency',
]
const GATEWAY = ['order', 'only', 'models', 'sort', 'has', 'user', 'tags', 'byok']
const value: fc.Arbitrary<unknown> = fc.oneof(
  leaf,
  list,
  members(
    [...PROVIDER, 'prompt', 'p50', 'by', 'partition'],
    fc.oneof(leaf, list, members(['p90', 'prompt', 'by'], leaf)),
  ),
  members(
    ['gateway', 'models', 'metadata', 'fallback', 'ttft_timeout', 'pipeline', 'hedge'],
    members(GATEWAY, fc.oneof(leaf, list)),
  ),
  fc.anything({ maxDepth: 3 }),
)
const body = members([...EXTENSIONS, 'model', 'metadata', 'user', 'messages', 'tools'], value)

const node: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.record(
      {
        provider: fc.oneof(word, leaf),
        name: word,
        weight: fc.oneof(fc.constant(1), leaf),
        override_params: members(['model', 'temperature', 'stream'], leaf),
        retry: members(['attempts', 'on_status_codes'], fc.oneof(leaf, list)),
      },
      { requiredKeys: [] },
    ),
    fc.record({
      strategy: members(
        ['mode', 'default', 'conditions', 'on_status_codes'],
        fc.oneof(
          fc.constantFrom('fallback', 'loadbalance', 'conditional', 'single', 'a'),
          fc.array(
            fc.record({ query: members(['metadata.x', 'params.model', '$or'], fc.oneof(leaf, list)) }),
          ),
        ),
      ),
      targets: fc.array(tie('node'), { maxLength: 4 }),
    }),
  ),
})).node
const headers = fc.dictionary(
  fc.constantFrom(
    'x-portkey-config',
    'x-portkey-metadata',
    'x-portkey-provider',
    'x-portkey-retry-count',
    'x-parley-metadata',
    'x-parley-pipeline',
    'x-litellm-timeout',
    'x-litellm-tags',
    'x-session-id',
  ),
  fc.oneof(
    fc.string(),
    word,
    node.map((one) => JSON.stringify(one, (_, inner) => (typeof inner === 'bigint' ? 1 : inner)) ?? ''),
    fc.json(),
  ),
)

const name = fc.constantFrom('openai', 'OpenAI', 'openai/gpt-4o', 'groq', 'groq/llama', 'local/x', 'nobody')
const names = fc.array(name, { maxLength: 5 })
const sort = fc.constantFrom('price', 'latency', 'throughput')
const plausible = fc.record(
  {
    models: fc.array(
      fc.constantFrom('groq/llama:nitro', 'local/x', 'support', 'openai/gpt-4o:floor', 'llama:3b'),
    ),
    provider: fc.record(
      {
        order: names,
        only: names,
        ignore: names,
        sort: fc.oneof(sort, fc.record({ by: sort, partition: fc.constantFrom('model', 'none') })),
        allow_fallbacks: fc.boolean(),
        require_parameters: fc.boolean(),
        max_price: fc.record({ prompt: fc.double({ min: 0, max: 10, noNaN: true }) }),
        preferred_max_latency: fc.double({ min: 0, max: 10, noNaN: true }),
      },
      { requiredKeys: [] },
    ),
    metadata: fc.dictionary(fc.string({ maxLength: 64 }), fc.string({ maxLength: 100 }), { maxKeys: 16 }),
    tools: fc.constant([{ type: 'function' }]),
    tags: names,
  },
  { requiredKeys: [] },
)

function expectApplied({ preferences, rest }: Read): void {
  expect(Object.keys(rest.body).filter((one) => (EXTENSIONS as readonly string[]).includes(one))).toEqual([])
  expect(preferences.ignored.length).toBeLessThanOrEqual(33)
  if (!preferences.plan) return
  let wishes: readonly Wish[]
  try {
    wishes = wishesOf(preferences.plan, factsOf(preferences))
  } catch (error) {
    expect(error).toBeInstanceOf(PreferenceError)
    return
  }
  expect(wishes.length).toBeGreaterThan(0)
  expect(wishes.length).toBeLessThanOrEqual(17)
  const choices = choicesOf(wishes, (wish) => [
    target(wish.name.includes('/') ? wish.name : `x/${wish.name}`),
  ])
  const { order, refused } = applyPreferences(choices, preferences, {
    factsOf: () => targetFacts(),
    needs: needsOf(rest.body),
  })
  expect(order.length + refused.length).toBe(choices.length)
}

describe('nothing but the typed error is thrown', () => {
  test('for any value at all', () => {
    fc.assert(
      fc.property(fc.anything(), (one) => void attempt(one)),
      { numRuns: 500 },
    )
  })

  test('for bodies and headers that look like requests', () => {
    fc.assert(
      fc.property(body, headers, (one, heads) => {
        const read = attempt({ model: 'a/b', ...one }, heads)
        if (!(read instanceof PreferenceError)) expectApplied(read)
      }),
      { numRuns: 1000 },
    )
  })

  test('and requests as they should be are read, applied, and nobody disappears', () => {
    fc.assert(
      fc.property(plausible, (one) => {
        const read = attempt({ model: 'openai/gpt-4o', ...one })
        expect(read).not.toBeInstanceOf(PreferenceError)
        expectApplied(read as Read)
      }),
      { numRuns: 500 },
    )
  })

  test('for configs of any nesting', () => {
    let read = 0
    fc.assert(
      fc.property(node, (one) => {
        const text = JSON.stringify(one, (_, inner) => (typeof inner === 'bigint' ? 1 : inner))
        if (!(attempt({ model: 'a/b' }, { 'x-portkey-config': text }) instanceof PreferenceError)) read++
      }),
      { numRuns: 1000 },
    )
    expect(read).toBeGreaterThan(10)
  })

  test('an error tells a place and no value', () => {
    fc.assert(
      fc.property(fc.constantFrom(...EXTENSIONS, 'metadata', 'user', 'model'), (name) => {
        const secret = 'sk-SECRET value'
        for (const one of [secret, [secret], { [secret]: secret }, [{ [secret]: secret, model: secret }]]) {
          const error = attempt({ model: 'a/b', [name]: one })
          if (error instanceof PreferenceError)
            expect(`${error.param} ${error.message}`).not.toContain('SECRET')
        }
      }),
    )
  })
})

describe('what is too large is refused before it is walked', () => {
  const nested = (levels: number): unknown => {
    let value: unknown = 1
    for (let i = 0; i < levels; i++) value = { a: value }
    return value
  }

  test.each([
    ['metadata of a hundred thousand levels', { metadata: nested(100_000) }, 'metadata'],
    [
      'parameters of a hundred thousand levels',
      { fallbacks: [{ model: 'a/b', x: nested(100_000) }] },
      'fallbacks[0]',
    ],
    ['a million names', { ignore: Array(1_000_000).fill('a') }, 'ignore'],
    ['a name of a million characters', { model: 'x'.repeat(1_000_000) }, 'model'],
    ['maps that multiply', { fallbacks: Array(16).fill({ 'a/b': Array(16).fill('c/d') }) }, 'fallbacks'],
  ])('%s', (_, one, param) => {
    expect(attempt({ model: 'a/b', ...one })).toMatchObject({ param })
  })

  test('a header of brackets', () => {
    const deep = `{"a":${'['.repeat(8000)}${']'.repeat(8000)}}`
    expect(attempt({ model: 'a/b' }, { 'x-parley-metadata': deep })).toMatchObject({
      param: 'x-parley-metadata',
    })
    const query = `${'{"$or":['.repeat(500)}{}${']}'.repeat(500)}`
    const config = `{"strategy":{"mode":"conditional","conditions":[{"query":${query},"then":"a"}]},"targets":[{"name":"a"}]}`
    expect(attempt({ model: 'a/b' }, { 'x-portkey-config': config })).toMatchObject({
      message: 'is nested deeper than 8 levels',
    })
  })
})
