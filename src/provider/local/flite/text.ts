/**
 * Text as flite can say it: ASCII, a few signs as words, cut into clauses short enough that the first is heard
 * soon and a cancel is quick. Pure.
 */
export interface Clause {
  readonly text: string
  /** Silence that should follow. */
  readonly pauseMs: number
}

/** 160 characters take about 100 ms to synthesise and 9 s to say. */
export const CLAUSE_CHARACTERS = 160

const SENTENCE_PAUSE_MS = 250
const PHRASE_PAUSE_MS = 160
const COMMA_PAUSE_MS = 110
/** A cut where the text has no mark: the words should run on. */
const CUT_PAUSE_MS = 10

/** Empty when there is nothing to say. */
export function clausesOf(text: string): Clause[] {
  const clauses: Clause[] = []
  let rest = speakable(text)
  while (rest.length > 0) {
    const end = rest.length <= CLAUSE_CHARACTERS ? rest.length : cutAt(rest)
    const clause = rest.slice(0, end).trim()
    rest = rest.slice(end).trim()
    if (/[a-z0-9]/i.test(clause)) clauses.push({ text: clause, pauseMs: pauseAfter(clause, rest === '') })
  }
  return clauses
}

/** flite's lexicon is English and its input bytes; letters beyond ASCII lose their marks, or go. */
export function speakable(text: string): string {
  return text
    .normalize('NFKC')
    .replace(/[€£¥]\s?(\d+(?:[.,]\d+)*)/g, (sign: string, amount: string) => `${amount} ${MONEY[sign[0]!]}`)
    .replace(/[\u2018\u2019\u201b]/g, "'")
    .replace(/\s*[\u2013\u2014]\s*(?=\D|$)/g, ', ')
    .replace(/\.{2,}/g, '. ')
    .replace(/[。！？，、；：]/g, (mark) => `${CJK_MARKS[mark]} `)
    .replace(/[&%+=@°ßæœøłđð]/giu, (sign) => WORDS[sign.toLowerCase()] ?? ' ')
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\x20-\x7e]/g, ' ')
    .replace(/["*_`#~^|<>\\[\]{}]/g, ' ')
    .replace(/\s+(?=[,;:!?]|\.(?!\d)|\s|$)/g, '')
    .trim()
}

const MONEY: Record<string, string> = { '€': 'euros', '£': 'pounds', '¥': 'yen' }
const CJK_MARKS: Record<string, string> = {
  '。': '.',
  '！': '!',
  '？': '?',
  '，': ',',
  '、': ',',
  '；': ';',
  '：': ':',
}
const WORDS: Record<string, string> = {
  '&': ' and ',
  '%': ' percent',
  '+': ' plus ',
  '=': ' equals ',
  '@': ' at ',
  '°': ' degrees ',
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
}

/** The best place to cut within the limit: after a sentence, else a phrase, else a word; a giant word is cut hard. */
function cutAt(text: string): number {
  const window = text.slice(0, CLAUSE_CHARACTERS + 1)
  for (const mark of [/[.!?]+\s/g, /[;:,]\s/g, /\s/g]) {
    const ends = Array.from(window.matchAll(mark), (m) => m.index + m[0].length)
    // A tiny first piece would cost more rhythm than it saves time.
    const last = ends.findLast((end) => end >= CLAUSE_CHARACTERS / 8)
    if (last !== undefined) return last
  }
  return CLAUSE_CHARACTERS
}

function pauseAfter(clause: string, last: boolean): number {
  const mark = /([.!?;:,])['")\s]*$/.exec(clause)?.[1]
  if (mark === ',') return COMMA_PAUSE_MS
  if (mark === ';' || mark === ':') return PHRASE_PAUSE_MS
  if (mark) return SENTENCE_PAUSE_MS
  return last ? PHRASE_PAUSE_MS : CUT_PAUSE_MS
}
