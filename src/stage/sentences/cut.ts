/**
 * Where the next piece of a text ends. Walks from the left and decides at each mark by the marks and words around it,
 * so that the pieces are the same however the text arrived. Pure.
 */
import { isInsideWord, speechUnits, unitsOf, wordBreakBefore } from '../speech-length.ts'
import { judgeStop } from './stop.ts'

export interface CutContext {
  /** The piece begins a line. */
  readonly lineStart: boolean
  readonly lowerCase: boolean
  /** Little was said yet: the first clause goes out as soon as it stands. */
  readonly early: 'early' | 'later'
  readonly final: boolean
}

// Lengths in speech units: one Latin letter or space is 1, a digit or a Chinese character 3.

/** "Of course," is worth its own breath, "Well," is not. */
const CLAUSE_UNITS = 10
/** Shorter later sentences join the next: a voice reads "No. I can't." better in one go. */
const SENTENCE_UNITS = 20
/** 4 s of speech without any mark: the listener should not wait for one. */
const EARLY_LIMIT_UNITS = 64
const EARLY_CUT_UNITS = 56
const EARLY_MIN_UNITS = 32
/** 16 s: what voices take in one request, and what one interruption may throw away. */
const LATER_LIMIT_UNITS = 240
/** One endless word is cut through here. */
const WORD_LIMIT_UNITS = 600
/** "example dot com", whatever its length; an address longer than this is no address. */
const ADDRESS_UNITS = 12
const ADDRESS_CHARS = 250
/** A longer run of spaces or marks is not one pause. */
const RUN_CHARS = 200
/** No piece is longer, whatever it is made of. */
export const PIECE_CHARS = 2000
/** What a slow drip must have brought to be said without any mark. */
const DRIP_UNITS = 60

const STOP = /[.!?…‼⁇⁈⁉。！？．｡।॥؟۔።။៕]/u
/** They need no space behind them. */
const WIDE_STOP = /[。！？．｡।॥؟۔።။៕]/u
const CLAUSE = /[,;:،؛、，；：–—-]/u
const WIDE_CLAUSE = /[、，；：،؛—]/u
const CLOSER = /["'”’»›)\]}」』）】》*_~`]/u
/** Where a breath fits: before a word that joins. */
const JOINT =
  /\s(?=(?:and|but|or|so|because|that|which|who|when|where|while|if|although|with|for|und|aber|oder|weil|dass|y|pero|que|porque|et|mais|parce)\s)/giu

/** The end of the piece that `text` begins with, its trailing space included; null while that cannot be told. */
export function nextCut(text: string, context: CutContext): number | null {
  let at = skipSpace(text, 0)
  let units = 0
  let voiced = false
  let lastClause = 0
  let endless = false
  const limit = context.early === 'early' ? EARLY_LIMIT_UNITS : LATER_LIMIT_UNITS
  while (at < text.length) {
    if (at >= PIECE_CHARS) return at
    const character = String.fromCodePoint(text.codePointAt(at)!)
    if (character === '`') {
      const fence = fenceAt(text, at, context)
      if (fence === 'wait') return null
      if (fence === 'fence') return at
    }
    const address = addressAt(text, at, context)
    if (address === 'wait') return null
    if (address > at) {
      units += ADDRESS_UNITS
      voiced = true
      at = address
      continue
    }
    units += unitsOf(character)
    voiced ||= /[\p{L}\p{N}]/u.test(character)
    const mark = markAt(text, at, character, context)
    if (mark.verdict === 'wait') return null
    if (voiced && isEnough(mark.verdict, units, context)) return mark.end
    if (mark.verdict === 'clause') lastClause = mark.end
    const next = mark.verdict === 'none' ? at + character.length : mark.end
    units += speechUnits(text.slice(at + character.length, next))
    at = next
    if (endless) {
      if (units >= WORD_LIMIT_UNITS || /\s/.test(character)) return at
    } else if (units >= limit) {
      const cut = limitCut(text, lastClause, context)
      if (cut > 0) return cut
      endless = true
    }
  }
  return null
}

/** The end of what may be said although the text has stopped coming in the middle; null when that is nothing. */
export function dripCut(text: string, context: CutContext): number | null {
  if (endsInFull(text, context)) return text.length
  const clauses = [...text.matchAll(/\p{L}["”’)\]」』*_]*(?:[,;:](?=\s|$)|[、，；：—])["”’)\]」』*_]*\s*/gu)]
  for (const clause of clauses.reverse()) {
    const end = clause.index + clause[0].length
    if (speechUnits(text.slice(0, end)) >= CLAUSE_UNITS) return end
  }
  if (speechUnits(text) < DRIP_UNITS) return null
  const cut = wordStart(text, text.length - 1)
  return cut > 0 ? cut : null
}

/** Whether the text so far would end a sentence if a name came next: "at 5 p." would not. */
function endsInFull(text: string, context: CutContext): boolean {
  const end = /[\p{L}"”’)\]]([.!?…。！？]+["”’»)\]」』*_]*)\s*$/u.exec(text)
  if (!end) return false
  const marks = text.length - end[0].length + end[0].indexOf(end[1]!)
  const marksEnd = marks + end[1]!.length
  const probe = `${text.slice(0, marksEnd)} Xyz`
  return (
    judgeStop({ ...context, text: probe, marks, marksEnd, next: marksEnd + 1, final: true }) === 'sentence'
  )
}

interface Mark {
  readonly verdict: 'sentence' | 'clause' | 'none' | 'wait'
  readonly end: number
}

const NO_MARK: Mark = { verdict: 'none', end: 0 }
const WAIT: Mark = { verdict: 'wait', end: 0 }

