/**
 * The ledger of one response: what was made, what was sent, and so what the caller has heard.
 *
 *     sentence ─► synthesised ─► sent ─► (acknowledged | the clock) ─► heard ≤ sent ≤ synthesised
 *
 * The clock's model: a chunk starts playing when it is sent or when the one before ends, whichever is later, so what
 * was not yet played is always in one piece at the end. Where the far side reports what it played, that wins. Times of
 * audio are ms from the response's first sample; times of the clock are `Clock.now()`. Pure.
 */
import { speechUnits } from '../stage/speech-length.ts'
import type { SpokenWord } from '../stage/tts.ts'
import { heardByShare, heardByWords, paceOf } from './heard-text.ts'

export interface HeardSoFar {
  /** Whole milliseconds. */
  readonly ms: number
  /** A beginning of the response's text, without the space at its end. */
  readonly text: string
}

/** One synthesis of one sentence; a sentence whose voice broke off may have two. */
interface Take {
  readonly index: number
  synthesisedMs: number
  sentMs: number
  words: SpokenWord[]
  state: 'open' | 'done' | 'broken'
}

/** A sentence counts as whole although its last two frames are not out: they hold the breath after it. */
const TAIL_MS = 40

export class HeardLedger {
  readonly #reportsPlayed: boolean
  readonly #texts = new Map<number, string>()
  readonly #takes: Take[] = []
  #sentMs = 0
  #playedMs: number | null = null
  /** When the far side has played all it was sent. */
  #endsAt: number | null = null
  /** While paused: what it was sent and has not played. */
  #pausedLeftMs: number | null = null
  #cut: HeardSoFar | null = null

  constructor(options: { readonly reportsPlayed: boolean }) {
    this.#reportsPlayed = options.reportsPlayed
  }

