/** What was recognised, in segments to be shown: a piece is one, or several where its words have times. Pure. */
import type { Word } from '../../stage/stt.ts'
import type { Recognised } from './run.ts'

export interface Segment {
  readonly startMs: number
  readonly endMs: number
  readonly text: string
  /** Of the piece it is from. */
  readonly confidence: number | null
  readonly speech: number
}

/** A line of subtitles is read in a few seconds; a pause or the end of a sentence ends it sooner. */
const MAX_SEGMENT_MS = 7_000
const PAUSE_MS = 600
const SENTENCE_END = /[.!?。！？…]["'”’)\]]*$/u

export function segmentsOf(pieces: readonly Recognised[]): Segment[] {
  return pieces.flatMap((one) => {
    const { piece, text, words, confidence } = one
    if (text === '') return []
    const facts = { confidence, speech: piece.speech }
    if (words.length === 0) return [{ startMs: piece.startMs, endMs: piece.endMs, text, ...facts }]
    return linesOf(words).map((line) => ({
      startMs: line[0]!.startMs,
      endMs: line.at(-1)!.endMs,
      text: line.map((word) => word.text).join(' '),
      ...facts,
    }))
  })
}

function linesOf(words: readonly Word[]): Word[][] {
  const lines: Word[][] = []
  for (const word of words) {
    const line = lines.at(-1)
    const last = line?.at(-1)
    const goesOn =
      line &&
      last &&
      !SENTENCE_END.test(last.text) &&
      word.startMs - last.endMs < PAUSE_MS &&
      word.endMs - line[0]!.startMs <= MAX_SEGMENT_MS
    if (goesOn) line.push(word)
    else lines.push([word])
  }
  return lines
}

/** The whole text: pieces with a space between them. */
export function textOf(pieces: readonly Recognised[]): string {
  return pieces
    .map(({ text }) => text)
    .filter((text) => text !== '')
    .join(' ')
}
