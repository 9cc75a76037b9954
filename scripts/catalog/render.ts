/** The catalogue's file: sorted, a line a model. */
import type { CatalogFile, ModelFields } from '../../src/catalog/fields.ts'

export function render({ providers, ...head }: CatalogFile): string {
  const lines = Object.entries(head).map(
    ([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)},`,
  )
  const blocks = sorted(providers).map(([name, models]) => {
    const rows = sorted<ModelFields>(models).map(
      ([id, fields]) => `${JSON.stringify(id)}:${JSON.stringify(fields)}`,
    )
    return `${JSON.stringify(name)}: {\n${rows.join(',\n')}\n}`
  })
  return `{\n${lines.join('\n')}\n"providers": {\n${blocks.join(',\n')}\n}\n}\n`
}

function sorted<T>(record: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1))
}
