/**
 * Where a package of the operator's lies, without loading it: as Node looks for it, from the folders given. Node's own resolver would
 * begin at this file, and for another folder knows only the entries of CommonJS.
 */
import { readFileSync, realpathSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isRecord } from '../dialect/openai-error.ts'

/** The conditions under which Node imports a module. */
const CONDITIONS = ['node', 'import', 'module-sync', 'default']

/** The address of the package's entry as a `file:` URL; undefined where no folder has the package. */
export function locate(name: string, folders: readonly string[]): string | undefined {
  for (const folder of folders) {
    for (const at of upwards(resolve(folder))) {
      const entry = entryIn(join(at, 'node_modules', ...name.split('/')))
      if (entry !== undefined) return entry
    }
  }
  return undefined
}

/** The folder itself, then those it lies in. */
function upwards(folder: string): string[] {
  const above = dirname(folder)
  return above === folder ? [folder] : [folder, ...upwards(above)]
}

function entryIn(home: string): string | undefined {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))
    const entry = isRecord(manifest) ? entryOf(manifest) : undefined
    return entry === undefined ? undefined : pathToFileURL(realpathSync(join(home, entry))).href
  } catch {
    return undefined
  }
}

function entryOf(manifest: Record<string, unknown>): string | undefined {
  const { exports, main } = manifest
  if (exports === undefined || exports === null) return typeof main === 'string' ? main : 'index.js'
  return chosen(isRecord(exports) && '.' in exports ? exports['.'] : exports)
}

function chosen(target: unknown): string | undefined {
  if (typeof target === 'string') return target
  if (Array.isArray(target)) return target.map(chosen).find((one) => one !== undefined)
  if (!isRecord(target)) return undefined
  return Object.entries(target)
    .filter(([condition]) => CONDITIONS.includes(condition))
    .map(([, inner]) => chosen(inner))
    .find((one) => one !== undefined)
}
