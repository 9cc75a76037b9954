/**
 * Which words belong to which utterance, and what each question about them is answered with. Providers number their
 * audio from the first byte and know no utterances of ours: a segment belongs to the one its middle falls into, so
 * that what comes late for an answered or discarded utterance is nobody's. Pure.
 *
 *     audio  ────────|──────────────|─ ─ ─        | boundaries: `final` and `discard`
 *     segments [···][····]      [······]
 *
 * All times are milliseconds of the audio given to the provider, padding included.
 */
import type { SttEvent, Word } from '../stage/stt.ts'

/** What a provider says of a stretch of audio. */
export interface Segment {
  readonly startMs: number
  readonly endMs: number
  readonly text: string
  /** Will not change; what follows is another segment. Otherwise the next segment replaces it. */
  readonly settled: boolean
  /** Stands without a space after what comes before: a full stop that came late, or a script without spaces. */
  readonly joined?: boolean
  /** The prefix of an unsettled text that will not change. */
  readonly stable?: string
  readonly words?: readonly Word[]
  /** 0…1 */
  readonly confidence?: number
  readonly language?: string
}

export type Question = 'preview' | 'final'

export interface Waiting {
  /** The same object for the same question. */
  readonly question: object
  readonly atMs: number
  /** Where its utterance begins. */
  readonly fromMs: number
  /** Are there words that will not change, and others that still may? */
  readonly hasSettled: boolean
  readonly hasUnsettled: boolean
}

interface Utterance {
  readonly fromMs: number
  /** Infinite while it is spoken. */
  toMs: number
  readonly settled: Segment[]
  unsettled: Segment | undefined
  /** Of the last preview. */
  previewMs: number | undefined
}

interface Asked {
  readonly question: Question
  readonly utterance: Utterance
  /** All audio before it belongs into the answer; what may follow it is silence. */
  readonly atMs: number
}

export class Utterances {
  /** Those whose final was not given, oldest first; the last one is being spoken. */
  readonly #open: Utterance[] = [begin(0)]
  #asked: Asked[] = []
  /** Up to here nothing more is to come. */
  #coveredMs = 0
  /** Between the last preview and the final that it stood for. */
  #silence = { fromMs: 0, toMs: 0 }

