/** How much of a text is certainly spoken: letters, in a measure that is near the same for all scripts. Pure. */

export interface SpokenText {
  /** What may be left unsaid is not counted, nor is what takes longer than its letters. */
  readonly letters: number
  readonly script: 'latin' | 'syllables' | 'other'
  /** Nothing in it takes longer to say than its letters tell: no digits, no signs, no abbreviations, nothing left out. */
  readonly plain: boolean
}

/**
 * A sign of Chinese, Japanese or Korean is a syllable or more; 40 letters a second stand for 16 of them, twice the 7.8 syllables
 * of Japanese, the quickest measured (Pellegrino, Coupé and Marsico 2011).
 */
const LETTERS_A_SYLLABLE = 2.5
/** Of one word, so that a line of signs or a name of a file is not taken for speech. */
const LONGEST_WORD = 24

/** Directions to a voice, and asides that some leave out. */
const ASIDES = /<[^<>]*>|\[[^[\]]*\]|\([^()]*\)|\{[^{}]*\}|\*[^*]*\*/gu
const ADDRESS = /[/@_\\]|\w\.\w/u
/** "Hmmmm" is said as long as it pleases. */
const DRAWN = /(\p{L})\1{2,}/gu
const SLOW = /[\p{N}\p{S}]|\p{Lu}{2}|…|\.\.|\p{L}\.\p{L}/u

const LATIN = /\p{Script=Latin}/gu
const SYLLABLES = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu
const LETTER = /\p{L}/gu

export function spokenText(text: string): SpokenText {
  const bare = text.normalize('NFC').replace(ASIDES, ' ').replace(DRAWN, '$1')
  let [latin, syllables, other] = [0, 0, 0]
  for (const word of bare.split(/\s+/u)) {
    if (ADDRESS.test(word)) continue
    const dense = count(word, SYLLABLES)
    const roman = count(word, LATIN)
    syllables += dense * LETTERS_A_SYLLABLE
    latin += Math.min(LONGEST_WORD, roman)
    other += Math.min(LONGEST_WORD, count(word, LETTER) - roman - dense)
  }
  const script = syllables > latin + other ? 'syllables' : latin >= other ? 'latin' : 'other'
  return { letters: latin + syllables + other, script, plain: bare === text && !SLOW.test(text) }
}

function count(word: string, what: RegExp): number {
  return word.match(what)?.length ?? 0
}
