/** models.dev's list in our shape: what fits is taken, what does not is counted, another file is refused. */
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { builtInRows } from '../../src/catalog/builtin.ts'
import { Catalog } from '../../src/catalog/catalog.ts'
import { loadCatalog } from '../../src/catalog/load.ts'
import { fromModelsDev, NotACatalog } from '../../src/catalog/models-dev.ts'
import { keepRefreshed, loadRefreshed, refreshedFile } from '../../src/catalog/refreshed.ts'
import { rowsOfFile } from '../../src/catalog/rows.ts'
import { modelsDevList } from './models-dev-list.ts'

const convert = (json: unknown) => fromModelsDev(json, 'models.dev', '2026-11-25')
const catalogOf = (json: unknown) =>
  new Catalog({ builtIn: builtInRows(), refreshed: rowsOfFile(convert(json).file) })

describe('of models.dev’s list', () => {
  test('prices, limits and abilities are taken, and lie above the built-in ones', () => {
    const entry = catalogOf(modelsDevList()).find('openai', 'gpt-4o-mini')
    expect(entry).toMatchObject({
      cost: { input: 9, output: 18, cacheRead: 0.9 },
      contextTokens: 128_000,
      releasedOn: '2024-07-18',
      source: 'models.dev',
      asOf: '2026-11-25',
    })
    expect(entry?.can).toEqual(expect.arrayContaining(['tools', 'structuredOutput', 'vision', 'temperature']))
  })

  test('a price of long prompts is a tier, in either of the ways it is written', () => {
    const catalog = catalogOf(modelsDevList())
    expect(catalog.find('google', 'gemini-old')?.cost?.tiers).toMatchObject([
      { aboveInputTokens: 200_000, input: 2.5 },
    ])
    expect(catalog.find('google', 'gemini-new')?.cost?.tiers).toMatchObject([
      { aboveInputTokens: 272_000, input: 4, output: 9 },
    ])
  })

  test('what makes pictures only is no model to talk to; what is sold by the month has no price', () => {
    const catalog = catalogOf(modelsDevList())
    expect(catalog.find('openai', 'painter')).toBeUndefined()
    expect(catalog.find('zai', 'glm-plan')).toMatchObject({ cost: null })
  })

  test('one that does not fit is left out and counted, and the others come all the same', () => {
    const list = modelsDevList()
    list.openai.models['broken'] = { name: 'x', cost: { input: -1, output: 'free' } }
    const { models, left, file } = convert(list)
    expect([models, left]).toEqual([22, 1])
    expect(Object.keys(file.providers['openai'] ?? {})).not.toContain('broken')
  })

  test('another file, an empty one, and one whose models have changed their shape are refused', () => {
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`m${n}`, { cost: 'x' }]))
    for (const json of [
      null,
      [],
      'text',
      { error: 'not found' },
      {},
      { openai: { models: {} } },
      { openai: { models: many } },
    ]) {
      expect(() => convert(json), JSON.stringify(json)?.slice(0, 40)).toThrow(NotACatalog)
    }
  })

  test('a name that is no name of a provider does not get in, nor into a prototype', () => {
    const list = JSON.parse(
      '{"__proto__":{"models":{"polluted":{"name":"x"}}},"a b":{"models":{"m":{"name":"x"}}},"ok":{"models":{"__proto__":{"name":"x"},"m":{"name":"m"}}}}',
    )
    // Two of four do not fit: far more than a list may have.
    expect(() => convert(list)).toThrow(NotACatalog)
    expect(({} as Record<string, unknown>)['models']).toBeUndefined()
  })
})

describe('a refreshed catalogue', () => {
  const folder = () => mkdtempSync(join(tmpdir(), 'parley-catalog-'))

  test('is kept whole and read again', () => {
    const path = join(folder(), 'deeper', 'catalog.json')
    keepRefreshed(path, convert(modelsDevList()).file)
    expect(readdirSync(join(path, '..'))).toEqual(['catalog.json'])
    const catalog = loadCatalog({ refreshedFile: path })
    expect(catalog.find('openai', 'gpt-4o-mini')?.cost?.input).toBe(9)
    expect(catalog.find('openai', 'gpt-4o')?.cost?.input).toBe(2.5)
  })

  test('that is broken is told and left out; one that is not there is no fault', () => {
    const path = join(folder(), 'catalog.json')
    const complaints: string[] = []
    expect(loadRefreshed(path, (message) => complaints.push(message))).toBeNull()
    expect(complaints).toEqual([])
    for (const text of ['', '{', '{"providers":{}}', '[]']) {
      writeFileSync(path, text)
      expect(loadRefreshed(path, (message) => complaints.push(message))).toBeNull()
    }
    expect(complaints).toHaveLength(4)
    expect(loadCatalog({ refreshedFile: path }).find('openai', 'gpt-4o-mini')?.cost?.input).toBe(0.15)
    expect(readFileSync(path, 'utf8')).toBe('[]')
  })

  test('lies where PARLEY_HOME says, else in the system’s cache', () => {
    expect(refreshedFile({ PARLEY_HOME: '/p' })).toBe('/p/catalog.json')
    expect(refreshedFile({ XDG_CACHE_HOME: '/c' })).toBe('/c/parley/catalog.json')
    expect(refreshedFile({ HOME: '/h' }, 'linux')).toBe('/h/.cache/parley/catalog.json')
    expect(refreshedFile({ HOME: '/h' }, 'darwin')).toBe('/h/Library/Caches/parley/catalog.json')
  })
})
