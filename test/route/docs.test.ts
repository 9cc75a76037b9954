import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { FUNCTIONS } from '../../src/route/cel.ts'
import * as limits from '../../src/route/limits.ts'
import { CONTEXT, type Shape } from '../../src/route/shape.ts'
import { SORT_KEYS } from '../../src/route/sort.ts'
import { condition } from './facts.ts'

const page = readFileSync(new URL('../../docs/routing.md', import.meta.url), 'utf8')

describe('docs/routing.md says what the code does', () => {
  test('the names of the context', () => {
    const names = Object.entries(CONTEXT).flatMap(([name, shape]: [string, Shape]) =>
      shape.type === 'members' ? Object.keys(shape.members).map((member) => `${name}.${member}`) : [name],
    )
    const table = page.slice(page.indexOf('## What a condition reads'), page.indexOf('Beside CEL'))
    const rows = [...table.matchAll(/^\| `([\w.]+)` \|/gm)].map((row) => row[1])
    expect(rows).toEqual(names)
  })

  test('the functions exist', () => {
    for (const name of ['lang', 'hourIn', 'percent', 'lowerAscii', 'upperAscii', 'trim']) {
      expect(FUNCTIONS).toContain(name)
      expect(page).toContain(name)
    }
  })

  test('the limits', () => {
    const table = page.slice(page.indexOf('| limit |'), page.indexOf('Regular expressions are RE2'))
    const numbers = [...table.matchAll(/\| ([\d,]+) \|$/gm)].map((row) => Number(row[1]?.replace(',', '')))
    expect(numbers).toEqual([
      limits.MAX_CONDITION_CHARS,
      limits.MAX_DEPTH,
      limits.MAX_NODES,
      limits.MAX_LIST,
      limits.MAX_STEPS,
      limits.MAX_PATTERN_CHARS,
      limits.MAX_PATTERN_STEPS,
      limits.SEEN_CHARS,
      limits.SEEN_ENTRIES,
    ])
  })

  test('every sort key is told', () => {
    for (const key of SORT_KEYS) expect(page).toContain(`\`${key}\``)
  })

  test('the conditions on the page compile', () => {
    const written = [...page.matchAll(/when: '(.*)'/g)].map((match) => match[1]!)
    expect(written).toHaveLength(2)
    for (const text of [...written, 'lang(turn.language, "de")', 'percent(session.user, "rollout") < 10'])
      condition(text)
  })
})
