/**
 * `docs/gateway-routing.md` against the code: the value of every row is sent, and what the row says is what happens. No
 * member that is taken out of a body, and no header that is looked at, is without a row; no row is without a test.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { answerHeaders } from '../../../src/gateway/preferences/answer-headers.ts'
import { PreferenceError } from '../../../src/gateway/preferences/error.ts'
import { EXTENSIONS } from '../../../src/gateway/preferences/extensions.ts'
import type { Dialect, Preferences } from '../../../src/gateway/preferences/preferences.ts'
import { readPreferences } from '../../../src/gateway/preferences/read.ts'
import type { TurnRecord } from '../../../src/trace/record.ts'
import { ROOT } from '../../architecture/sources.ts'

const PAGE = readFileSync(join(ROOT, 'docs/gateway-routing.md'), 'utf8')
const HERE = 'test/gateway/preferences'

interface Row {
  readonly member: string
  readonly second: string
  readonly says: string
  readonly tests: readonly string[]
}

function rowsAfter(header: string): Row[] {
  return PAGE.split(`\n| ${header} |`)
    .slice(1)
    .flatMap((part) => {
      const lines = part.split('\n').slice(2)
      const end = lines.findIndex((line) => !line.startsWith('| '))
      return lines.slice(0, end < 0 ? undefined : end)
    })
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    )
    .map(([member = '', second = '', says = '', tests = '']) => ({
      member: member.replaceAll('`', ''),
      second: second.replace(/^`|`$/g, ''),
      says,
      tests: tests.split(',').map((name) => name.trim()),
    }))
}

const MEMBERS = rowsAfter('member')
const HEADERS = rowsAfter('header')
const isHeader = (member: string) => member.startsWith('x-')

/** `provider.max_price.prompt` into `{ provider: { max_price: { prompt: value } } }`. */
function within(path: string, value: unknown): object {
  return path
    .split('.')
    .reverse()
    .reduce<unknown>((inner, name) => ({ [name]: inner }), value) as object
}

function send({ member, second }: Row): Preferences {
  const base = { model: 'openai/gpt-4o' }
  if (isHeader(member)) return readPreferences(base, { [member]: second }).preferences
  return readPreferences({ ...base, ...within(member, JSON.parse(second)) }, {}).preferences
}

/** What is said, without who speaks so. */
function said({ dialects: _, ...preferences }: Preferences): object {
  return preferences
}

const PLAIN = said(readPreferences({ model: 'openai/gpt-4o' }, {}).preferences)

test('the page has its tables', () => {
  expect(MEMBERS.length).toBeGreaterThan(90)
  expect(HEADERS.length).toBeGreaterThan(10)
})

describe.each(MEMBERS.map((row) => [row.member, row.second, row.says, row] as const))(
  '`%s`: %s',
  (_, __, says, row) => {
    if (says.startsWith('refused')) {
      test('is refused, at its place', () => {
        let error: unknown
        try {
          send(row)
        } catch (thrown) {
          error = thrown
        }
        expect(error).toBeInstanceOf(PreferenceError)
        const { param } = error as PreferenceError
        expect(param === 'parley' || param.startsWith(row.member), param).toBe(true)
      })
    } else if (says.startsWith('read past')) {
      test('is read past, and told', () => {
        const { ignored, ...rest } = said(send(row)) as Preferences
        expect(ignored).toEqual([row.member])
        expect({ ...rest, ignored: [] }).toEqual(PLAIN)
      })
    } else if (says.startsWith('asks for nothing')) {
      test('changes nothing', () => {
        expect(said(send(row))).toEqual(PLAIN)
      })
    } else {
      test('changes what is preferred', () => {
        const preferences = send(row)
        expect(preferences.ignored).toEqual([])
        expect(said(preferences)).not.toEqual(PLAIN)
      })
    }
  },
)

describe('nothing is without a row', () => {
  test('no member that no provider gets', () => {
    const tops = new Set(MEMBERS.map(({ member }) => member.split('.')[0]))
    expect(EXTENSIONS.filter((name) => !tops.has(name))).toEqual([])
  })

  test('no header that is looked at', () => {
    const folder = join(ROOT, 'src/gateway/preferences')
    const sources = readdirSync(folder)
      .filter((file) => file !== 'answer-headers.ts')
      .map((file) => readFileSync(join(folder, file), 'utf8'))
    const named = sources.flatMap((text) =>
      [...text.matchAll(/'(x-[a-z-]*[a-z])'/g)].map((match) => match[1] ?? ''),
    )
    const rows = MEMBERS.map(({ member }) => member)
    expect([...new Set(named)].filter((name) => !rows.includes(name))).toEqual([])
    expect(named.length).toBeGreaterThan(10)
  })

  test('no header of an answer, and no row of one that is not sent', () => {
    const attempt = {
      stage: 'llm',
      provider: 'a',
      model: 'b',
      status: 'ok',
      startMs: 0,
      firstOutputMs: 1,
      endMs: 2,
      kind: null,
      hedge: false,
      reason: 'first',
      costUsd: 1,
    } as const
    const record = { id: 't', attempts: [attempt], costUsd: 1 } as unknown as TurnRecord
    const sent = (dialects: readonly Dialect[]) =>
      Object.keys(
        answerHeaders(record, { preferences: { dialects }, order: [], requested: 'm', traceId: null }),
      )
    const rows = (dialect: string) =>
      HEADERS.filter(({ second }) => second === dialect).map(({ member }) => member)
    expect(sent([])).toEqual(rows('all'))
    for (const dialect of ['portkey', 'litellm'] as const)
      expect(sent([dialect]).sort()).toEqual([...rows('all'), ...rows(dialect)].sort())
  })
})

test('each row has a test, which names the member', () => {
  const missing = [...MEMBERS, ...HEADERS].flatMap(({ member, tests }) =>
    tests
      .filter((name) => {
        const file = join(ROOT, HERE, `${name}.test.ts`)
        const last = member.split('.').at(-1) ?? ''
        return !existsSync(file) || (name === 'read' && !readFileSync(file, 'utf8').includes(last))
      })
      .map((name) => `${member} in ${name}`),
  )
  expect(missing).toEqual([])
})
