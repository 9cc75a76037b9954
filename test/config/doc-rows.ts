/** Compares a page's tables (`| member | default | what |`) with a schema. */
import { readFileSync } from 'node:fs'

interface Node {
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, Node>>
  readonly anyOf?: readonly Node[]
}

/** `member = default` for every member of the schema that the page has no such row for. */
export function missingRows(page: string, schema: unknown): string[] {
  const rows = new Map<string, string>()
  for (const line of readFileSync(page, 'utf8').split('\n')) {
    const row = /^\| `([\w.]+)` \| (.*?) \|/.exec(line)
    if (row) rows.set(row[1]!, row[2]!.replaceAll('`', ''))
  }
  return membersOf(schema as Node, '').flatMap(({ member, fallback }) => {
    const row = rows.get(member)
    if (row === undefined) return [`${member}: no row`]
    return fallback === undefined || row === fallback ? [] : [`${member}: ${fallback}, the page says ${row}`]
  })
}

/** Stages have no plain default: their rows are told in words. */
function membersOf(node: Node, above: string): { member: string; fallback: string | undefined }[] {
  const shapes = [node, ...(node.anyOf ?? [])]
  return shapes.flatMap((shape) =>
    Object.entries(shape.properties ?? {}).flatMap(([key, inner]) => {
      if (key === '$schema' || key === 'routes') return []
      const member = above === '' ? key : `${above}.${key}`
      const deeper = membersOf(inner, member)
      if (deeper.length > 0) return deeper
      const plain = inner.default !== undefined && !['stt', 'llm', 'tts'].includes(member)
      return [{ member, fallback: plain ? JSON.stringify(inner.default) : undefined }]
    }),
  )
}
