/** Words that a wire has said: a message for an answering machine. They wait for the end of what they cut off. */
import type { Draft } from './draft.ts'
import { sayWords } from './reduce-response.ts'
import { interrupt } from './reduce-speech.ts'
import { isCutting, outputOf } from './state.ts'

export function say(d: Draft, words: string, at: number): void {
  if (outputOf(d.state) !== 'silent') interrupt(d)
  d.set({ unanswered: false })
  if (isCutting(d.state)) return d.set({ owedWords: words })
  sayWords(d, words, at)
}
