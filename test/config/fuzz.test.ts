import fc from 'fast-check'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { loadPipeline } from '../../src/config/pipeline-set.ts'
import { ConfigError } from '../../src/config/problem.ts'
import { parseSettings } from '../../src/config/settings.ts'
import { suggest } from '../../src/config/suggest.ts'

/** Loads `text` both ways; anything but a `ConfigError` fails the test, and every problem has a place. */
function survives(text: string): void {
  const lines = text.split('\n').length + 1
  const problems = [...loadPipeline(text, 'f.yaml').problems]
  try {
    parseSettings(text, 'f.yaml', { env: { A: 'x' } })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    problems.push(...error.problems)
  }
  for (const { line, column } of problems) {
    expect(line).toBeGreaterThan(0)
    expect(line).toBeLessThanOrEqual(lines)
    expect(column).toBeGreaterThan(0)
  }
}

const member = fc.constantFrom(
  'name',
  'llm',
  'routes',
  'use',
  'when',
  'variants',
  'keys',
  'listen',
  'voices',
  'tools',
  '__proto__',
  'constructor',
  'toString',
  '0',
  '',
)
const leaf = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom('a/b', '$' + '{A}', '$' + '{B}', '*x', '&x', '<<'),
)
const tree = fc.letrec((again) => ({
  node: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(again('node'), { maxLength: 4 }),
    fc.dictionary(member, again('node'), { maxKeys: 5 }),
  ),
})).node

test('any text', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), survives), { numRuns: 300 })
})

test('any text made of what YAML cares about', () => {
  const piece = fc.constantFrom(
    'name',
    ': ',
    '\n',
    '  ',
    '- ',
    '{',
    '}',
    '[',
    ']',
    ',',
    '&a ',
    '*a',
    '!!str ',
    '"',
    "'",
    '|',
    '>',
    '#',
    '? ',
    '---\n',
    '%YAML',
    '<<',
    '\t',
    '0',
    '~',
    '$' + '{A}',
  )
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 60 }).map((p) => p.join('')),
      survives,
    ),
    { numRuns: 500 },
  )
})

test('any tree of values under any of the real names', () => {
  fc.assert(
    fc.property(fc.dictionary(member, tree), (value) => survives(stringify(value))),
    { numRuns: 500 },
  )
})

test.each([
  ['a hundred thousand brackets', '['.repeat(100_000)],
  ['deep block maps', Array.from({ length: 400 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
  [
    'a bomb of aliases',
    [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefghi'.split('').map((c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdefgh'[i]}`)}]`),
    ].join('\n'),
  ],
  ['an alias of itself', 'name: &a [*a]'],
  ['two megabytes', `name: ${'x'.repeat(2_000_000)}`],
  ['a null document', 'null'],
  ['a list', '- 1'],
  ['two documents', 'name: a\n---\nname: b'],
  ['an unknown tag', 'name: !!js/function "x"'],
  ['binary', '\0\u0001\ufffe'],
])('%s', (_name, text) => {
  survives(text)
  expect(loadPipeline(text, 'f.yaml').problems.some((p) => p.severity === 'error')).toBe(true)
})

test('a suggestion is one of the known names', () => {
  const names = ['turnDetection', 'voice', 'llm']
  fc.assert(
    fc.property(fc.string({ maxLength: 80 }), (word) => [...names, undefined].includes(suggest(word, names))),
  )
})
