/** Soniox's tokens as words and as a segment. Pure. */
import type { Word } from '../../stage/stt.ts'
import type { Segment } from '../utterances.ts'
import type { Token } from './wire.ts'

/** What follows a space is a word; what does not, belongs to the one before: its end, or a full stop. */
export function wordsOf(tokens: readonly Token[]): readonly Word[] {
  const words: Word[] = []
  let spaced = true
  for (const { text, startMs, endMs } of tokens) {
    const bare = text.trim()
    const before = words.at(-1)
    if (bare === '') spaced = true
    else if (!before || spaced || /^\s/.test(text)) words.push({ text: bare, startMs, endMs })
    else words[words.length - 1] = { ...before, text: before.text + bare, endMs }
    if (bare !== '') spaced = /\s$/.test(text)
  }
  return words
}

/** Undefined when there is no word in it. */
export function segmentOf(settled: readonly Token[], unsettled: readonly Token[]): Segment | undefined {
  const tokens = [...settled, ...unsettled]
  const words = wordsOf(tokens)
  const [first, last] = [words[0], words.at(-1)]
  if (!first || !last) return undefined
  const confidence = meanOf(tokens)
  const language = tokens.findLast((token) => token.language !== undefined)?.language
  return {
    startMs: first.startMs,
    endMs: last.endMs,
    text: textOf(tokens),
    stable: textOf(settled),
    settled: false,
    words,
    ...(confidence !== undefined && { confidence }),
    ...(language !== undefined && { language }),
  }
}

function textOf(tokens: readonly Token[]): string {
  return tokens
    .map(({ text }) => text)
    .join('')
    .replace(/\s+/g, ' ')
    .trim()
}

function meanOf(tokens: readonly Token[]): number | undefined {
  const known = tokens.map(({ confidence }) => confidence).filter((one) => one !== undefined)
  return known.length === 0 ? undefined : known.reduce((sum, one) => sum + one, 0) / known.length
}