  /** A sentence in source text, as the wire shows it, with its space. Indexes rise. */
  sentence(index: number, text: string): void {
    if (this.#cut) return
    this.#texts.set(index, (this.#texts.get(index) ?? '') + text)
    this.#take(index)
  }

  /** Sound before the first sentence that is no part of the text: a filler phrase. Nothing was sent yet. */
  lead(index: number): void {
    if (this.#cut) return
    this.#texts.set(index, '')
    this.#takes.unshift(freshTake(index))
  }

  /** Times of words, from the start of the sentence's own audio; may come in parts. */
  words(index: number, words: readonly SpokenWord[]): void {
    if (!this.#cut) this.#take(index).words.push(...words)
  }

  /** `ms` more of the sentence's audio came from the voice. */
  synthesised(index: number, ms: number): void {
    if (!this.#cut) this.#take(index).synthesisedMs += ms
  }

  /** The sentence's audio is complete: its length is now measured. */
  sentenceDone(index: number): void {
    if (!this.#cut) this.#take(index).state = 'done'
  }

  /** The voice broke off in this sentence, and says it again from its start. */
  restarted(index: number): void {
    if (this.#cut) return
    const broken = this.#take(index)
    broken.state = 'broken'
    this.#takes.splice(this.#takes.indexOf(broken) + 1, 0, freshTake(index))
  }

  /** What has no sound yet will have none: its words, and the rest of those that broke off, leave the text. */
  abandon(): void {
    if (this.#cut) return
    for (const [index, sentence] of this.#texts) {
      const takes = this.#takes.filter((take) => take.index === index)
      if (takes.some(({ state }) => state === 'done')) continue
      const sounded = takes.filter(({ synthesisedMs }) => synthesisedMs > 0)
      const letters = sounded.map((take) => this.#lettersOf(take, sentence, take.synthesisedMs))
      const kept = sentence.slice(0, Math.max(0, ...letters)).trimEnd()
      this.#texts.set(index, kept === '' ? '' : `${kept} `)
      for (const take of takes) take.state = 'broken'
    }
  }

  /** The wire took `ms` of the sentence's audio at `now`. */
  sent(index: number, ms: number, now: number): void {
    if (this.#cut) return
    this.#addSent(index, ms)
    this.#sentMs += ms
    if (this.#pausedLeftMs !== null) this.#pausedLeftMs += ms
    else this.#endsAt = Math.max(now, this.#endsAt ?? now) + ms
  }

  /** The far side says it has played `ms` of this response. From then on only such reports count. */
  played(ms: number): void {
    if (!this.#cut) this.#playedMs = Math.max(this.#playedMs ?? 0, ms)
  }

  /** The far side stopped playing at `now` and holds the rest. */
  paused(now: number): void {
    if (!this.#cut) this.#pausedLeftMs ??= this.#leftMs(now)
  }

  /**
   * It plays on. With `fromMs` it had thrown away what it held, and the audio from there on will be sent again (and
   * must be told to `sent` again).
   */
  resumed(now: number, fromMs?: number): void {
    if (this.#cut || this.#pausedLeftMs === null) return
    if (fromMs === undefined) this.#endsAt = now + this.#pausedLeftMs
    else {
      this.#takeBack(this.#sentMs - fromMs)
      this.#endsAt = now
    }
    this.#pausedLeftMs = null
  }

  /** All source text so far. */
  get text(): string {
    return [...this.#texts.values()].join('')
  }

  get sentMs(): number {
    return this.#sentMs
  }

  /** The text of what was sent, heard or not. */
  get sentText(): string {
    return this.#textAt(this.#sentMs)
  }

  /** The clock time at which the far side runs dry; null while nothing was sent, and while paused. */
  get playbackEndsAt(): number | null {
    return this.#pausedLeftMs === null ? this.#endsAt : null
  }

  heard(now: number): HeardSoFar {
    return this.#cut ?? this.#at(this.#heardMs(now))
  }

  /** Freezes what was heard: what comes later, late chunks and reports too, changes nothing. */
  cut(now: number): HeardSoFar {
    this.#cut = this.heard(now)
    return this.#cut
  }

  /** The far side's last word (a truncate): `ms` were heard, as far as they were sent. Cuts if nothing has. */
  amend(ms: number): HeardSoFar {
    this.#cut = this.#at(Math.max(0, Math.min(ms, this.#sentMs)))
    return this.#cut
  }

  #at(ms: number): HeardSoFar {
    // The sliver undoes the rounding of sums of fractions.
    return { ms: Math.floor(ms + 1e-6), text: this.#textAt(ms) }
  }

  #heardMs(now: number): number {
    if (this.#reportsPlayed || this.#playedMs !== null) return Math.min(this.#playedMs ?? 0, this.#sentMs)
    return Math.max(0, this.#sentMs - (this.#pausedLeftMs ?? this.#leftMs(now)))
  }

  #leftMs(now: number): number {
    return Math.max(0, (this.#endsAt ?? now) - now)
  }

  /** A paced wire takes what broke off when the sentence is being said again already: takes are sent in their order. */
  #addSent(index: number, ms: number): void {
    const last = this.#take(index)
    let left = ms
    for (const take of this.#takes) {
      if (take.index !== index || take === last) continue
      const part = Math.min(left, Math.max(0, take.synthesisedMs - take.sentMs))
      take.sentMs += part
      left -= part
    }
    last.sentMs += left
  }

  #takeBack(ms: number): void {
    let left = Math.max(0, Math.min(ms, this.#sentMs))
    this.#sentMs -= left
    for (let i = this.#takes.length - 1; i >= 0 && left > 0; i--) {
      const take = this.#takes[i]!
      const back = Math.min(left, take.sentMs)
      take.sentMs -= back
      left -= back
    }
  }

  /** The take of a sentence that is being made or sent: the last. */
  #take(index: number): Take {
    const found = this.#takes.findLast((take) => take.index === index)
    if (found) return found
    const take = freshTake(index)
    this.#takes.push(take)
    return take
  }

  #textAt(ms: number): string {
    if (ms <= 0) return ''
    const text = this.text
    const starts = new Map<number, number>()
    let at = 0
    for (const [index, sentence] of this.#texts) {
      starts.set(index, at)
      at += sentence.length
    }
    let reached = 0
    let left = ms
    for (const [i, take] of this.#takes.entries()) {
      const sentence = this.#texts.get(take.index) ?? ''
      const start = starts.get(take.index) ?? 0
      const silent = take.synthesisedMs === 0 && take.sentMs === 0
      if (silent && (take.state !== 'open' || this.#anySentAfter(i))) {
        if (take.state !== 'broken') reached = Math.max(reached, start + sentence.length)
        continue
      }
      const heard = Math.min(left, take.sentMs)
      if (heard <= 0) break
      const whole = take.state === 'done' && heard >= take.synthesisedMs - TAIL_MS
      const letters = whole ? sentence.length : this.#lettersOf(take, sentence, heard)
      // A phrase without a place in the text may have come when the sentences were known already.
      if (sentence !== '') reached = Math.max(reached, start + letters)
      if (!whole && take.state !== 'broken') break
      left -= heard
    }
    return text.slice(0, reached).trimEnd()
  }

  /** A sentence without audio (a code block) is behind us once something after it was sent. */
  #anySentAfter(i: number): boolean {
    return this.#takes.slice(i + 1).some((take) => take.sentMs > 0)
  }

  #lettersOf(take: Take, sentence: string, heardMs: number): number {
    if (take.words.length > 0) return heardByWords(sentence, take.words, heardMs)
    return heardByShare(sentence, heardMs, take.state === 'done' ? take.synthesisedMs : null, this.#pace())
  }

  #pace(): number {
    let units = 0
    let ms = 0
    for (const take of this.#takes) {
      const text = this.#texts.get(take.index) ?? ''
      if (take.state !== 'done' || take.synthesisedMs === 0 || text === '') continue
      units += speechUnits(text)
      ms += take.synthesisedMs
    }
    return paceOf(units, ms)
  }
}

function freshTake(index: number): Take {
  return { index, synthesisedMs: 0, sentMs: 0, words: [], state: 'open' }
}
