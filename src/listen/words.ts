/** Judges a pause by the words before it: what stands in for a model that hears. */
import type { EndOfTurn, TurnQuestion } from './end-of-turn.ts'
import { finishedByWords } from './unfinished.ts'

export const wordsJudge: EndOfTurn = {
  judge: async ({ words, language }: TurnQuestion) =>
    words === null ? undefined : finishedByWords(words, language),
}
