/**
 * What overrules a list's order, weakest first: an open circuit goes to the end; the target that already serves this
 * conversation comes to the front (its prompt cache, its voice) unless its circuit is open; and when the first one's
 * median does not fit what is left of the turn, the first that fits does. Medians, because p95 would send every route
 * with a good model to the fastest one. Pure.
 */
import type { Candidate, Target } from './candidates.ts'

/** Whom the conversation is used to. */
export interface Pin {
  readonly target: string
  /** `voice`: a caller must not hear another one; nothing but an open circuit moves it. `cache`: worth staying for. */
  readonly why: 'voice' | 'cache'
}

export interface Preference {
  readonly pin: Pin | null
  /** Milliseconds left for this stage; null: no budget, or the ladder has no rung `faster`. */
  readonly slackMs: number | null
}

export interface CacheFacts {
  readonly target: string
  /** Tokens it was sent last time. */
  readonly tokens: number
  readonly ageMs: number
}

/** Providers cache prompts from this length on, */
const CACHED_FROM_TOKENS = 1024
/** and forget them after five idle minutes. */
const CACHE_KEPT_MS = 300_000

/** The pin for a conversation whose last answer came from `cache.target`; null when nothing can be cached there. */
export function cachePin(cache: CacheFacts | null): Pin | null {
  if (!cache || cache.tokens < CACHED_FROM_TOKENS || cache.ageMs > CACHE_KEPT_MS) return null
  return { target: cache.target, why: 'cache' }
}

/** Refused candidates come last, as they were. */
export function preferred<T extends Target>(
  candidates: readonly Candidate<T>[],
  { pin, slackMs }: Preference,
): Candidate<T>[] {
  const refused = candidates.filter((one) => one.refused !== null)
  const usable = candidates.filter((one) => one.refused === null)
  const isOpen = ({ facts }: Candidate) => facts.circuit === 'open'
  const closed = usable.filter((one) => !isOpen(one))
  const open = usable.filter(isOpen).map((one) => noted(one, 'its circuit is open: last resort'))
  const pinned = pin ? closed.findIndex(({ target }) => target.id === pin.target) : -1
  const held = pinned < 0 ? closed : toFront(closed, pinned, heldBecause(pin?.why ?? 'cache'))
  const mayMove = !(pinned >= 0 && pin?.why === 'voice')
  const fitting = slackMs !== null && mayMove ? fitted(held, slackMs) : held
  return [...fitting, ...open, ...refused]
}

function heldBecause(why: Pin['why']): string {
  return why === 'voice' ? 'the voice of this session' : "holds this conversation's prompt cache"
}

/** The order, unless its first cannot be expected in time: then the first that can, or the fastest of all. */
function fitted<T extends Target>(candidates: readonly Candidate<T>[], slackMs: number): Candidate<T>[] {
  const p50 = (one: Candidate) => one.facts.latency.p50Ms
  const first = candidates[0]
  if (!first || p50(first) <= slackMs) return [...candidates]
  const left = Math.max(0, Math.round(slackMs))
  const fits = candidates.findIndex((one) => p50(one) <= slackMs)
  if (fits > 0)
    return toFront(candidates, fits, `faster: ${p50(candidates[fits]!)} ms fit the ${left} ms left`)
  const fastest = candidates.reduce((best, one, i) => (p50(one) < p50(candidates[best]!) ? i : best), 0)
  if (fastest === 0) return [...candidates]
  return toFront(candidates, fastest, `fastest: none fits the ${left} ms left`)
}

function toFront<T extends Target>(
  candidates: readonly Candidate<T>[],
  index: number,
  note: string,
): Candidate<T>[] {
  const chosen = candidates[index]
  if (!chosen) return [...candidates]
  return [noted(chosen, note), ...candidates.slice(0, index), ...candidates.slice(index + 1)]
}

function noted<T extends Target>(candidate: Candidate<T>, note: string): Candidate<T> {
  return { ...candidate, notes: [...candidate.notes, note] }
}
