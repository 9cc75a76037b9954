import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { importsOf } from './imports.ts'
import { ROOT, readSources } from './sources.ts'

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const manifest = JSON.parse(read('package.json')) as Manifest

/** Rows of the page's tables: ``| `name` | why | licence | MB | instead of |``. */
function rowsOf(page: string): Map<string, readonly string[]> {
  const rows = page
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
  return new Map(rows.map(([name, ...cells]) => [name?.replaceAll('`', '') ?? '', cells]))
}

/** `undici` of `undici/types`, `@a/b` of `@a/b/c`. */
function packageOf(request: string): string {
  return request
    .split('/')
    .slice(0, request.startsWith('@') ? 2 : 1)
    .join('/')
}

describe('every dependency has a reason in docs/dependencies.md', () => {
  const rows = rowsOf(read('docs/dependencies.md'))
  const names = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)]

  test('a row for each, and none for what is not there', () => {
    expect([...rows.keys()].sort()).toEqual(names.sort())
  })

  test('each row tells why, the licence, the weight and what else was tried', () => {
    for (const [name, cells] of rows) {
      expect(cells, name).toHaveLength(4)
      expect(
        cells.every((cell) => cell !== ''),
        name,
      ).toBe(true)
      expect(cells[2], name).toMatch(/^(< )?\d+(\.\d+)?$/)
    }
  })

  test('the licence is the one the package says', () => {
    for (const [name, cells] of rows) {
      const { license } = JSON.parse(read(`node_modules/${name}/package.json`)) as { license: string }
      expect(`${name}: ${cells[1]}`).toBe(`${name}: ${license}`)
    }
  })

  test('a row is read as it is written', () => {
    expect([...rowsOf('| name |\n|---|\n| `@a/b` | why | MIT | 1 | c |')]).toEqual([
      ['@a/b', ['why', 'MIT', '1', 'c']],
    ])
  })
})

describe('what runs needs only what is installed to run', () => {
  test('sources import run-time dependencies only; the page and types may use the others', () => {
    const imports = readSources()
      .filter((source) => !source.path.startsWith('console/web/'))
      .flatMap(importsOf)
      .filter((one) => one.kind === 'package' && !one.typeOnly)
    const undeclared = imports.filter((one) => !(packageOf(one.to) in manifest.dependencies))
    expect(undeclared.map((one) => `${one.place} imports ${one.to}`)).toEqual([])
  })

  test('no run-time dependency is there for nothing, but those whose row says planned', () => {
    const text = readSources().map((source) => source.text)
    const isNamed = (name: string) =>
      text.some((one) => one.includes(`'${name}'`) || one.includes(`'${name}/`))
    const planned = [...rowsOf(read('docs/dependencies.md'))].filter(([, [why]]) =>
      why?.startsWith('planned:'),
    )
    const unused = Object.keys(manifest.dependencies).filter((name) => !isNamed(name))
    expect(unused.sort()).toEqual(planned.map(([name]) => name).sort())
  })
})
