/**
 * The judge of a pause: has the caller finished, or only stopped for a breath? Declared here, implemented by
 * `provider/local` (a model that hears) and by `words.ts` (a heuristic that reads), injected by `app.ts`.
 *
 * A recogniser that tells the end of turns itself (`SttCaps.endOfTurn: 'model'`) would be a third one: its
 * adapter's `endOfTurn` event is the place for it. No adapter sends that event yet.
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

export interface EndOfTurn {
  /** How surely the caller has finished, 0…1; undefined when it cannot be said (busy, failed, words missing). Never rejects. */
  judge(question: TurnQuestion): Promise<number | undefined>
}
