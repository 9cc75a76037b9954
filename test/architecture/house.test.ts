import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { faultsOf, type House, readHouse, roomOf } from './house.ts'
import { ROOT, readSources } from './sources.ts'

const page = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8')
const sources = readSources()

describe('the picture in docs/architecture.md and the code are the same house', () => {
  const house = readHouse(page)

  test('the code keeps to its floors, walls and pure rooms', () => {
    expect(faultsOf(house, sources)).toEqual([])
  })

  test('no room of the picture is made up', () => {
    const rooms = new Set(sources.map((source) => roomOf(source.path)))
    const planned = /^Not built yet: (.*)\.$/m.exec(page)?.[1]?.replaceAll('`', '').split(', ') ?? []
    const drawn = house.floors.flat()
    expect(drawn.filter((room) => !rooms.has(room)).sort()).toEqual([...planned].sort())
  })

  test('every pure room holds something', () => {
    const empty = house.pure.filter((prefix) => !sources.some((source) => source.path.startsWith(prefix)))
    const planned = /^Not built yet: (.*)\.$/m.exec(page)?.[1]?.replaceAll('`', '').split(', ') ?? []
    expect(empty.filter((prefix) => !planned.includes(prefix.replace('/', '')))).toEqual([])
  })
})

describe('the checker finds what breaks the rules', () => {
  const house: House = {
    floors: [['testing'], ['app'], ['wire', 'gateway'], ['session', 'provider'], ['route', 'clock']],
    walls: [{ from: 'gateway', to: 'session' }],
    secluded: [{ room: 'provider', knownTo: ['app'] }],
    reclusive: [{ room: 'testing', knows: ['clock'] }],
    partitioned: ['provider'],
    pure: ['route/'],
    engines: [{ file: 'route/cel.ts', packages: ['cel'] }],
  }
  const faults = (files: Readonly<Record<string, string>>) =>
    faultsOf(
      house,
      Object.entries(files).map(([path, text]) => ({ path, text })),
    )

  test('good imports are no fault', () => {
    expect(
      faults({
        'app.ts': "import './wire/a.ts'\nimport './provider/x/index.ts'",
        'wire/a.ts': "import { b } from '../session/b.ts'\nimport ws from 'ws'",
        'session/b.ts': "import type { Clock } from '../clock.ts'\nexport const b = 1",
        'provider/x/index.ts': "import './wire.ts'\nimport '../shared.ts'",
        'provider/x/wire.ts': '',
        'provider/shared.ts': '',
        'route/r.ts': "import type { Buffer } from 'node:buffer'\nimport '../clock.ts'",
        'clock.ts': '',
      }),
    ).toEqual([])
  })

  test.each([
    ['a static import', "import { a } from '../wire/a.ts'"],
    ['a type', "import type { A } from '../wire/a.ts'"],
    ['a type inside an expression', "export type X = import('../wire/a.ts').A"],
    ['a lazy import', "export const x = () => import('../wire/a.ts')"],
    ['a re-export', "export { a } from '../wire/a.ts'"],
    ['a re-export of all', "export * from '../wire/a.ts'"],
  ])('upward, by %s', (_name, text) => {
    expect(faults({ 'session/b.ts': text })).toEqual(['session/b.ts:1 imports upward: session → wire'])
  })

  test('through a wall on the same floor', () => {
    expect(faults({ 'gateway/g.ts': "\nimport '../session/s.ts'" })).toEqual([
      'gateway/g.ts:2: gateway knows no session',
    ])
  })

  test('what a room with few acquaintances does not know', () => {
    expect(faults({ 'testing/t.ts': "import '../clock.ts'\nimport '../route/r.ts'" })).toEqual([
      'testing/t.ts:2: testing knows clock alone',
    ])
  })

  test('a provider by anyone but app', () => {
    expect(faults({ 'wire/a.ts': "import '../provider/x/index.ts'" })).toEqual([
      'wire/a.ts:1: provider is known to app alone',
    ])
  })

  test('one provider by another', () => {
    expect(faults({ 'provider/x/index.ts': "import '../y/index.ts'" })).toEqual([
      'provider/x/index.ts:1: x knows y beside it',
    ])
  })

  test('a circle of files, a circle of rooms', () => {
    expect(faults({ 'session/a.ts': "import './b.ts'", 'session/b.ts': "import './a.ts'" })).toEqual([
      'files import in a circle: session/a.ts → session/b.ts → session/a.ts',
    ])
    const rooms = {
      'wire/a.ts': "import type { G } from '../gateway/g.ts'",
      'gateway/h.ts': "import type { A } from '../wire/a.ts'",
    }
    expect(faults(rooms)).toEqual(['rooms import in a circle: wire → gateway → wire'])
  })

  test('Node or a package in a pure room, also behind another file', () => {
    expect(faults({ 'route/r.ts': "import { readFileSync } from 'node:fs'" })).toEqual([
      'route/r.ts must be pure, but route/r.ts:1 imports node:fs',
    ])
    expect(faults({ 'route/r.ts': "import '../clock.ts'", 'clock.ts': "import 'left-pad'" })).toEqual([
      'route/r.ts must be pure, but clock.ts:1 imports left-pad',
    ])
  })

  test('a package that one file keeps to itself, anywhere else', () => {
    expect(
      faults({ 'route/cel.ts': "import 'cel'\nimport 'cel/ext'", 'route/r.ts': "import './cel.ts'" }),
    ).toEqual([])
    expect(faults({ 'wire/a.ts': "import type { Cel } from 'cel/ext'" })).toEqual([
      'wire/a.ts:1: route/cel.ts alone imports cel/ext',
    ])
    expect(faults({ 'route/cel.ts': "import 'celery'" })).toEqual([
      'route/cel.ts must be pure, but route/cel.ts:1 imports celery',
    ])
  })

  test('a room on no floor', () => {
    expect(faults({ 'attic/a.ts': '' })).toEqual(['attic stands on no floor'])
  })

  test('a picture with a line that says nothing', () => {
    expect(() => readHouse('```house\nfloor a\nwall a likes b\n```')).toThrow('says nothing: wall a likes b')
    expect(() => readHouse('no block')).toThrow('no ```house block')
  })
})
