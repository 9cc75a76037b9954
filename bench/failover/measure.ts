/** What a broken turn lost, said twice and cost in time, against the same conversation without a fault. */
import { soundCodeOf, wordOf } from '../chaos/words.ts'
import { ANSWER_WORDS, BROKEN_TURN, type Told } from './conversation.ts'
import { MS_PER_CHAR } from './sounds.ts'

export interface Figures {
  readonly lost: number
  readonly repeated: number
  /** How much later the answer began (recognition) or ended (voices). */
  readonly addedMs: number
  /** What must not be: another turn that is not as without the fault, sounds of nobody, a sentence too many. */
  readonly wrong: readonly string[]
}

/** Of a word's sound: what a change of sample rate takes off its edges. */
const ROUNDING_MS = 1

export function measureRecognition(told: readonly Told[], clean: readonly Told[]): Figures {
  const { question, prompt, firstMs } = told[BROKEN_TURN]!
  const words = wordsOf(prompt)
  return {
    ...counted(question, words),
    addedMs: later(firstMs, clean[BROKEN_TURN]!.firstMs),
    wrong: [...othersWrong(told), ...answerWrong(told[BROKEN_TURN]!), ...orderWrong(question, words)],
  }
}

export function measureVoice(told: readonly Told[], clean: readonly Told[]): Figures {
  const broken = told[BROKEN_TURN]!
  const due = answerWords(broken)
  const words = wholeWords(broken)
  return {
    ...counted(due, words),
    addedMs: later(broken.lastMs, clean[BROKEN_TURN]!.lastMs),
    wrong: [...othersWrong(told), ...questionWrong(broken), ...orderWrong(due, words)],
  }
}

function later(ms: number | null, cleanMs: number | null): number {
  return ms === null || cleanMs === null ? Number.POSITIVE_INFINITY : Math.round(ms - cleanMs)
}

function counted(due: readonly string[], words: readonly string[]): { lost: number; repeated: number } {
  const lost = due.filter((word) => !words.includes(word)).length
  return { lost, repeated: words.length - (due.length - lost) }
}

/** Once it went back, it goes on from there; nothing foreign is in it. */
function orderWrong(due: readonly string[], words: readonly string[]): string[] {
  let back = 0
  for (const [i, word] of words.entries()) {
    const at = due.indexOf(word)
    if (at < 0) return [`"${word}" is nobody's`]
    if (i > 0 && at <= due.indexOf(words[i - 1]!)) back++
  }
  return back > 1 ? [`it went back ${back} times: ${words.join(' ')}`] : []
}

/** The turns before and after are as if nothing had been. */
function othersWrong(told: readonly Told[]): string[] {
  return told.flatMap((one, i) =>
    i === BROKEN_TURN
      ? []
      : [...questionWrong(one), ...answerWrong(one)].map((what) => `turn ${i + 1}: ${what}`),
  )
}

function questionWrong({ question, prompt }: Told): string[] {
  return prompt.toLowerCase() === question.join(' ') ? [] : [`"${prompt}" was asked`]
}

function answerWrong(told: Told): string[] {
  const words = wholeWords(told).join(' ')
  return words === answerWords(told).join(' ') ? [] : [`"${words}" was heard (${told.status})`]
}

function answerWords({ turn }: Told): string[] {
  return Array.from({ length: ANSWER_WORDS }, (_, place) => wordOf({ turn, place }))
}

/** Those whose sound was whole. */
function wholeWords({ heard, turn }: Told): string[] {
  return heard.flatMap(({ code, ms }) => {
    if (!code) return ['?']
    const word = wordOf(code)
    const due = soundCodeOf(word).turn === turn ? word.length * MS_PER_CHAR : 0
    return ms >= due - ROUNDING_MS ? [word] : []
  })
}

function wordsOf(text: string): string[] {
  return text
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word !== '')
}
