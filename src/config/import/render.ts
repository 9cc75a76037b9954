/** What was imported as a pipeline file: what was lost and the settings it needs as comments on top, then the YAML. */
import { stringify } from 'yaml'
import type { YamlSource } from '../yaml-source.ts'
import type { Imported, NotCarried } from './shapes.ts'

/** `router.json:12: routes[0].route.fancy: has no counterpart`, without control characters that a hostile key may hold. */
export function noteLine(note: NotCarried, source: Pick<YamlSource, 'file' | 'at'>): string {
  const { line } = source.at(note.path)
  const path = note.path
    .map((step, i) =>
      typeof step === 'number' ? `[${step}]` : `${i > 0 ? '.' : ''}${String(step).slice(0, 64)}`,
    )
    .join('')
  return clean(`${source.file}:${line}: ${path === '' ? '' : `${path}: `}${note.why}`)
}

export function render(imported: Imported, from: string, notes: readonly string[]): string {
  const comments = [`Imported from ${from}.`]
  if (notes.length > 0) comments.push('', 'Not carried over:', ...notes.map((note) => `  ${note}`))
  if (Object.keys(imported.providers).length > 0) {
    comments.push(
      '',
      'For parley.yaml:',
      '',
      ...stringify({ providers: imported.providers }, { lineWidth: 0 }).trimEnd().split('\n'),
    )
  }
  const head = comments.map((line) => `# ${clean(line)}`.trimEnd()).join('\n')
  return `${head}\n\n${stringify(imported.pipeline, { lineWidth: 0, aliasDuplicateObjects: false })}`
}

function clean(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, ' ').slice(0, 1000)
}
