/** What an assignment sticks to: a path such as `session.user` or `metadata.account`, read from the facts. Pure. */
import type { RoutingFacts } from './context.ts'

export interface Stuck {
  readonly key: string
  /** The path that gave it: the one asked for, or `session.id` where that was not there. */
  readonly by: string
}

/** With nothing asked for: the user when there is one. Never without a key: the session has an id. */
export function stickyKey(path: string | null, facts: RoutingFacts): Stuck {
  for (const by of path === null ? ['session.user'] : [path]) {
    const key = textOf(read(by, facts))
    if (key !== undefined) return { key, by }
  }
  return { key: facts.session.id, by: 'session.id' }
}

function read(path: string, { key, metadata, minted, session }: RoutingFacts): unknown {
  const [root, ...names] = path.split('.')
  switch (root) {
    case 'session':
      return names[0] === 'user' ? session.user : names[0] === 'id' ? session.id : undefined
    case 'key':
      return names[0] === 'id' ? key?.id : member(key?.attributes, names)
    case 'metadata':
      return member(key?.attributes, names) ?? member(minted, names) ?? member(metadata, names)
    default:
      return undefined
  }
}

function member(value: unknown, names: readonly string[]): unknown {
  let at = value
  for (const name of names) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined
    at = (at as Record<string, unknown>)[name]
  }
  return at
}

/** `5` and `"5"` are one customer. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string' && value !== '') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return undefined
}
