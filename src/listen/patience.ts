/**
 * How long a caller who pauses is waited for under `semantic_vad`. Pure.
 *
 * A pause ends the turn once the judge is sure enough, and it need be the less sure the longer the pause has been:
 *
 *     probability ≥ threshold × (1 − silence / maxWait)
 *
 * so a turn that the judge takes for unfinished ends at `maxWait` at the latest, and a doubtful one in between.
 *
 * A recogniser that judges by itself says no probability, but that the turn is over. Until it does, only `maxWait` ends it.
 */
import type { EndedBy, Judgement, TurnJudge } from './end-of-turn.ts'

export type Eagerness = 'low' | 'medium' | 'high' | 'auto'

export interface Patience {
  /** How sure the judge must be at the beginning of the pause, 0…1. */
  readonly threshold: number
  /** No pause shorter than this ends a turn, however sure the judge is. */
  readonly minSilenceMs: number
  /** No pause longer than this fails to end one. */
  readonly maxWaitMs: number
  /** Without a judgement (late, failed) this silence ends the turn, as under `server_vad`. */
  readonly unjudgedMs: number
}

/** The waits are OpenAI's: 8, 4 and 2 s; `auto` is `medium`. The thresholds are measured: `npm run bench:turns`. */
const MAPPING = {
  low: { threshold: 0.8, minSilenceMs: 600, maxWaitMs: 8_000 },
  medium: { threshold: 0.6, minSilenceMs: 400, maxWaitMs: 4_000 },
  auto: { threshold: 0.6, minSilenceMs: 400, maxWaitMs: 4_000 },
  high: { threshold: 0.4, minSilenceMs: 200, maxWaitMs: 2_000 },
} as const satisfies Record<Eagerness, Omit<Patience, 'unjudgedMs'>>

/** A judgement takes some 50 ms, and words up to 400: with less silence than this nobody could judge. */
const LEAST_UNJUDGED_MS = 500

export function patienceFor(eagerness: Eagerness, silenceDurationMs: number): Patience {
  return { ...MAPPING[eagerness], unjudgedMs: Math.max(silenceDurationMs, LEAST_UNJUDGED_MS) }
}

/** What is known of a pause. */
export interface PauseFacts {
  readonly silenceMs: number
  readonly judge: TurnJudge
  /** The recogniser said that the turn is over. */
  readonly told: 'over' | 'nothing'
  /** The last of those we asked for; undefined: none yet. */
  readonly judgement: Judgement | undefined
  /** How long the pause was when we were first to ask: 0, or when the recogniser was lost. */
  readonly askedSinceMs: number
}

/** What ends the turn now; null: it goes on. */
export function endedBy(patience: Patience, facts: PauseFacts): EndedBy | null {
  const { threshold, minSilenceMs, maxWaitMs, unjudgedMs } = patience
  const { silenceMs, judge, told, judgement, askedSinceMs } = facts
  if (told === 'over') return 'recogniser'
  if (silenceMs >= maxWaitMs) return 'wait'
  if (judge === 'recogniser') return null
  if (judgement === undefined) return silenceMs - askedSinceMs >= unjudgedMs ? 'silence' : null
  const isSure = judgement.probability >= threshold * (1 - silenceMs / maxWaitMs)
  return isSure && silenceMs >= minSilenceMs ? judgement.by : null
}

/** The pause has to grow by half before the judge is asked again: nine questions in 8 s. */
const ASK_AGAIN_FACTOR = 1.5

/** From which silence on the judge is asked next. */
export function nextQuestionMs(askedAtMs: number): number {
  return askedAtMs * ASK_AGAIN_FACTOR
}
