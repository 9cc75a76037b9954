/** Where embedded models live: `PARLEY_HOME`, else the folder this system keeps caches in. */
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { ModelName } from './catalogue.ts'

/** Absolute path of the cache folder; it need not exist yet. */
export function modelHome(
  env: Readonly<Record<string, string | undefined>> = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  if (env['PARLEY_HOME']) return resolve(env['PARLEY_HOME'])
  if (env['XDG_CACHE_HOME']) return join(resolve(env['XDG_CACHE_HOME']), 'parley')
  const home = homedir()
  if (platform === 'win32') {
    return join(env['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local'), 'parley')
  }
  return platform === 'darwin' ? join(home, 'Library', 'Caches', 'parley') : join(home, '.cache', 'parley')
}

/** The folder of one model or part. */
export function modelFolder(home: string, name: ModelName): string {
  return join(home, 'models', name)
}
