/**
 * The routing context: what conditions read, made lazily from a turn's facts, so that a rule pays for what it reads. One
 * object serves all rules of a decision. Whole numbers are CEL ints, shares are doubles, JSON numbers of `metadata`
 * are doubles, as everywhere in CEL. What is not known is missing, not null: `has(session.user)` asks.
 */
import { timestamp } from './cel.ts'
import { complexity, countWords } from './complexity.ts'
import { SEEN_CHARS, SEEN_ENTRIES, SEEN_LEVELS, SEEN_VALUES } from './limits.ts'
import { Members } from './members.ts'

export interface TurnFacts {
  readonly text: string
  readonly language: string | null
  /** 0–1; null where the recogniser does not say, and over HTTP. */
  readonly confidence: number | null
}

export interface RequestFacts {
  readonly model: string
  readonly messages: readonly { readonly role: string; readonly text: string }[]
  /** Names of the tools offered. */
  readonly tools: readonly string[]
  readonly stream: boolean
  readonly maxTokens: number | null
}

export interface TargetHealth {
  readonly p50Ms: number
  readonly p95Ms: number
  readonly errorRate: number
  readonly open: boolean
}

export interface RoutingFacts {
  readonly key: { readonly id: string; readonly attributes: Readonly<Record<string, string>> } | null
  /** What the client sent. */
  readonly metadata: Readonly<Record<string, unknown>>
  /** What a backend put into the client secret. */
  readonly minted: Readonly<Record<string, unknown>>
  readonly session: {
    readonly id: string
    readonly wire: string
    readonly language: string | null
    readonly turns: number
    readonly durationMs: number
    readonly user: string | null
    /** Keys of a telephone; null or left out: none was pressed. */
    readonly digits?: string | null
  }
  /** Null for the STT stage. Functions are called at most once, and only when a rule asks. */
  readonly turn: (() => TurnFacts) | null
  readonly request: (() => RequestFacts) | null
  /** Tokens of the whole prompt. */
  readonly inputTokens: () => number
  readonly budget: { readonly remainingMs: number; readonly turnMs: number }
  /** Undefined for a target nobody has heard of. */
  readonly health: (target: string) => TargetHealth | undefined
  readonly wallMs: number
}

/** Any name may be asked for; it cannot be listed. */
class Health extends Map<string, unknown> {
  constructor(readonly of: RoutingFacts['health']) {
    super()
  }

  override get(target: string): unknown {
    if (super.has(target)) return super.get(target)
    const found = this.of(target)
    if (!found) return undefined
    const { p50Ms, p95Ms, errorRate, open } = found
    const values = { p50Ms: int(p50Ms), p95Ms: int(p95Ms), errorRate, open }
    const value = new Members(Object.keys(values), (name) => own<unknown>(values, name))
    super.set(target, value)
    return value
  }
}

/** What the getters of a context have made so far. */
interface Made {
  turn?: TurnFacts
  request?: RequestFacts
  readonly values: Map<string, unknown>
}

/** Bound to the engine by `condition.ts`. Its properties are the names of `CONTEXT`, and `turn.text` and the like. */
export class RoutingContext {
  readonly facts: RoutingFacts
  readonly made: Made = { values: new Map() }

  constructor(facts: RoutingFacts) {
    this.facts = facts
  }

  get key(): unknown {
    return once(this, 'key', ({ facts }) => {
      const names = facts.key ? ['id', ...Object.keys(facts.key.attributes).slice(0, SEEN_ENTRIES)] : []
      return new Members(new Set(names), (name) => ofKey(facts, name))
    })
  }

  get metadata(): unknown {
    return once(this, 'metadata', ({ facts }) => {
      const trusted = Object.keys({ ...facts.minted, ...facts.key?.attributes })
      const names = new Set([...trusted, ...Object.keys(facts.metadata)].slice(0, SEEN_ENTRIES))
      return new Members(names, (name) => ofMetadata(facts, name))
    })
  }

  get health(): unknown {
    return once(this, 'health', ({ facts }) => new Health(facts.health))
  }

  get now(): unknown {
    return once(this, 'now', ({ facts }) => timestamp(facts.wallMs))
  }
}

