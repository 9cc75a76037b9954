/**
 * The judge of a pause: has the caller finished, or only stopped for a breath? Declared here, implemented by
 * `provider/local` (a model that hears) and by `words.ts` (a heuristic that reads), injected by `app.ts`.
 *
 * Where the recogniser ends turns itself it comes first, and is not asked: it tells (`Ear.turnEnded`). Whether it does
 * may change in the middle of a pause, when it is lost; then these are asked.
 */

/** The newest audio a judge hears at most. */
export const JUDGED_MS = 8_000

export interface TurnQuestion {
  /** 16 kHz, the utterance so far with the pause it ends in; at most `JUDGED_MS`, the newest. The judge may keep it. */
  readonly samples: Int16Array
  /** All words before the pause; null while the recogniser still owes some. */
  readonly words: string | null
  /** BCP-47, where known. */
  readonly language?: string
}

export interface Judgement {
  /** How surely the caller has finished, 0…1. */
  readonly probability: number
  /** Who says so: a model that hears, or the words. */
  readonly by: 'model' | 'words'
}

export interface EndOfTurn {
  /** Undefined when it cannot be said (busy, failed, words missing). Never rejects. */
  judge(question: TurnQuestion): Promise<Judgement | undefined>
}

/** Who judges pauses at this moment: the recogniser, by itself, or whoever we ask. */
export type TurnJudge = 'recogniser' | 'asked'

/**
 * What ended a turn: a judge (`recogniser`, `model`, `words`), the silence window where nobody judges or nobody could, the
 * longest wait that `semantic_vad` has, or the longest utterance.
 */
export type EndedBy = 'recogniser' | Judgement['by'] | 'silence' | 'wait' | 'length'
