/** The scripts of a folder: every `NAME.script.yaml`, by name. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseScript, type ScriptError } from './load.ts'
import type { Script } from './script.ts'

export const SCRIPT_ENDING = '.script.yaml'
/** The folder that comes with Parley; its `default` stands in where a folder has none. */
export const OWN_SCRIPTS = fileURLToPath(new URL('../../../../pipelines/', import.meta.url))

export interface ScriptLibrary {
  readonly scripts: ReadonlyMap<string, Script>
  /** Files that could not be read or are wrong; the others stand. */
  readonly problems: readonly (ScriptError | Error)[]
}

/** A folder that does not exist holds no scripts. Never throws. */
export async function readScripts(folder: string): Promise<ScriptLibrary> {
  const scripts = new Map<string, Script>()
  const problems: Error[] = []
  for (const file of await filesIn(folder, problems)) {
    const path = join(folder, file)
    try {
      scripts.set(file.slice(0, -SCRIPT_ENDING.length), parseScript(await readFile(path, 'utf8'), path))
    } catch (error) {
      problems.push(error instanceof Error ? error : new Error(String(error)))
    }
  }
  return { scripts, problems }
}

async function filesIn(folder: string, problems: Error[]): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => name.endsWith(SCRIPT_ENDING)).sort()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') problems.push(error as Error)
    return []
  }
}
