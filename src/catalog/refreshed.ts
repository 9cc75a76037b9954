/**
 * The refreshed catalogue: models.dev's list as somebody fetched it with `parley catalog refresh`, kept in a file beside the embedded
 * models and laid over the built-in one. Nothing here goes out by itself.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { type CatalogFile, catalogFile } from './fields.ts'

type Env = Readonly<Record<string, string | undefined>>

/** Ten times what models.dev serves in 2026. */
export const MAX_REFRESH_BYTES = 32 * 1024 * 1024

/** `catalog.json` in `PARLEY_HOME`, else in the folder this system keeps caches in; it need not exist. */
export function refreshedFile(env: Env = process.env, platform: NodeJS.Platform = process.platform): string {
  if (env['PARLEY_HOME']) return join(resolve(env['PARLEY_HOME']), 'catalog.json')
  if (env['XDG_CACHE_HOME']) return join(resolve(env['XDG_CACHE_HOME']), 'parley', 'catalog.json')
  const home = env['HOME'] ?? homedir()
  const local = env['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local')
  const caches = platform === 'darwin' ? join(home, 'Library', 'Caches') : join(home, '.cache')
  return join(platform === 'win32' ? local : caches, 'parley', 'catalog.json')
}

/** Null: there is none, or none that can be used; the latter is told to `complain`. */
export function loadRefreshed(path: string, complain: (message: string) => void): CatalogFile | null {
  try {
    if (statSync(path).size > MAX_REFRESH_BYTES) throw new Error('too large')
    return catalogFile.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    complain(
      'the refreshed catalogue cannot be read and is left out: fetch it anew with parley catalog refresh',
    )
    return null
  }
}

/** Whole or not at all: a reader never sees half a file. Throws the system's error. */
export function keepRefreshed(path: string, file: CatalogFile): void {
  mkdirSync(dirname(path), { recursive: true })
  const part = `${path}.${process.pid}.part`
  try {
    writeFileSync(part, `${JSON.stringify(file)}\n`)
    renameSync(part, path)
  } catch (error) {
    rmSync(part, { force: true })
    throw error
  }
}
