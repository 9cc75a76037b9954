/**
 * Why a condition could not be computed, told without a word of the context: the engine's own messages may quote the
 * caller's data ("field not found: …"), so only their kind is taken, and the place from the condition's own text.
 */
import type { Outcome } from './cel.ts'
import { childrenOf, type Node, say, written } from './syntax.ts'

/** `missing`: something is not there. `type`: it is, and of another kind. `value`: right kind, impossible value. */
export type FailureKind = 'missing' | 'type' | 'value'

export interface Failure {
  readonly kind: FailureKind
  /** Safe to log. */
  readonly reason: string
  /** Into the condition's text; null where the engine did not say. */
  readonly offset: number | null
}

const MAX_REASON = 200
/** Names of types and operators; nothing else of the message is let through. */
const NO_OVERLOAD =
  /^found no matching overload for '?([\w@&|?:[\]!<>=+\-*/%.]+)'? applied to '?(?:[\w.]*\.)?\(([a-z_, .A-Z]*)\)'?$/
const TYPES = new Set([
  'int',
  'uint',
  'double',
  'bool',
  'string',
  'bytes',
  'list',
  'map',
  'null_type',
  'type',
])

export function failureOf(root: Node, outcome: Extract<Outcome, { ok: false }>): Failure {
  const node = outcome.node === null ? undefined : find(root, outcome.node)
  const where = node ? say(node) : 'the condition'
  const { message } = outcome
  const made = (kind: FailureKind, reason: string): Failure => ({
    kind,
    reason: reason.length > MAX_REASON ? `${reason.slice(0, MAX_REASON - 1)}…` : reason,
    offset: node?.offset ?? null,
  })
  if (/^field not found|out of bounds/.test(message)) {
    // An index is told at what it indexes; a member at itself.
    return made(
      'missing',
      node?.kind === 'member' ? `${where} is missing` : `an entry of ${where} is missing`,
    )
  }
  if (/^unresolved attribute/.test(message)) return made('missing', `${where} is missing`)
  const overload = NO_OVERLOAD.exec(message)
  if (overload) {
    const types = (overload[2] ?? '').split(', ').map(typeName).join(', ')
    const name = node?.kind === 'call' ? written(node.name) : '? :'
    return made('type', `${name} cannot be applied to ${types === '' ? 'nothing' : types}`)
  }
  if (/^type mismatch: expected bool/.test(message))
    return made('type', `${where}: a part is not true or false`)
  if (/^type mismatch: iterable/.test(message)) return made('type', `${where}: no list or map to go through`)
  if (/^unsupported key type/.test(message)) return made('type', `${where}: such a value cannot be a key`)
  if (/divide by zero|modulus by zero/.test(message)) return made('value', 'divided by zero')
  if (/overflow/.test(message)) return made('value', 'the number is too large')
  return made('value', `${where} cannot be computed from its value`)
}

export function notTrueOrFalse(root: Node, type: string): Failure {
  return { kind: 'type', reason: `gives ${article(typeName(type))}, not true or false`, offset: root.offset }
}

/** The type of a value of the engine's, for words. */
export function typeOf(value: unknown): string {
  if (value === null) return 'null_type'
  switch (typeof value) {
    case 'bigint':
      return 'int'
    case 'number':
      return 'double'
    case 'boolean':
      return 'bool'
    case 'string':
      return 'string'
    default:
      return typeof value === 'object' && 'size' in value ? ('keys' in value ? 'map' : 'list') : 'other'
  }
}

export function typeName(type: string): string {
  const name = type.trim()
  if (name === 'google.protobuf.Timestamp') return 'timestamp'
  if (name === 'google.protobuf.Duration') return 'duration'
  if (name === 'null_type') return 'null'
  return TYPES.has(name) ? name : 'value'
}

function article(type: string): string {
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`
}

function find(node: Node, id: number): Node | undefined {
  if (node.id === id) return node
  for (const child of childrenOf(node)) {
    const found = find(child, id)
    if (found) return found
  }
  return undefined
}
