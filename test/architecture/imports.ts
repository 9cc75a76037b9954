/** Who imports whom, out of the syntax trees. */
import { posix } from 'node:path'
import { isNode, type Node, placeOf, type Source, walk } from './sources.ts'

export interface Import {
  /** The importing file. */
  readonly from: string
  /** `session/reduce.ts:12` */
  readonly place: string
  /** A file relative to `src/`, or a package or `node:` module as written. */
  readonly to: string
  readonly kind: 'file' | 'package' | 'node'
  /** Gone when the program runs. */
  readonly typeOnly: boolean
}

export function importsOf(source: Source): Import[] {
  const imports: Import[] = []
  walk(source, (node) => {
    const request = requestOf(node)
    if (request === undefined) return
    const kind = request.startsWith('.') ? 'file' : request.startsWith('node:') ? 'node' : 'package'
    const to = kind === 'file' ? posix.join(posix.dirname(source.path), request) : request
    imports.push({ from: source.path, place: placeOf(source, node), to, kind, typeOnly: isTypeOnly(node) })
  })
  return imports
}

function requestOf(node: Node): string | undefined {
  const from =
    node.type === 'ImportDeclaration' ||
    node.type === 'ExportAllDeclaration' ||
    node.type === 'ImportExpression'
      ? node['source']
      : node.type === 'ExportNamedDeclaration' || node.type === 'TSImportType'
        ? (node['source'] ?? node['argument'])
        : undefined
  return isNode(from) && typeof from['value'] === 'string' ? from['value'] : undefined
}

function isTypeOnly(node: Node): boolean {
  if (node.type === 'TSImportType' || node['importKind'] === 'type' || node['exportKind'] === 'type')
    return true
  const specifiers = node['specifiers']
  if (!Array.isArray(specifiers) || specifiers.length === 0) return false
  return specifiers.every((one: Node) => one['importKind'] === 'type' || one['exportKind'] === 'type')
}

/** Closed walks `a → b → a` among the edges, each told once, shortest found first. */
export function cyclesOf(edges: readonly { readonly from: string; readonly to: string }[]): string[] {
  const next = new Map<string, Set<string>>()
  for (const { from, to } of edges) {
    if (!next.has(from)) next.set(from, new Set())
    next.get(from)?.add(to)
  }
  const told = new Map<string, string>()
  for (const start of next.keys()) {
    const path = shortestBack(start, next)
    if (!path) continue
    const members = [...path].sort().join()
    if (!told.has(members)) told.set(members, [...path, start].join(' → '))
  }
  return [...told.values()]
}

/** The shortest way from `start` back to itself, without the last step. */
function shortestBack(start: string, next: ReadonlyMap<string, ReadonlySet<string>>): string[] | undefined {
  const queue: string[][] = [[start]]
  const seen = new Set<string>()
  for (let path = queue.shift(); path; path = queue.shift()) {
    for (const to of next.get(path.at(-1) ?? '') ?? []) {
      if (to === start) return path
      if (seen.has(to)) continue
      seen.add(to)
      queue.push([...path, to])
    }
  }
  return undefined
}
