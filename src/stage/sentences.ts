/**
 * A model's text, as it streams in, cut into pieces to be said: the first clause as soon as it stands, later whole
 * sentences. Every character of the source is in exactly one piece, so the pieces' texts joined are the model's text;
 * beside each stands what the voice says, which is nothing for code, rules and emoji.
 *
 *     "Sure, I can help. First, o" ─► { text: 'Sure, I can help. ', spoken: 'Sure, I can help.' }     'First, o' waits
 *
 * Nothing here knows the time: where the text stalls, the runner calls `flushClause`.
 */
import { type CutContext, dripCut, nextCut, PIECE_CHARS } from './sentences/cut.ts'
import { speakable } from './speakable.ts'
import { speechUnits } from './speech-length.ts'

export interface Piece {
  /** Exactly as the model wrote it, with its space. */
  readonly text: string
  /** Without markup, emoji and addresses; '' when there is nothing to say. */
  readonly spoken: string
}

/** Until this much was said (about a second and a half) clauses go out early. */
const EARLY_UNITS = 24
/** A line of code is let go at this length, that no line without end is held. */
const CODE_CHARS = 1000
const FENCE = '```'

export class SentenceSplitter {
  #text = ''
  #half = ''
  #saidUnits = 0
  #lineStart = true
  #lowerCase: boolean | null = null
  #code: 'none' | 'open' | 'inside' = 'none'

  /** More text; the pieces that are complete now. */
  push(delta: string): Piece[] {
    this.#text += this.#half + delta
    // Half of a character tells nothing about itself: it waits for its other half.
    this.#half = /[\ud800-\udbff]$/.exec(this.#text)?.[0] ?? ''
    if (this.#half !== '') this.#text = this.#text.slice(0, -1)
    return this.#take('more')
  }

  /** No more text; what is left. The splitter may then begin another answer. */
  flush(): Piece[] {
    this.#text += this.#half
    this.#half = ''
    const pieces = this.#take('final')
    if (this.#text !== '')
      pieces.push(this.#code === 'none' ? this.#said(this.#text.length) : this.#unsaid(this.#text.length))
    this.#saidUnits = 0
    this.#lineStart = true
    this.#lowerCase = null
    this.#code = 'none'
    return pieces
  }

  /** The text has stalled: lets go of what can be said up to a clause, or of 60 characters and more. */
  flushClause(): Piece[] {
    if (this.#code !== 'none') return []
    const cut = dripCut(this.#text, this.#context('more'))
    return cut === null ? [] : [this.#said(cut)]
  }

  #take(ending: 'more' | 'final'): Piece[] {
    const pieces: Piece[] = []
    while (this.#text !== '') {
      if (this.#code === 'none' && this.#text.startsWith(FENCE)) this.#code = 'open'
      const piece = this.#code === 'none' ? this.#nextSaid(ending) : this.#nextCode()
      if (!piece) break
      pieces.push(piece)
    }
    return pieces
  }

  #nextSaid(ending: 'more' | 'final'): Piece | null {
    const cut = nextCut(this.#text, this.#context(ending))
    return cut === null ? null : this.#said(cut)
  }

  /** Code goes line by line, up to the fence that closes it; none of it is said. */
  #nextCode(): Piece | null {
    const from = this.#code === 'open' ? FENCE.length : 0
    const line = this.#text.indexOf('\n', from)
    const fence = (line < 0 ? this.#text : this.#text.slice(0, line)).indexOf(FENCE, from)
    if (fence >= 0) {
      this.#code = 'none'
      return this.#unsaid(fence + FENCE.length)
    }
    const end = line >= 0 ? line + 1 : this.#longLine()
    if (end === 0) return null
    this.#code = 'inside'
    return this.#unsaid(end)
  }

  /** A fence may be arriving at the end of the line. */
  #longLine(): number {
    return this.#text.length > CODE_CHARS + FENCE.length && this.#text[CODE_CHARS] !== '`' ? CODE_CHARS : 0
  }

  #context(ending: 'more' | 'final'): CutContext {
    this.#lowerCase ??= isLowerCase(this.#text)
    return {
      lineStart: this.#lineStart,
      lowerCase: this.#lowerCase ?? false,
      early: this.#saidUnits < EARLY_UNITS ? 'early' : 'later',
      final: ending === 'final',
    }
  }

  #said(end: number): Piece {
    const text = this.#cutOff(end)
    const spoken = speakable(text)
    this.#saidUnits += speechUnits(spoken)
    return { text, spoken }
  }

  #unsaid(end: number): Piece {
    return { text: this.#cutOff(end), spoken: '' }
  }

  #cutOff(end: number): string {
    const text = this.#text.slice(0, end)
    this.#text = this.#text.slice(end)
    this.#lineStart = /\n\s*$/.test(text)
    return text
  }
}

/** Whether the first letter that has a case is small; null while there is none. No decision looks beyond a piece. */
function isLowerCase(text: string): boolean | null {
  const first = /\p{Lu}|\p{Ll}/u.exec(text.slice(0, PIECE_CHARS))
  return first ? /\p{Ll}/u.test(first[0]) : null
}
