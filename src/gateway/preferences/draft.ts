/** Preferences while they are being read: what was said, where, by whom, and what was read past. */

import type { Declined } from '../../errors.ts'
import { refuse } from './error.ts'
import { MAX_IGNORED } from './limits.ts'
import { type Dialect, NOT_SAID, type Plan, type Preferences, type Said, type Wish } from './preferences.ts'
import type { Doc } from './values.ts'

export class Draft {
  readonly #said: Partial<Said> = {}
  readonly #places = new Map<string, string>()
  readonly #dialects = new Set<Dialect>()
  readonly #ignored: string[] = []
  #ignoredCount = 0
  readonly instead: Partial<Record<Declined, readonly Wish[]>> = {}
  /** What comes after `model`, or the pool; by `models`, `fallbacks` or the like. */
  #behind: readonly Wish[] = []
  /** A whole plan, which no `models` goes with. */
  plan: Plan | null = null
  /** `model` as a header completes it. */
  first: Wish | null = null

  /** Undefined is not said. A second saying is refused: it would be unclear which one holds. */
  say<K extends keyof Said>(name: K, value: Said[K] | undefined, place: string): void {
    if (value === undefined) return
    this.#once(name, place)
    this.#said[name] = value
  }

  behind(wishes: readonly Wish[] | undefined, place: string): void {
    if (wishes === undefined) return
    this.#once('models', place)
    this.#behind = wishes
  }

  get models(): readonly Wish[] {
    return this.#behind
  }

  #once(name: string, place: string): void {
    const before = this.#places.get(name)
    if (before !== undefined) refuse(place, `says what ${before} says already: send one of them`)
    this.#places.set(name, place)
  }

  spoken(dialect: Dialect): void {
    this.#dialects.add(dialect)
  }

  /** The place is told with a name that the caller chose, so it is cut and cleaned. */
  ignore(place: string): void {
    this.#ignoredCount++
    if (this.#ignored.length < MAX_IGNORED) this.#ignored.push(place.replace(/[^\w.[\]-]/g, '?').slice(0, 96))
  }

  /** Every member of `doc` that is not among `known`. */
  ignoreRest(doc: Doc | undefined, known: readonly string[], path: string): void {
    for (const name of Object.keys(doc ?? {})) {
      if (!known.includes(name)) this.ignore(path === '' ? name : `${path}.${name}`)
    }
  }

  /** Spelled out: an object put together by spreading takes ten times as long, at every request. */
  preferences(rest: Omit<Preferences, keyof Said | 'dialects' | 'ignored' | 'instead'>): Preferences {
    const {
      only,
      ignore,
      order,
      allowFallbacks,
      sort,
      partition,
      maxPrice,
      requireParameters,
      capabilities,
      minThroughput,
      maxLatencyMs,
      firstTokenMs,
      timeoutMs,
      retry,
      hedge,
      keys,
      resume,
      pipeline,
      session,
    } = this.#said
    return {
      only: only ?? NOT_SAID.only,
      ignore: ignore ?? NOT_SAID.ignore,
      order: order ?? NOT_SAID.order,
      allowFallbacks: allowFallbacks ?? NOT_SAID.allowFallbacks,
      sort: sort ?? NOT_SAID.sort,
      partition: partition ?? NOT_SAID.partition,
      maxPrice: maxPrice ?? NOT_SAID.maxPrice,
      requireParameters: requireParameters ?? NOT_SAID.requireParameters,
      capabilities: capabilities ?? NOT_SAID.capabilities,
      minThroughput: minThroughput ?? NOT_SAID.minThroughput,
      maxLatencyMs: maxLatencyMs ?? NOT_SAID.maxLatencyMs,
      firstTokenMs: firstTokenMs ?? NOT_SAID.firstTokenMs,
      timeoutMs: timeoutMs ?? NOT_SAID.timeoutMs,
      retry: retry ?? NOT_SAID.retry,
      hedge: hedge ?? NOT_SAID.hedge,
      keys: keys ?? NOT_SAID.keys,
      resume: resume ?? NOT_SAID.resume,
      pipeline: pipeline ?? NOT_SAID.pipeline,
      session: session ?? NOT_SAID.session,
      plan: rest.plan,
      auto: rest.auto,
      metadata: rest.metadata,
      user: rest.user,
      tellsRouting: rest.tellsRouting,
      instead: this.instead,
      dialects: [...this.#dialects],
      ignored: this.#ignoredTold,
    }
  }

  get #ignoredTold(): readonly string[] {
    const more = this.#ignoredCount - this.#ignored.length
    return more > 0 ? [...this.#ignored, `and ${more} more`] : this.#ignored
  }
}
