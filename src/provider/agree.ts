/**
 * The words on which two successive recognitions agree. On a growing buffer the last words are guesses about
 * sounds that are cut off; those that came out the same twice match the final at 98 %. Pure.
 */

/**
 * The part of `text` whose words begin `earlier` too; case and punctuation aside. A prefix of `text`, without
 * the punctuation at its end, which is the first thing to change.
 */
export function agreedPrefix(earlier: string, text: string): string {
  const before = earlier.split(/\s+/).filter(Boolean)
  let end = 0
  let index = 0
  for (const match of text.matchAll(/\S+/g)) {
    if (index >= before.length || bare(before[index]!) !== bare(match[0])) break
    index++
    end = match.index + match[0].replace(/[^\p{L}\p{N}]+$/u, '').length
  }
  return text.slice(0, end)
}

/** Joins the texts of pieces, skipping empty ones. */
export function joinTexts(texts: readonly string[]): string {
  return texts.filter((text) => text !== '').join(' ')
}

function bare(word: string): string {
  return word.toLowerCase().replace(/[^\p{L}\p{N}']/gu, '')
}
