/**
 * Whether a mark that can end a sentence does. Decided by what stands around it, never by how the text was cut into
 * deltas: where the text known does not tell, the answer is `wait`. Pure.
 */
import {
  afterOrdinal,
  LONGEST_STARTER,
  numbered,
  openAbbreviations,
  prefixes,
  starters,
} from './abbreviations.ts'

export type Verdict = 'sentence' | 'clause' | 'none' | 'wait'

export interface Surroundings {
  readonly text: string
  /** Where the marks begin, where they and the quotes closed after them end, where the next word begins. */
  readonly marks: number
  readonly marksEnd: number
  readonly next: number
  /** `text` begins a line. */
  readonly lineStart: boolean
  /** The answer is written in lower case throughout, so a small letter says nothing. */
  readonly lowerCase: boolean
  /** No more text comes. */
  readonly final: boolean
}

const OPENERS = /["'“‘„‚«‹¿¡([{*_~`#>\-–—\s]/u
const LETTER = /\p{L}/u
const LOWER = /\p{Ll}/u

export function judgeStop(at: Surroundings): Verdict {
  const { text, marks, marksEnd, next, final } = at
  const word = nextWord(text, next, final)
  if (word === 'wait') return 'wait'
  if (text.slice(marksEnd, next).includes('\n')) return isListNumber(at) ? 'none' : 'sentence'
  const goesOn = LOWER.test(word[0] ?? '') && !at.lowerCase
  const run = /^[.!?…‼⁇⁈⁉]+/u.exec(text.slice(marks, marksEnd))?.[0] ?? ''
  if (run !== '.') {
    if (!goesOn) return 'sentence'
    return /^(?:…|\.\.+)$/.test(run) ? 'clause' : 'none'
  }
  return judgeSingleStop(at, word, goesOn)
}

function judgeSingleStop(at: Surroundings, word: string, goesOn: boolean): Verdict {
  const { text, marks, final } = at
  if (isListNumber(at)) return 'none'
  const before = /[\p{L}\p{M}\p{N}.'’]+$/u.exec(text.slice(Math.max(0, marks - 24), marks))?.[0] ?? ''
  const abbreviation = before.toLowerCase().replace(/^['’]+/, '')
  if (prefixes.has(abbreviation)) return 'none'
  if (numbered.has(abbreviation) && /^\d/.test(word)) return 'none'
  const open =
    openAbbreviations.has(abbreviation) ||
    /^\p{L}$/u.test(before) ||
    /^(?:\p{L}{1,2}\.)+\p{L}{1,2}$/u.test(before)
  const ordinal = /^\d{1,2}$/.test(before)
  if (open || ordinal) {
    if (word.length === 0) return 'sentence'
    if (!final && isCutOff(text, word)) return 'wait'
    const whole = word.toLowerCase()
    if (open) return starters.has(whole) && !goesOn ? 'sentence' : 'none'
    if (afterOrdinal.has(whole)) return 'none'
  }
  return goesOn ? 'none' : 'sentence'
}

/** "1." at the start of a line numbers what follows. */
function isListNumber({ text, marks, lineStart }: Surroundings): boolean {
  const line = text.lastIndexOf('\n', marks - 1) + 1
  if (line === 0 && !lineStart) return false
  return /^[\s>*_#-]*(?:\d{1,3}|[a-zA-Z])$/.test(text.slice(line, marks))
}

/** The word from `at` on behind quotes and markup; empty when something else stands there, or nothing. */
function nextWord(text: string, at: number, final: boolean): string | 'wait' {
  let start = at
  while (start < text.length && OPENERS.test(text[start]!)) start++
  if (start >= text.length) return final ? '' : 'wait'
  return /^[\p{L}\p{M}\p{N}'’]{1,16}/u.exec(text.slice(start, start + 16))?.[0] ?? ''
}

/** Whether `word` is the last of the text and short enough that more of it could matter. */
function isCutOff(text: string, word: string): boolean {
  return word.length <= LONGEST_STARTER && text.endsWith(word) && LETTER.test(word)
}
