/**
 * The scripts of a folder: every `NAME.script.yaml`, by name. Read again whenever a script is asked for after
 * its file changed; a file that became wrong is told and the script before it goes on.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseScript } from './load.ts'
import type { Script } from './script.ts'

export const SCRIPT_ENDING = '.script.yaml'
/** The folder that comes with Parley; its `default` stands in where a folder has none. */
export const OWN_SCRIPTS = fileURLToPath(new URL('../../../../pipelines/', import.meta.url))

/** A name is part of a path, and comes from pipelines. */
const NAME = /^[\w-]{1,100}$/

interface Known {
  readonly stamp: string
  readonly script: Script | undefined
}

export class ScriptLibrary {
  readonly #folder: string
  readonly #note: (message: string) => void
  readonly #known = new Map<string, Known>()

  /** `note` gets each mistake as `file:line:column: what`. A folder that does not exist holds no scripts. */
  constructor(folder: string, note: (message: string) => void) {
    this.#folder = folder
    this.#note = note
  }

  /** Undefined when there is none, or it is wrong and was never right. */
  get(name: string): Script | undefined {
    if (!NAME.test(name)) return undefined
    const path = join(this.#folder, `${name}${SCRIPT_ENDING}`)
    const stamp = stampOf(path)
    const known = this.#known.get(name)
    if (stamp === undefined || known?.stamp === stamp) return stamp === undefined ? undefined : known?.script
    const script = this.#read(path) ?? known?.script
    this.#known.set(name, { stamp, script })
    return script
  }

  names(): string[] {
    try {
      const files = readdirSync(this.#folder).filter((file) => file.endsWith(SCRIPT_ENDING))
      return files.map((file) => file.slice(0, -SCRIPT_ENDING.length)).sort()
    } catch {
      return []
    }
  }

  #read(path: string): Script | undefined {
    try {
      return parseScript(readFileSync(path, 'utf8'), path)
    } catch (error) {
      this.#note(error instanceof Error ? error.message : String(error))
      return undefined
    }
  }
}

function stampOf(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats?.isFile() ? `${stats.mtimeMs} ${stats.size} ${stats.ino}` : undefined
}
