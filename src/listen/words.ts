/** Judges a pause by the words before it: what stands in for a model that hears, or is too busy to. */
import { type EndOfTurn, eitherOf, type TurnQuestion } from './end-of-turn.ts'
import { finishedByWords } from './unfinished.ts'
import type { Vad } from './vad.ts'

export const wordsJudge: EndOfTurn = {
  judge: async ({ words, language }: TurnQuestion) =>
    words === null ? undefined : finishedByWords(words, language),
}

/** The same ears; where they cannot judge a pause, its words do. */
export function withWords(vad: Vad): Vad {
  const endOfTurn = vad.endOfTurn ? eitherOf(vad.endOfTurn, wordsJudge) : wordsJudge
  return { ...(vad.gate ? { gate: vad.gate } : {}), endOfTurn, open: (options) => vad.open(options) }
}
