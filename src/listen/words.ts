/**
 * Judges a pause by the words before it: what stands in for a model that hears, or is too busy to. Beside such a model
 * words only object: a voice may fall at the end of "my number is", the words are open all the same.
 */
import type { EndOfTurn, Judgement, TurnQuestion } from './end-of-turn.ts'
import { finishedByWords, UNFINISHED } from './unfinished.ts'
import type { Vad } from './vad.ts'

export const wordsJudge: EndOfTurn = {
  judge: async (question) => byWords(question),
}

function byWords({ words, language }: TurnQuestion): Judgement | undefined {
  const probability = words === null ? undefined : finishedByWords(words, language)
  return probability === undefined ? undefined : { probability, by: 'words' }
}

/** The model's answer, unless the words are there and sound unfinished; the words', where the model has none. */
export function hearingAndReading(model: EndOfTurn): EndOfTurn {
  return {
    async judge(question) {
      const read = byWords(question)
      if (read !== undefined && read.probability <= UNFINISHED) return read
      return (await model.judge(question)) ?? read
    },
  }
}

/** The same ears, whose judgement of a pause takes the words into account. */
export function withWords(vad: Vad): Vad {
  const endOfTurn = vad.endOfTurn ? hearingAndReading(vad.endOfTurn) : wordsJudge
  return { ...(vad.gate ? { gate: vad.gate } : {}), endOfTurn, open: (options) => vad.open(options) }
}
