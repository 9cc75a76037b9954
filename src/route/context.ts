/**
 * The routing context: what conditions read, made lazily from a turn's facts, so that a rule pays for what it reads. One
 * object serves all rules of a decision. Whole numbers are CEL ints, shares are doubles, JSON numbers of `metadata`
 * are doubles, as everywhere in CEL. What is not known is missing, not null: `has(session.user)` asks.
 */
import { timestamp } from './cel.ts'
import { complexity, countWords } from './complexity.ts'
import { SEEN_CHARS, SEEN_ENTRIES, SEEN_LEVELS } from './limits.ts'
import { CONTEXT } from './shape.ts'

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

/** A map whose values are made when they are asked for. */
class Members extends Map<string, unknown> {
  readonly #makers: Map<string, () => unknown>

  constructor(makers: Map<string, () => unknown>) {
    super()
    this.#makers = makers
  }

  override get(name: string): unknown {
    if (super.has(name)) return super.get(name)
    const value = this.#makers.get(name)?.()
    if (value === undefined || value === null) return undefined
    super.set(name, value)
    return value
  }

  override has(name: string): boolean {
    return this.get(name) !== undefined
  }

  override get size(): number {
    return [...this.keys()].length
  }

  override *keys(): MapIterator<string> {
    for (const name of this.#makers.keys()) if (this.get(name) !== undefined) yield name
  }

  override *entries(): MapIterator<[string, unknown]> {
    for (const name of this.keys()) yield [name, this.get(name)]
  }

  override *values(): MapIterator<unknown> {
    for (const name of this.keys()) yield this.get(name)
  }

  override [Symbol.iterator](): MapIterator<[string, unknown]> {
    return this.entries()
  }

  override forEach(visit: (value: unknown, key: string, map: Map<string, unknown>) => void): void {
    for (const [name, value] of this.entries()) visit(value, name, this)
  }
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
    const value = members({
      p50Ms: () => int(p50Ms),
      p95Ms: () => int(p95Ms),
      errorRate: () => errorRate,
      open: () => open,
    })
    super.set(target, value)
    return value
  }
}

/** Bound to the engine by `condition.ts`. Its getters are the names of `CONTEXT`. */
export class RoutingContext {
  readonly facts: RoutingFacts
  readonly #made = new Map<string, unknown>()

  constructor(facts: RoutingFacts) {
    this.facts = facts
  }

  get key(): unknown {
    return this.#once('key', ({ key }) => {
      if (!key) return members({})
      return members({ ...thunks(key.attributes), id: () => key.id })
    })
  }

  /** Who is trusted more stands above: the key's own attributes, what its backend minted, what the client says. */
  get metadata(): unknown {
    return this.#once('metadata', ({ key, minted, metadata }) => {
      const trusted = Object.entries({ ...minted, ...key?.attributes })
      const makers = new Map<string, () => unknown>()
      for (const [name, value] of [...trusted, ...Object.entries(metadata)]) {
        if (makers.size >= SEEN_ENTRIES) break
        if (!makers.has(name)) makers.set(name, () => seen(value, SEEN_LEVELS))
      }
      return new Members(makers)
    })
  }

  get session(): unknown {
    return this.#once('session', ({ session }) =>
      members({
        id: () => session.id,
        wire: () => session.wire,
        language: () => session.language,
        turns: () => int(session.turns),
        durationMs: () => int(session.durationMs),
        user: () => session.user,
      }),
    )
  }

  get turn(): unknown {
    return this.#once('turn', ({ turn, inputTokens }) => {
      if (!turn) return undefined
      const { text, language, confidence } = turn()
      return members({
        text: () => text.slice(0, SEEN_CHARS),
        words: () => int(countWords(text.slice(0, SEEN_CHARS))),
        language: () => language,
        confidence: () => confidence,
        complexity: () => complexity(text),
        inputTokens: () => int(inputTokens()),
      })
    })
  }

  get request(): unknown {
    return this.#once('request', ({ request }) => {
      if (!request) return undefined
      const { model, messages, tools, stream, maxTokens } = request()
      return members({
        model: () => model,
        messages: () =>
          messages
            .slice(-SEEN_ENTRIES)
            .map(({ role, text }) => members({ role: () => role, content: () => text.slice(0, SEEN_CHARS) })),
        tools: () => tools.slice(0, SEEN_ENTRIES),
        stream: () => stream,
        maxTokens: () => (maxTokens === null ? null : int(maxTokens)),
      })
    })
  }

  get budget(): unknown {
    return this.#once('budget', ({ budget }) =>
      members({ remainingMs: () => int(budget.remainingMs), turnMs: () => int(budget.turnMs) }),
    )
  }

  get health(): unknown {
    return this.#once('health', ({ health }) => new Health(health))
  }

  get now(): unknown {
    return this.#once('now', ({ wallMs }) => timestamp(wallMs))
  }

  #once(name: string, make: (facts: RoutingFacts) => unknown): unknown {
    if (this.#made.has(name)) return this.#made.get(name)
    const value = make(this.facts)
    this.#made.set(name, value)
    return value
  }
}

/**
 * The engine looks for a variable `turn.text` before it looks for `text` in `turn`, and searches its registry of message
 * types in between. Giving it the variable halves the cost of a rule.
 */
for (const [name, shape] of Object.entries(CONTEXT)) {
  if (shape.type !== 'members') continue
  for (const member of Object.keys(shape.members)) {
    Object.defineProperty(RoutingContext.prototype, `${name}.${member}`, {
      get(this: RoutingContext) {
        const map = this[name as keyof RoutingContext]
        return map instanceof Map ? map.get(member) : undefined
      },
    })
  }
}

function members(makers: Readonly<Record<string, () => unknown>>): Members {
  return new Members(new Map(Object.entries(makers)))
}

function thunks(values: Readonly<Record<string, unknown>>): Record<string, () => unknown> {
  const entries = Object.entries(values).slice(0, SEEN_ENTRIES)
  return Object.fromEntries(entries.map(([name, value]) => [name, () => seen(value, 1)]))
}

function int(value: number): bigint | undefined {
  return Number.isFinite(value) ? BigInt(Math.round(value)) : undefined
}

/** JSON as the engine takes it, cut to what rules may see. Maps, never objects: `metadata.constructor` is a name like any other. */
function seen(value: unknown, levels: number): unknown {
  switch (typeof value) {
    case 'string':
      return value.slice(0, SEEN_CHARS)
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
    return value.slice(0, SEEN_ENTRIES).map((item) => seen(item, levels - 1) ?? null)
  }
  const entries = Object.entries(value).slice(0, SEEN_ENTRIES)
  return members(Object.fromEntries(entries.map(([name, inner]) => [name, () => seen(inner, levels - 1)])))
}
