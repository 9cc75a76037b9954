/** The files that belong to the repository, and what none of them may hold. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './sources.ts'

const BINARY = /\.(wav|png|jpg|ico|onnx|gguf|woff2?|wasm|ulaw|alaw|pcm|raw)$/
/** Put together here, so that this file does not name what it looks for. */
const HOSTS = [
  ['registry', 'npm'],
  ['registry', 'yarn'],
  ['python', 'hosted'],
  ['deb', 'deb'],
  ['proxy', 'golang'],
  ['static', 'crates'],
  ['repo1', 'maven'],
].map(([a, b]) => `${a}\\.?${b}`)
const FOLDERS = ['root', 'work', 'Users']
const HOST = new RegExp(`(${HOSTS.join('|')}|//py${'pi'})`)
const MACHINE_PATH = new RegExp(`(^|[^A-Za-z0-9_.*~\\])}/-])/(${FOLDERS.join('|')}|home/[a-z]+)/`)

export interface Tracked {
  readonly path: string
  readonly text: string
}

/** Text files under version control, relative to the project. */
export function trackedFiles(): Tracked[] {
  const list = execFileSync('git', ['-c', 'safe.directory=*', 'ls-files', '-z'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  return list
    .split('\0')
    .filter((path) => path !== '' && !BINARY.test(path))
    .flatMap((path) => {
      try {
        return [{ path, text: readFileSync(join(ROOT, path), 'utf8') }]
      } catch {
        return [] // Deleted in the working tree and not yet committed.
      }
    })
}

/** Lines that name a package registry's host or a place on one machine, as `file:line`. */
export function hostsAndPathsOf({ path, text }: Tracked): string[] {
  return text.split('\n').flatMap((line, n) => {
    if (HOST.test(line)) return [`${path}:${n + 1} names a package registry's host`]
    if (MACHINE_PATH.test(line)) return [`${path}:${n + 1} names a path of one machine`]
    return []
  })
}
