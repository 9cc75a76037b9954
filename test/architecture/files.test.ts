import { describe, expect, test } from 'vitest'
import { placeOf, readSources, type Source, walk } from './sources.ts'
import { hostsAndPathsOf, trackedFiles } from './tracked.ts'

const MEDIAN_BYTES = 5_000
const MAX_LINES = 400

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? 0
}

function tooLong(sources: readonly Source[]): string[] {
  return sources
    .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > MAX_LINES)
    .map(({ path, lines }) => `${path} has ${lines} lines: is there a second concept in it?`)
}

function anysOf(source: Source): string[] {
  const places: string[] = []
  walk(source, (node) => {
    if (node.type === 'TSAnyKeyword') places.push(`${placeOf(source, node)} says any`)
  })
  return places
}

/** A file begins by saying what it is. */
function headless(sources: readonly Source[]): string[] {
  return sources
    .filter(({ text }) => !/^(#!.*\n)?\s*(\/\*\*|\/\/)/.test(text))
    .map(({ path }) => `${path} does not say what it is`)
}

describe('files stay small and say what they are', () => {
  const sources = readSources()

  test(`half of them are under ${MEDIAN_BYTES} bytes`, () => {
    expect(median(sources.map((source) => Buffer.byteLength(source.text)))).toBeLessThan(MEDIAN_BYTES)
  })

  test(`none is over ${MAX_LINES} lines`, () => {
    expect(tooLong(sources)).toEqual([])
  })

  test('each begins with a comment that says what it is', () => {
    expect(headless(sources)).toEqual([])
  })

  test('none says any', () => {
    expect(sources.flatMap(anysOf)).toEqual([])
  })

  test('none of them is a drawer for everything', () => {
    expect(sources.filter(({ path }) => /(^|\/)(utils?|helpers?|misc|common)\.tsx?$/.test(path))).toEqual([])
  })
})

describe('what is tracked belongs to everybody', () => {
  test('no registry host, no path of one machine', () => {
    expect(trackedFiles().flatMap(hostsAndPathsOf)).toEqual([])
  })

  test('the lock file says versions and hashes, not where they came from', () => {
    const lock = trackedFiles().find((file) => file.path === 'package-lock.json')
    expect(lock?.text).toContain('"integrity"')
    expect(lock?.text).not.toMatch(/"resolved": "https?:/)
  })
})

describe('the checkers find', () => {
  test('a median, a long file, one without a head, an any', () => {
    expect(median([9, 1, 5])).toBe(5)
    const long = { path: 'long.ts', text: 'x\n'.repeat(MAX_LINES + 1) }
    expect(tooLong([long, { path: 'short.ts', text: 'x\n'.repeat(MAX_LINES) }])).toEqual([
      'long.ts has 401 lines: is there a second concept in it?',
    ])
    expect(headless([long, { path: 'good.ts', text: '/** A file. */' }])).toEqual([
      'long.ts does not say what it is',
    ])
    const anys = "const any = 'any'\nexport const x: any = any\nexport type Y = Record<string, any>"
    expect(anysOf({ path: 'a.ts', text: anys })).toEqual(['a.ts:2 says any', 'a.ts:3 says any'])
  })

  const registry = ['https://registry', 'npmjs', 'org/x'].join('.')
  test.each([
    [`fetch('${registry}')`, "a.md:1 names a package registry's host"],
    [`see ${['', 'root', 'x'].join('/')}`, 'a.md:1 names a path of one machine'],
    [`cd "${['', 'home', 'anna', 'x'].join('/')}"`, 'a.md:1 names a path of one machine'],
  ])('%s', (text, fault) => {
    expect(hostsAndPathsOf({ path: 'a.md', text })).toEqual([fault])
  })

  test.each(['src/work/x.ts', 'x/root/a', 'https://example.com/work/b', '`/v1/realtime/`'])(
    'nothing in: %s',
    (text) => {
      expect(hostsAndPathsOf({ path: 'a.md', text })).toEqual([])
    },
  )
})
