/**
 * How long a text is when spoken, roughly, before any audio says so: in units of one Latin letter. A Chinese
 * character or a digit is a syllable or a word, markup is nothing. Used to split text for the voice and to guess which
 * words were heard where the provider gives no word times. Pure.
 */

/** Scripts written without spaces between words: a break may fall between any two characters. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}。、！？；：，「」『』ー]/u
const SYLLABLE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}ー]/u
const MARKUP = /[*_#`~|<>]/
const MARK = /\p{M}|\u200d|\p{Emoji_Modifier}/u

/** English at an ordinary pace: fifteen letters, spaces counted, a second. */
export const UNITS_PER_MS = 0.015

/** What one character (a code point) adds. */
export function unitsOf(character: string): number {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x80) return code >= 0x30 && code <= 0x39 ? 3 : MARKUP.test(character) ? 0 : 1
  if (code >= 0x1100 && SYLLABLE.test(character)) return 3
  return MARK.test(character) ? 0 : 1
}

export function speechUnits(text: string): number {
  let units = 0
  for (const character of text) units += unitsOf(character)
  return units
}

/** Whether a letter or digit stands on both sides of `at`, in a script that writes words apart. */
export function isInsideWord(text: string, at: number): boolean {
  return at > 0 && at < text.length && isWordLetter(text[at - 1]!) && isWordLetter(text[at]!)
}

function isWordLetter(letter: string): boolean {
  return /[\p{L}\p{N}]/u.test(letter) && !UNSPACED.test(letter)
}

/** Whether `text` may be broken before index `at` without breaking a word or a character. */
export function isWordBreak(text: string, at: number): boolean {
  if (at <= 0 || at >= text.length) return true
  const next = String.fromCodePoint(text.codePointAt(at) ?? 0)
  if (/\s/.test(next)) return true
  const code = text.charCodeAt(at)
  if ((code >= 0xdc00 && code <= 0xdfff) || MARK.test(next)) return false
  const low = text.charCodeAt(at - 1)
  const before = low >= 0xdc00 && low <= 0xdfff ? text.slice(at - 2, at) : (text[at - 1] ?? '')
  if (before === '\u200d') return false
  return /\s/.test(before) || UNSPACED.test(next) || UNSPACED.test(before)
}

/** The last place at or before `at` where a word ends. */
export function wordBreakBefore(text: string, at: number): number {
  let end = Math.min(at, text.length)
  while (end > 0 && !isWordBreak(text, end)) end--
  return end
}