  get #spoken(): Utterance {
    return this.#open.at(-1)!
  }

  /** The oldest question without an answer. */
  get waiting(): Waiting | undefined {
    const first = this.#asked[0]
    return (
      first && {
        question: first,
        atMs: first.atMs,
        fromMs: first.utterance.fromMs,
        hasSettled: first.utterance.settled.length > 0,
        hasUnsettled: (first.utterance.unsettled?.text ?? '') !== '',
      }
    )
  }

  get coveredMs(): number {
    return this.#coveredMs
  }

  /** Nothing asked, and nothing written since the last boundary. */
  idleAt(positionMs: number): boolean {
    return this.#asked.length === 0 && positionMs <= this.#spoken.fromMs
  }

  /** The audio ends at `atMs` now. True when the provider must be asked; otherwise `drain` has the answer. */
  ask(question: Question, atMs: number): boolean {
    const utterance = this.#spoken
    const isAsked = this.#asked.some((asked) => asked.atMs === atMs)
    this.#asked.push({ question, utterance, atMs })
    if (question === 'preview') utterance.previewMs = atMs
    else this.#commit(utterance, atMs)
    return !isAsked && atMs > this.#coveredMs && atMs > utterance.fromMs
  }

  /**
   * The audio ends at `atMs`, and nobody spoke since the last preview: its answer, or the one that it is owed, is that of the final
   * too. Returns where that silence begins; undefined when `ask` must do: there was no preview, or words after it.
   */
  askSilent(atMs: number): number | undefined {
    const utterance = this.#spoken
    const { previewMs, unsettled } = utterance
    if (previewMs === undefined) return undefined
    const isOwed = this.#asked.some((asked) => asked.utterance === utterance)
    // A provider that has not made up its mind is asked to.
    if (!isOwed && (previewMs > this.#coveredMs || (unsettled?.text ?? '') !== '')) return undefined
    this.#asked.push({ question: 'final', utterance, atMs: previewMs })
    this.#silence = { fromMs: previewMs, toMs: atMs }
    this.#commit(utterance, atMs)
    return previewMs
  }

  /** The audio so far was nobody's: padding while nobody spoke. */
  skipTo(positionMs: number): void {
    if (this.#asked.length === 0) this.#open[this.#open.length - 1] = begin(positionMs)
  }

  /** What was written since the last boundary is forgotten. True when there was something. */
  discard(atMs: number): boolean {
    const utterance = this.#spoken
    this.#asked = this.#asked.filter((asked) => asked.utterance !== utterance)
    this.#open[this.#open.length - 1] = begin(atMs)
    return atMs > utterance.fromMs
  }

  /** The answers that are due by now, in order: the questions whose audio is covered, or that had none. */
  drain(): SttEvent[] {
    const events: SttEvent[] = []
    for (let first = this.#asked[0]; first && this.#due(first); first = this.#asked[0]) {
      this.#asked.shift()
      events.push(this.#answer(first))
    }
    return events
  }

  /** Where a provider's turn lies across a boundary of ours, each utterance has its own words of it. */
  parted(segment: Segment): readonly Segment[] {
    const { startMs, endMs, words = [] } = segment
    if (!this.#open.some(({ fromMs }) => fromMs > startMs && fromMs < endMs)) return [segment]
    if (words.length === 0) return [this.#afterSilence(segment)]
    const middle = (word: Word) => (word.startMs + word.endMs) / 2
    return this.#open.flatMap(({ fromMs, toMs }) => {
      const own = words.filter((word) => middle(word) >= fromMs && middle(word) < toMs)
      const [first, last] = [own[0], own.at(-1)]
      if (!first || !last) return []
      const text = own.map((word) => word.text).join(' ')
      return [{ ...segment, startMs: first.startMs, endMs: last.endMs, text, words: own }]
    })
  }

  /** The provider said something of some audio. */
  hear(segment: Segment): SttEvent[] {
    const middle = (segment.startMs + segment.endMs) / 2
    const utterance = this.#open.find(({ fromMs, toMs }) => middle >= fromMs && middle < toMs)
    if (!utterance) return []
    // Said twice, or too late: what is settled stays.
    if (middle < (utterance.settled.at(-1)?.endMs ?? 0)) return []
    if (!segment.settled) utterance.unsettled = segment
    else {
      utterance.unsettled = undefined
      if (segment.text !== '') utterance.settled.push(segment)
    }
    // Readers take what comes before a final for a part of it.
    return utterance === this.#open[0] && textOf(utterance) !== '' ? [partialOf(utterance)] : []
  }

  /** All audio up to `toMs` has been recognised. */
  cover(toMs: number): SttEvent[] {
    this.#coveredMs = Math.max(this.#coveredMs, toMs)
    return this.drain()
  }

  /** The text of the utterance being spoken, when no older one waits, and the audio at `atMs` is of it. */
  spokenText(atMs = Number.POSITIVE_INFINITY): string {
    return this.#open.length === 1 && atMs >= this.#spoken.fromMs ? textOf(this.#spoken) : ''
  }

  #commit(utterance: Utterance, atMs: number): void {
    utterance.toMs = atMs
    this.#open.push(begin(atMs))
  }

  /** It began while nobody spoke, and its words say no times: they are of who spoke next. */
  #afterSilence(segment: Segment): Segment {
    const { fromMs, toMs } = this.#silence
    const { startMs, endMs } = segment
    if (startMs < fromMs || startMs >= toMs || endMs <= toMs) return segment
    return { ...segment, startMs: toMs }
  }

  #due({ atMs, utterance }: Asked): boolean {
    return atMs <= this.#coveredMs || atMs <= utterance.fromMs
  }

  #answer({ question, utterance }: Asked): SttEvent {
    if (question === 'preview') return { ...partialOf(utterance), complete: true }
    this.#open.splice(this.#open.indexOf(utterance), 1)
    return finalOf(utterance)
  }
}

function begin(fromMs: number): Utterance {
  return { fromMs, toMs: Number.POSITIVE_INFINITY, settled: [], unsettled: undefined, previewMs: undefined }
}

function segmentsOf({ settled, unsettled }: Utterance): readonly Segment[] {
  return unsettled && unsettled.text !== '' ? [...settled, unsettled] : settled
}

function textOf(utterance: Utterance): string {
  return joined(segmentsOf(utterance))
}

function joined(parts: readonly Pick<Segment, 'text' | 'joined'>[]): string {
  let whole = ''
  for (const { text, joined: isJoined } of parts) {
    if (text !== '') whole += whole === '' || isJoined ? text : ` ${text}`
  }
  return whole
}

function partialOf(utterance: Utterance): Extract<SttEvent, { type: 'partial' }> {
  const language = languageOf(utterance)
  const { settled, unsettled } = utterance
  const stable = joined([...settled, ...(unsettled ? [{ ...unsettled, text: unsettled.stable ?? '' }] : [])])
  const text = textOf(utterance)
  return {
    type: 'partial',
    text,
    stable: text.startsWith(stable) ? stable : joined(settled),
    complete: false,
    ...(language !== undefined && { language }),
  }
}

function finalOf(utterance: Utterance): SttEvent {
  const segments = segmentsOf(utterance)
  const language = languageOf(utterance)
  const words = segments.flatMap((segment) => segment.words ?? [])
  const confidence = confidenceOf(segments)
  return {
    type: 'final',
    text: textOf(utterance),
    ...(language !== undefined && { language }),
    ...(confidence !== undefined && { confidence }),
    ...(words.length > 0 && { words }),
  }
}

function languageOf(utterance: Utterance): string | undefined {
  return segmentsOf(utterance).findLast(({ language }) => language !== undefined)?.language
}

/** The mean, a longer segment counting for more. */
function confidenceOf(segments: readonly Segment[]): number | undefined {
  let sum = 0
  let length = 0
  for (const { confidence, text } of segments) {
    if (confidence === undefined) continue
    sum += confidence * text.length
    length += text.length
  }
  return length === 0 ? undefined : sum / length
}
