/** The sources of a folder, parsed. Tests of the rules give small ones by hand. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSync } from 'oxc-parser'

export interface Source {
  /** Relative to `src/`, with slashes: `session/reduce.ts`. */
  readonly path: string
  readonly text: string
}

/** A node of the syntax tree, ESTree shaped. */
export interface Node {
  readonly type: string
  readonly start: number
  readonly [member: string]: unknown
}

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Every TypeScript file below `src/`, but no declarations of foreign modules. */
export function readSources(folder = join(ROOT, 'src')): Source[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !entry.name.endsWith('.d.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({ path: relative(folder, file).split(sep).join('/'), text: readFileSync(file, 'utf8') }))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** Calls `visit` with every node of the file. Throws when the file does not parse. */
export function walk(source: Source, visit: (node: Node, parents: readonly Node[]) => void): void {
  const { program, errors } = parseSync(source.path, source.text)
  if (errors.length > 0) throw new Error(`${source.path} does not parse: ${errors[0]?.message}`)
  descend(program, [], visit)
}

function descend(
  value: unknown,
  parents: readonly Node[],
  visit: (node: Node, parents: readonly Node[]) => void,
): void {
  if (Array.isArray(value)) {
    for (const one of value) descend(one, parents, visit)
  } else if (isNode(value)) {
    visit(value, parents)
    const chain = [...parents, value]
    for (const member of Object.values(value)) descend(member, chain, visit)
  }
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

/** `session/reduce.ts:12`, as a problem names its place. */
export function placeOf(source: Source, node: Node): string {
  return `${source.path}:${source.text.slice(0, node.start).split('\n').length}`
}
