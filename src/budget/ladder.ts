/**
 * What is given up when time runs short, rung by rung in the pipeline's own order; a rung left out is never taken. A turn
 * asks `climb` whenever something changed or a wait ended, does what it says, and asks again, until it is told to wait.
 * Each rung is taken once a turn, so this ends. Pure.
 */
import type { StageName } from '../errors.ts'

export type Rung =
  | { readonly rung: 'partial' }
  | { readonly rung: 'faster' }
  | { readonly rung: 'shorter'; readonly maxTokens: number }
  | { readonly rung: 'filler'; readonly afterMs: number; readonly say: readonly string[] }
  | { readonly rung: 'apology'; readonly say: string }

export type RungName = Rung['rung']

export interface LadderFacts {
  /** Since clock zero. */
  readonly nowMs: number
  /**
   * `recognising`: the final words are awaited. `choosing`: a target is about to be asked. `answering`: one was, and nothing was
   * heard yet. `heard`: the answer plays. `exhausted`: nobody is left to ask.
   */
  readonly phase: 'recognising' | 'choosing' | 'answering' | 'heard' | 'exhausted'
  readonly stage: StageName
  /** Left for that stage. */
  readonly slackMs: number
  /** A partial whose words will not change. */
  readonly hasStablePartial: boolean
  /** Medians of the target in line and of the fastest other one; null: there is none. */
  readonly p50Ms: number
  readonly fasterP50Ms: number | null
  /** The caller is done; before, nobody may speak into the turn. */
  readonly committed: boolean
  /** Until the first audio; 0: overdue. */
  readonly expectedInMs: number
  readonly filler: {
    /** In the turn before this one. */
    readonly wasSaid: boolean
    /** How long the phrase plays, when it is in the cache; null: it is not, and cannot be said at once. */
    readonly lengthMs: number | null
  }
}

export type Step =
  | { readonly type: 'take'; readonly rung: Rung; readonly why: string }
  /** Ask again then (since clock zero), or when something changed; null: no time alone changes anything. */
  | { readonly type: 'wait'; readonly untilMs: number | null }

/** An answer this near is not held up by a phrase: no one notices so short a silence. */
export const ABOUT_TO_START_MS = 150

export function climb(ladder: readonly Rung[], taken: ReadonlySet<RungName>, facts: LadderFacts): Step {
  let untilMs: number | null = null
  for (const rung of ladder) {
    if (taken.has(rung.rung)) continue
    const judged = judge(rung, facts)
    if (typeof judged === 'string') return { type: 'take', rung, why: judged }
    if (judged !== null) untilMs = untilMs === null ? judged : Math.min(untilMs, judged)
  }
  return { type: 'wait', untilMs }
}

/** Why it is taken now; else when it may be; null when not by waiting. */
function judge(rung: Rung, facts: LadderFacts): string | number | null {
  const { phase, nowMs, slackMs, p50Ms, fasterP50Ms } = facts
  switch (rung.rung) {
    case 'partial':
      if (phase !== 'recognising' || !facts.hasStablePartial) return null
      return slackMs > 0 ? nowMs + slackMs : 'no final words in time'
    case 'faster':
      if (phase !== 'choosing' || p50Ms <= slackMs || fasterP50Ms === null || fasterP50Ms >= p50Ms)
        return null
      return `${ms(p50Ms)} do not fit the ${ms(Math.max(0, slackMs))} left`
    case 'shorter':
      if (phase !== 'choosing' || facts.stage !== 'llm' || p50Ms <= slackMs) return null
      return `${ms(Math.max(0, slackMs))} are left`
    case 'filler':
      return judgeFiller(rung.afterMs, facts)
    case 'apology':
      return phase === 'exhausted' ? 'nobody is left to ask' : null
    default: {
      const never: never = rung
      return never
    }
  }
}

function judgeFiller(afterMs: number, facts: LadderFacts): string | number | null {
  const { phase, nowMs, committed, expectedInMs, filler } = facts
  if (phase === 'heard' || phase === 'exhausted' || !committed) return null
  if (filler.wasSaid || filler.lengthMs === null) return null
  if (nowMs < afterMs) return afterMs
  // A phrase delays the answer while it plays: it must bridge at least half of its own length.
  const near = Math.max(ABOUT_TO_START_MS, filler.lengthMs / 2)
  if (expectedInMs > 0 && expectedInMs <= near) return nowMs + expectedInMs
  return `nothing was heard for ${ms(nowMs)}`
}

/** The next phrase in turn, another than the last one said when there is another. Pure: `count` is fillers said so far. */
export function fillerPhrase(say: readonly string[], count: number, last: string | null): string | undefined {
  const others = say.filter((phrase) => phrase !== last)
  const from = others.length > 0 ? others : say
  return from[count % Math.max(1, from.length)]
}

function ms(value: number): string {
  return `${Math.round(value)} ms`
}