function markAt(text: string, at: number, character: string, context: CutContext): Mark {
  if (character === '\n') return lineEnd(text, at, context)
  if (STOP.test(character)) return stopAt(text, at, context)
  if (CLAUSE.test(character)) return clauseAt(text, at, character, context)
  return NO_MARK
}

/** A line ends a sentence unless the next goes on in small letters. */
function lineEnd(text: string, at: number, context: CutContext): Mark {
  const end = skipSpace(text, at)
  if (end === text.length && !context.final) return WAIT
  const blank = text.indexOf('\n', at + 1)
  const goesOn = /\p{Ll}/u.test(text[end] ?? '') && !(blank > at && blank < end) && !context.lowerCase
  return { verdict: goesOn ? 'none' : 'sentence', end }
}

function stopAt(text: string, at: number, context: CutContext): Mark {
  const runEnd = skip(text, at, STOP)
  const wide = WIDE_STOP.test(text.slice(at, runEnd))
  const end = skip(text, runEnd, CLOSER)
  if (end === text.length && !context.final) return WAIT
  const next = skipSpace(text, end)
  if (next === text.length && !context.final) return WAIT
  if (wide) return { verdict: 'sentence', end: next }
  if (next === end && end < text.length) return NO_MARK
  const verdict = judgeStop({ text, marks: at, marksEnd: end, next, ...context })
  return { verdict, end: next }
}

function clauseAt(text: string, at: number, character: string, context: CutContext): Mark {
  const wide = WIDE_CLAUSE.test(character)
  // A dash between words is a hyphen unless it stands free.
  if (/[-–]/.test(character) && !/\s/.test(text[at - 1] ?? '')) return NO_MARK
  const end = skip(text, at + 1, CLOSER)
  if (end === text.length && !context.final) return WAIT
  const next = skipSpace(text, end)
  if (next === text.length && !context.final) return WAIT
  if (next === end && !wide) return NO_MARK
  // "March 3, 2024" and a list's own dash are no places to breathe; neither is an enumeration of numbers.
  if (/\d/.test(text[next] ?? '') && !wide) return NO_MARK
  if (text.slice(0, at).trim() === '') return NO_MARK
  return text.slice(end, next).includes('\n') ? NO_MARK : { verdict: 'clause', end: next }
}

function isEnough(verdict: Mark['verdict'], units: number, context: CutContext): boolean {
  if (verdict === 'sentence') return context.early === 'early' || units >= SENTENCE_UNITS
  return verdict === 'clause' && context.early === 'early' && units >= CLAUSE_UNITS
}

/** Where to cut text that grew to its limit without a sentence's end; 0 when it is one endless word. */
function limitCut(text: string, lastClause: number, context: CutContext): number {
  if (context.early === 'early') {
    return breathIn(text, indexOfUnits(text, EARLY_MIN_UNITS), indexOfUnits(text, EARLY_CUT_UNITS))
  }
  if (speechUnits(text.slice(0, lastClause)) >= LATER_LIMIT_UNITS / 3) return lastClause
  return wordStart(text, indexOfUnits(text, LATER_LIMIT_UNITS - 20))
}

function breathIn(text: string, from: number, to: number): number {
  for (const joint of [...text.slice(0, to).matchAll(JOINT)].reverse()) {
    if (joint.index >= from) return joint.index + 1
  }
  return wordStart(text, to)
}

/** The last start of a word at or before `at`, so that the space before it stays with the piece. */
function wordStart(text: string, at: number): number {
  let cut = wordBreakBefore(text, at)
  while (cut > 0 && /\s/.test(text[cut] ?? '')) cut = wordBreakBefore(text, cut - 1)
  return text.slice(0, cut).trim() === '' ? 0 : cut
}

function indexOfUnits(text: string, limit: number): number {
  let units = 0
  let at = skipSpace(text, 0)
  while (at < text.length && units < limit) {
    const character = String.fromCodePoint(text.codePointAt(at)!)
    units += unitsOf(character)
    at += character.length
  }
  return at
}

function fenceAt(text: string, at: number, context: CutContext): 'fence' | 'none' | 'wait' {
  if (text.startsWith('```', at)) return 'fence'
  return !context.final && /^`{1,2}$/.test(text.slice(at)) ? 'wait' : 'none'
}

/**
 * The end of a web address or a link's target that begins at `at`, `at` itself when none does. No piece ends inside, and
 * its letters are not said.
 */
function addressAt(text: string, at: number, context: CutContext): number | 'wait' {
  if (text[at] !== ']' && text[at] !== 'h' && text[at] !== 'w') return at
  const rest = text.slice(at, at + ADDRESS_CHARS)
  const whole = context.final || rest.length === ADDRESS_CHARS
  if (rest[0] === ']') {
    if (rest.length === 1 && !whole) return 'wait'
    if (rest[1] !== '(') return at
    const end = rest.search(/[)\s]/)
    if (end < 0) return whole ? at : 'wait'
    return rest[end] === ')' ? at + end + 1 : at
  }
  if (isInsideWord(text, at)) return at
  if (!/^(?:https?:\/\/|www\.)/.test(rest))
    return !whole && /^(?:h(?:t(?:t(?:ps?:?\/?)?)?)?|ww?w?)$/.test(rest) ? 'wait' : at
  const end = rest.search(/\s/)
  if (end < 0 && !whole) return 'wait'
  return at + (end < 0 ? rest : rest.slice(0, end)).replace(/[.,!?;:)\]}"'*_]+$/, '').length
}

function skipSpace(text: string, at: number): number {
  return skip(text, at, /\s/)
}

/** Where a run of such characters ends, or was long enough. */
function skip(text: string, at: number, characters: RegExp): number {
  const end = Math.min(text.length, at + RUN_CHARS)
  while (at < end && characters.test(text[at]!)) at++
  return at
}