/** How each member is read from the facts; undefined and null: not known. */
const READERS = {
  session: {
    id: ({ facts }) => facts.session.id,
    wire: ({ facts }) => facts.session.wire,
    language: ({ facts }) => cut(facts.session.language),
    turns: ({ facts }) => int(facts.session.turns),
    durationMs: ({ facts }) => int(facts.session.durationMs),
    user: ({ facts }) => cut(facts.session.user),
    digits: ({ facts }) => cut(facts.session.digits),
  },
  turn: {
    text: (context) => cut(turnOf(context)?.text),
    words: (context) => once(context, 'turn.words', () => int(countWords(cut(turnOf(context)?.text) ?? ''))),
    language: (context) => cut(turnOf(context)?.language),
    confidence: (context) => turnOf(context)?.confidence,
    complexity: (context) => once(context, 'turn.complexity', () => complexity(turnOf(context)?.text ?? '')),
    inputTokens: (context) => once(context, 'turn.inputTokens', ({ facts }) => int(facts.inputTokens())),
  },
  request: {
    model: (context) => cut(requestOf(context)?.model),
    messages: (context) =>
      once(context, 'request.messages', () =>
        requestOf(context)?.messages.slice(-SEEN_ENTRIES).map(messageOf),
      ),
    tools: (context) => requestOf(context)?.tools.slice(0, SEEN_ENTRIES),
    stream: (context) => requestOf(context)?.stream,
    maxTokens: (context) => int(requestOf(context)?.maxTokens),
  },
  budget: {
    remainingMs: ({ facts }) => int(facts.budget.remainingMs),
    turnMs: ({ facts }) => int(facts.budget.turnMs),
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, (context: RoutingContext) => unknown>>>>

/**
 * The engine looks for a variable `turn.text` before it looks for `text` in `turn`, and searches its registry of message
 * types in between. Given the variable it finds it at once, and no map of the turn is made at all.
 */
for (const [root, readers] of Object.entries(READERS)) {
  const read: Readonly<Record<string, (context: RoutingContext) => unknown>> = readers
  for (const [name, reader] of Object.entries(read)) {
    shortcut(`${root}.${name}`, (context) => reader(context) ?? undefined)
  }
  shortcut(root, (context) => {
    if (root === 'turn' && !context.facts.turn) return undefined
    if (root === 'request' && !context.facts.request) return undefined
    return once(context, root, () => new Members(Object.keys(read), (name) => own(read, name)?.(context)))
  })
}

/** The same for names that only a condition knows: `metadata.tier`. Beyond so many the long way is taken. */
const MAX_SHORTCUTS = 1000
let shortcuts = 0

export function expectName(root: 'key' | 'metadata', name: string): void {
  if (shortcuts >= MAX_SHORTCUTS || Object.hasOwn(RoutingContext.prototype, `${root}.${name}`)) return
  shortcuts++
  const of = root === 'key' ? ofKey : ofMetadata
  shortcut(`${root}.${name}`, ({ facts }) => of(facts, name) ?? undefined)
}

function shortcut(name: string, get: (context: RoutingContext) => unknown): void {
  Object.defineProperty(RoutingContext.prototype, name, {
    get(this: RoutingContext) {
      return get(this)
    },
  })
}

function once(context: RoutingContext, name: string, make: (context: RoutingContext) => unknown): unknown {
  const { values } = context.made
  const known = values.get(name)
  if (known !== undefined) return known
  const value = make(context)
  if (value !== undefined) values.set(name, value)
  return value
}

function turnOf({ facts, made }: RoutingContext): TurnFacts | undefined {
  made.turn ??= facts.turn?.() as TurnFacts
  return made.turn
}

function requestOf({ facts, made }: RoutingContext): RequestFacts | undefined {
  made.request ??= facts.request?.() as RequestFacts
  return made.request
}

function messageOf({ role, text }: RequestFacts['messages'][number]): Members {
  const values: Readonly<Record<string, string>> = { role, content: text.slice(0, SEEN_CHARS) }
  return new Members(Object.keys(values), (name) => own(values, name))
}

function ofKey({ key }: RoutingFacts, name: string): unknown {
  if (!key) return undefined
  return name === 'id' ? key.id : seen(own(key.attributes, name), 1)
}

/** Who is trusted more stands above: the key's own attributes, what its backend minted, what the client says. */
function ofMetadata({ key, minted, metadata }: RoutingFacts, name: string): unknown {
  const attributes = key?.attributes
  if (attributes && Object.hasOwn(attributes, name)) return seen(attributes[name], 1)
  return seen(Object.hasOwn(minted, name) ? minted[name] : own(metadata, name), SEEN_LEVELS)
}

function own<T>(values: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined
}

function int(value: number | null | undefined): bigint | undefined {
  return value === null || value === undefined || !Number.isFinite(value)
    ? undefined
    : BigInt(Math.round(value))
}

function cut(text: string | null | undefined): string | undefined {
  return text?.slice(0, SEEN_CHARS)
}

/** JSON as the engine takes it, cut to what rules may see. Maps, never objects: `metadata.constructor` is a name like any other. */
function seen(value: unknown, levels: number, left = { values: SEEN_VALUES }): unknown {
  switch (typeof value) {
    case 'string':
      return cut(value)
    case 'number':
    case 'boolean':
      return value
    case 'object':
      break
    default:
      return undefined
  }
  if (value === null || levels === 0) return undefined
  if (Array.isArray(value)) {
    const items: unknown[] = []
    for (const item of value) {
      if (items.length >= SEEN_ENTRIES || left.values-- <= 0) break
      items.push(seen(item, levels - 1, left) ?? null)
    }
    return items
  }
  const inner = value as Readonly<Record<string, unknown>>
  return new Members(Object.keys(inner).slice(0, SEEN_ENTRIES), (name) => seen(own(inner, name), levels - 1))
}
