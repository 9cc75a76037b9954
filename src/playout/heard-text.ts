/** Which words of one sentence were heard after so many milliseconds of it. Pure. */
import { isInsideWord, speechUnits, UNITS_PER_MS, unitsOf, wordBreakBefore } from '../stage/speech-length.ts'
import type { SpokenWord } from '../stage/tts.ts'

/** A provider's word may stand this far behind the last one found: markup and symbols lie between. */
const WORD_SEARCH_CHARS = 24

/**
 * Letters of `text` heard when the words spoken have these times. The words are of the speakable text, which lacks
 * the markup of the source and may spell numbers out: a word that is not found is passed over, never guessed.
 */
export function heardByWords(text: string, words: readonly SpokenWord[], heardMs: number): number {
  const source = text.toLowerCase()
  // Lower case may be longer than the text in a few scripts; then positions would not fit.
  const where = source.length === text.length ? source : text
  let end = 0
  for (const word of words) {
    if (word.endMs > heardMs) break
    const core = word.text.toLowerCase().replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, '')
    const found = core === '' ? -1 : wholeWord(where, core, end)
    if (found >= 0) end = found + core.length + closing(text.slice(found + core.length))
  }
  return end
}

function wholeWord(source: string, word: string, from: number): number {
  const last = from + WORD_SEARCH_CHARS
  for (let at = source.indexOf(word, from); at >= 0 && at <= last; at = source.indexOf(word, at + 1)) {
    if (!isInsideWord(source, at) && !isInsideWord(source, at + word.length)) return at
  }
  return -1
}

/** The marks that close a word belong to it, and the address of the link it ends. */
function closing(rest: string): number {
  return /^(?:\]\([^)\s]*\))?[^\s\p{L}\p{N}]*/u.exec(rest)?.[0].length ?? 0
}

/**
 * Letters heard by share: `heardMs` of a sentence whose audio lasts `lengthMs` (measured), back to the end of a
 * word. `lengthMs` null: the sentence is still being made, so `unitsPerMs` tells how far the voice has come.
 */
export function heardByShare(
  text: string,
  heardMs: number,
  lengthMs: number | null,
  unitsPerMs: number,
): number {
  const target = lengthMs === null ? heardMs * unitsPerMs : (speechUnits(text) * heardMs) / lengthMs
  let units = 0
  let end = 0
  for (const character of text) {
    units += unitsOf(character)
    if (units > target) break
    end += character.length
  }
  return wordBreakBefore(text, end)
}

/** The pace of what is complete; an ordinary one while nothing is. */
export function paceOf(units: number, ms: number): number {
  return ms > 0 && units > 0 ? units / ms : UNITS_PER_MS
}
