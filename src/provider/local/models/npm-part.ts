/**
 * Installs an npm project of ours into the cache: for parts that are too large to be everyone's dependency.
 * Its lock file, shipped under `optional/`, pins every package; no install script runs.
 */
import { createHash, randomUUID } from 'node:crypto'
import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Clock } from '../../../clock.ts'
import type { NpmPartSource } from './catalogue.ts'
import { runCommand } from './command.ts'
import { watchFolderSize } from './folder-size.ts'
import type { BringOptions } from './npm-package.ts'
import { sizeOf } from './verify.ts'

/** Says which lock file a finished install was made from. */
const STAMP = '.installed'

/** `src/` and `dist/` lie equally deep. */
const OPTIONAL = fileURLToPath(new URL('../../../../optional/', import.meta.url))

export async function isPartInstalled(source: NpmPartSource, folder: string): Promise<boolean> {
  const stamp = await readFile(join(folder, STAMP), 'utf8').catch(() => undefined)
  if (stamp === undefined || stamp !== (await lockHash(source))) return false
  return (await sizeOf(join(folder, source.entry))) !== undefined
}

/** Installs beside the place and swaps, so that a broken install is never taken for a whole one. */
export async function installPart(
  source: NpmPartSource,
  options: BringOptions & { readonly clock: Clock },
): Promise<void> {
  const { folder, signal } = options
  const staging = `${folder}.${randomUUID()}.tmp`
  await mkdir(staging, { recursive: true })
  const watch = watchFolderSize(staging, options.clock, (bytes) =>
    options.onBytes('install', Math.min(bytes, source.installedBytes), source.installedBytes),
  )
  try {
    for (const name of ['package.json', 'package-lock.json']) {
      await cp(join(OPTIONAL, source.folder, name), join(staging, name))
    }
    const flags = ['ci', '--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund', '--loglevel=error']
    await runCommand([...npm(), ...flags, '--prefix', staging], { cwd: staging, signal })
    watch.stop()
    await writeFile(join(staging, STAMP), await lockHash(source))
    await rm(folder, { recursive: true, force: true })
    await rename(staging, folder)
  } finally {
    watch.stop()
    await rm(staging, { recursive: true, force: true })
  }
}

/** The npm that runs us if one does, else the one on the path. */
function npm(): [string, ...string[]] {
  const path = process.env['npm_execpath']
  return path?.endsWith('npm-cli.js') ? [process.execPath, path] : ['npm']
}

async function lockHash(source: NpmPartSource): Promise<string> {
  const lock = await readFile(join(OPTIONAL, source.folder, 'package-lock.json'))
  return createHash('sha256').update(lock).digest('hex')
}
