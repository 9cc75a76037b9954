/** One YAML file: its plain value, and the line and column of any path inside it. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from 'yaml'
import { MAX_FILE_BYTES } from './defaults.ts'
import type { Position, Problem } from './problem.ts'

export type Path = readonly PropertyKey[]

/** What `${NAME}` means in a file: filled from the environment, or plain text. */
export type References = { readonly from: Readonly<Record<string, string | undefined>> } | 'plain'

export interface YamlSource {
  readonly file: string
  /** Undefined when the file could not be read as YAML; then `problems` says why. */
  readonly value: unknown
  readonly problems: readonly Problem[]
  /** Of the value at `path`, or of the nearest parent that is written down. */
  at(path: Path): Position
  /** Of the key `name` in the map at `path`: what an unknown member is pointed at by. */
  atKey(path: Path, name: string): Position
  /** Of the `offset`th character of the text at `path`; of its beginning where the text is folded or escaped. */
  atText(path: Path, offset: number): Position
  problem(path: Path, message: string, severity?: Problem['severity']): Problem
}

/** Never throws: what cannot be read becomes `problems`. Messages quote no part of the file. */
export function readYaml(text: string, file: string, references: References): YamlSource {
  const start: Position = { file, line: 1, column: 1 }
  const unreadable = (message: string): YamlSource => ({
    file,
    value: undefined,
    problems: [{ ...start, severity: 'error', message }],
    at: () => start,
    atKey: () => start,
    atText: () => start,
    problem: (_path, text, severity = 'error') => ({ ...start, severity, message: text }),
  })
  if (Buffer.byteLength(text) > MAX_FILE_BYTES) {
    return unreadable(`the file is larger than ${MAX_FILE_BYTES} bytes`)
  }
  try {
    return parsed(text, file, references)
  } catch (error) {
    // Thousands of nested brackets exhaust the parser's stack, thousands of aliases its own limit.
    const why = error instanceof RangeError ? 'nested too deeply' : 'not readable as YAML'
    return unreadable(error instanceof ReferenceError ? `too many aliases (*name)` : why)
  }
}

function parsed(text: string, file: string, references: References): YamlSource {
  const lines = new LineCounter()
  const doc = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' })
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset)
    return { file, line: Math.max(1, line), column: Math.max(1, col) }
  }
  const problems: Problem[] = doc.errors.map((error) => {
    const at = position(error.pos[0])
    const unquoted = /[^"'\w]\$\{/.test(text.split('\n')[at.line - 1] ?? '')
    const hint = unquoted ? ' (between braces a reference to the environment needs quotes around it)' : ''
    return { ...at, severity: 'error', message: `YAML: ${firstLine(error.message)}${hint}` }
  })
  for (const warning of doc.warnings) {
    const message = `YAML: ${firstLine(warning.message)}`
    problems.push({ ...position(warning.pos[0]), severity: 'error', message })
  }
  visit(doc, {
    Scalar(key, node) {
      if (key === 'key' || typeof node.value !== 'string' || !node.value.includes('${')) return
      const at = position(node.range?.[0] ?? 0)
      if (references === 'plain') {
        const message =
          'environment variables are filled in only in the settings: this stays as it is written'
        const meant = /(^|[^$])\$\{[A-Z_][A-Z0-9_]*\}/.test(node.value)
        if (meant) problems.push({ ...at, severity: 'warning', message })
        return
      }
      node.value = fill(node.value, references.from, (message) =>
        problems.push({ ...at, severity: 'error', message }),
      )
    },
  })
  const broken = problems.some((problem) => problem.severity === 'error')
  const value: unknown = broken ? undefined : doc.toJS({ maxAliasCount: 100 })

  const offsetOf = (node: unknown): number | undefined => {
    const range = (node as Node | null | undefined)?.range
    return range ? range[0] : undefined
  }
  const walk = (path: Path): { node: unknown; offset: number } => {
    let node: unknown = doc.contents
    let offset = offsetOf(node) ?? 0
    for (const step of path) {
      if (isAlias(node)) node = node.resolve(doc)
      let next: unknown
      if (isMap(node)) {
        const pair = node.items.find((item) => keyName(item.key) === String(step))
        if (!pair) break
        next = pair.value
        offset = offsetOf(pair.value) ?? offsetOf(pair.key) ?? offset
      } else if (isSeq(node)) {
        next = node.items[Number(step)]
        if (next === undefined) break
        offset = offsetOf(next) ?? offset
      } else break
      node = next
    }
    if (isAlias(node)) node = node.resolve(doc)
    return { node, offset }
  }
  const at = (path: Path) => position(walk(path).offset)
  return {
    file,
    value,
    problems,
    at,
    atKey(path, name) {
      const { node, offset } = walk(path)
      const pair = isMap(node) ? node.items.find((item) => keyName(item.key) === name) : undefined
      return position(offsetOf(pair?.key) ?? offset)
    },
    atText(path, textOffset) {
      const { node, offset } = walk(path)
      if (!isScalar(node) || typeof node.value !== 'string') return position(offset)
      const quoted = node.type === 'QUOTE_SINGLE' || node.type === 'QUOTE_DOUBLE' ? 1 : 0
      const begin = offset + quoted
      const asWritten = text.startsWith(node.value, begin)
      return position(asWritten ? begin + Math.min(textOffset, node.value.length) : offset)
    },
    problem: (path, message, severity = 'error') => ({ ...at(path), severity, message }),
  }
}

/**
 * `${NAME}` becomes the variable's value as text, never as YAML; `$${` is a literal `${`.
 * An empty variable counts as missing: an empty key is never what was meant.
 */
function fill(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
  missing: (message: string) => void,
): string {
  return text.replace(/\$\$\{|\$\{([^}]*)\}/g, (whole, name: string | undefined) => {
    if (name === undefined) return '${'
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      missing('a reference wants the name of an environment variable: letters, digits, underscores')
      return whole
    }
    const value = Object.hasOwn(env, name) ? env[name] : undefined
    if (!value) missing(`the environment variable ${name} is not set, or empty`)
    return value ?? ''
  })
}

function keyName(key: unknown): string | undefined {
  return isScalar(key) ? String(key.value) : undefined
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? message
}
