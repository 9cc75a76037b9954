/**
 * Which stage broke a turn's budget. The way from clock zero to the first audio is cut into four parts:
 *
 *     0 ── endpoint ──► committed ── stt ──► sttFinal ── llm ──► firstSentence ── tts ──► firstAudioSent
 *
 * What ran inside an earlier part costs nothing: recognition and a speculative model call during the silence
 * window take no part of their own. Each part has a share of the budget; the part that passed its share by most
 * broke it, the earlier one where two are equal. Pure.
 */
import { TURN_SHARES } from '../config/defaults.ts'
import type { StageName } from '../errors.ts'
import type { MarkName, TurnRecord } from './record.ts'

export type Part = StageName | 'endpoint'

/** Milliseconds meant for each part. */
export type BudgetShares = Readonly<Record<Part, number>>

export interface BudgetFacts {
  readonly turnMs: number
  /** Ms from clock zero. */
  readonly marks: Readonly<Partial<Record<MarkName, number>>>
  readonly outcome: TurnRecord['outcome']
  /** null: `TURN_SHARES` of the budget. */
  readonly shares: BudgetShares | null
}

const PARTS: readonly { readonly part: Part; readonly until: MarkName }[] = [
  { part: 'endpoint', until: 'committed' },
  { part: 'stt', until: 'sttFinal' },
  { part: 'llm', until: 'firstSentence' },
  { part: 'tts', until: 'firstAudioSent' },
]

/**
 * null when the budget was kept, when nothing is overdue yet, or when the turn needed no voice (a tool alone).
 * A turn that failed or was cancelled without any audio later than its budget is laid to the part it was stuck in.
 */
export function brokenBy({ turnMs, marks, outcome, shares }: BudgetFacts): Part | null {
  const stuck = outcome === 'failed' || outcome === 'cancelled'
  const endMs = marks.firstAudioSent ?? (stuck ? marks.end : undefined)
  if (endMs === undefined || endMs <= turnMs) return null
  const meant = shares ?? sharesOf(turnMs)
  let worst: { part: Part; overMs: number } | null = null
  for (const { part, spentMs } of spent(marks, endMs)) {
    const overMs = spentMs - meant[part]
    if (spentMs > 0 && (worst === null || overMs > worst.overMs)) worst = { part, overMs }
  }
  return worst?.part ?? null
}

export function sharesOf(turnMs: number): BudgetShares {
  const { endpoint, stt, llm, tts } = TURN_SHARES
  return { endpoint: endpoint * turnMs, stt: stt * turnMs, llm: llm * turnMs, tts: tts * turnMs }
}

/**
 * The parts in order; they add up to `endMs`. A part that is not marked was skipped if a later one was reached,
 * and so were the first two of a turn that nobody spoke; the first part not reached has all the time that is left.
 */
function spent(marks: BudgetFacts['marks'], endMs: number): { part: Part; spentMs: number }[] {
  const typed = marks.committed === undefined && marks.speechEnd === undefined
  const reached = Math.max(
    typed ? 1 : -1,
    PARTS.findLastIndex(({ until }) => marks[until] !== undefined),
  )
  let fromMs = 0
  return PARTS.map(({ part, until }, i) => {
    const toMs = i <= reached ? (marks[until] ?? fromMs) : endMs
    const spentMs = Math.max(0, Math.min(toMs, endMs) - fromMs)
    fromMs += spentMs
    return { part, spentMs }
  })
}
