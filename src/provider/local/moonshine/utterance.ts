/**
 * One utterance on its way to text. Audio gathers in a tail; at 12 s the tail is cut at its quietest point after
 * 10 s, and what lies before becomes a piece, recognised once. The tail is recognised again and again as it grows.
 *
 *     [piece: text][piece: …][ tail ───────── run.upTo ──── now ]
 *
 * This file decides what has to be recognised next and what the answer is; it runs nothing. Pure.
 */
import { agreedPrefix, joinTexts } from './agree.ts'
import { FRAME_SAMPLES, Loudness } from './loudness.ts'
import { SLOT_SAMPLES } from './protocol.ts'

const SAMPLE_RATE_HZ = 16_000
/** A piece is never shorter than this when cut. */
const CUT_FROM = 10 * SAMPLE_RATE_HZ
/** New audio that makes another partial worth its work: 500 ms costs 0.24 core a speaking caller, 300 ms 0.38. */
const PARTIAL_EVERY = 0.5 * SAMPLE_RATE_HZ
/** Shorter audio holds no word, and under 0.06 s the model refuses it. */
const SHORTEST = 0.1 * SAMPLE_RATE_HZ
/** A partial heard the end of a word only if it also heard this much of the silence after it. */
const HEARD_SILENCE = 0.1 * SAMPLE_RATE_HZ
const FIRST_CAPACITY = 2 * SAMPLE_RATE_HZ
const NOTHING = new Int16Array(0)

/** Most urgent first. `answer`: someone waits for it; `piece`: will be needed; `partial`: nice to have. */
export type Purpose = 'answer' | 'piece' | 'partial'

export interface Job {
  readonly purpose: Purpose
  /** A view that is good until the next write. At most 12 s. */
  readonly audio: Int16Array
  readonly piece: Piece | undefined
  /** Samples of the utterance that have been written at this moment. */
  readonly upTo: number
  readonly asPreview: boolean
  /** Where the tail began at this moment. */
  readonly tailStart: number
}

export interface Piece {
  /** Emptied once its text is known. */
  audio: Int16Array
  text: Heard | undefined
}

interface Heard {
  readonly text: string
  readonly confidence: number
}

interface Run extends Heard {
  readonly upTo: number
  readonly asPreview: boolean
}

export class Utterance {
  readonly #pieces: Piece[] = []
  readonly #loudness = new Loudness()
  #tail = NOTHING
  #tailStart = 0
  #written = 0
  #run: Run | undefined
  /** Where the last recognition of the tail began to run, done or not. */
  #triedAt = 0
  #agreed = ''
  #job: Job | undefined
  #previewAsked = false
  #finalAsked = false

  /** Samples that wait to be recognised for the first time. */
  get backlog(): number {
    let sum = this.#written - Math.max(this.#tailStart, this.#run?.upTo ?? 0)
    for (const piece of this.#pieces) if (!piece.text) sum += piece.audio.length
    return sum
  }

  get isEmpty(): boolean {
    return this.#written === 0
  }

  write(samples: Int16Array): void {
    for (let from = 0; from < samples.length; ) {
      const room = SLOT_SAMPLES - (this.#written - this.#tailStart)
      const part = samples.subarray(from, from + room)
      this.#append(part)
      from += part.length
      if (this.#written - this.#tailStart === SLOT_SAMPLES) this.#cut()
    }
  }

  askPreview(): void {
    this.#previewAsked = true
  }

  askFinal(): void {
    this.#finalAsked = true
    this.#previewAsked = false
  }

  get isAsked(): boolean {
    return this.#finalAsked || this.#previewAsked
  }

  /** What should run next, or undefined: nothing to do, or what there is runs. */
  get wants(): Purpose | undefined {
    if (this.#job) return undefined
    const asked = this.isAsked
    if (this.#pieces.some((piece) => !piece.text)) return asked ? 'answer' : 'piece'
    if (asked) return this.#settled() ? undefined : 'answer'
    const due = this.#written - Math.max(this.#triedAt, this.#tailStart) >= PARTIAL_EVERY
    return due && this.#loudness.anySoundSince(this.#triedAt) ? 'partial' : undefined
  }

  /** Begins what `wants` says; its end is told by `done` or `dropped`. */
  begin(): Job | undefined {
    const purpose = this.wants
    if (!purpose) return undefined
    const piece = this.#pieces.find((one) => !one.text)
    const audio = piece?.audio ?? this.#tail.subarray(0, this.#written - this.#tailStart)
    if (!piece) this.#triedAt = this.#written
    const asPreview = this.isAsked
    this.#job = { purpose, audio, piece, upTo: this.#written, asPreview, tailStart: this.#tailStart }
    return this.#job
  }

  done(job: Job, heard: Heard): void {
    if (this.#job !== job) return
    this.#job = undefined
    if (job.piece) {
      job.piece.text = heard
      job.piece.audio = NOTHING
      return
    }
    // The tail was cut meanwhile: most of this audio is now in a piece.
    if (job.tailStart !== this.#tailStart) return
    this.#agreed = this.#run ? agreedPrefix(this.#run.text, heard.text) : ''
    this.#run = { ...heard, upTo: job.upTo, asPreview: job.asPreview }
  }

  /** The job ended without a result; what it was for is wanted again (a partial: half a second later). */
  dropped(job: Job): void {
    if (this.#job === job) this.#job = undefined
  }

  /** What runs will not serve what was asked since, because more was said. */
  get runningIsStale(): boolean {
    const job = this.#job
    if (!job || job.piece || !this.isAsked) return false
    return this.#loudness.speechSince(job.asPreview ? job.upTo : job.upTo - HEARD_SILENCE)
  }

  /** The answer that was asked for, once everything it needs is known. */
  takeAnswer(): ({ readonly kind: 'preview' | 'final' } & Heard) | undefined {
    if (!this.isAsked) return undefined
    if (this.#pieces.some((piece) => !piece.text) || !this.#settled()) return undefined
    const kind = this.#finalAsked ? 'final' : 'preview'
    this.#previewAsked = false
    return { kind, text: this.text, confidence: this.#confidence() }
  }

  /** All that is known so far. */
  get text(): string {
    return joinTexts([...this.#pieceTexts(), this.#run?.text ?? ''])
  }

  /** The part of `text` that two recognitions agreed on, or that lies in a finished piece. */
  get stable(): string {
    return joinTexts([...this.#pieceTexts(), this.#agreed])
  }

  #pieceTexts(): string[] {
    const texts: string[] = []
    for (const piece of this.#pieces) {
      if (!piece.text) break
      texts.push(piece.text.text)
    }
    return texts
  }

  /** Does what is known of the tail cover all that was said in it? */
  #settled(): boolean {
    const run = this.#run
    if (!run) {
      const short = this.#written - this.#tailStart < SHORTEST
      return (short || !this.#loudness.anySoundSince(this.#tailStart)) && !this.#job
    }
    // After a preview the caller was believed silent; a partial may have ended inside a word.
    return !this.#loudness.speechSince(run.asPreview ? run.upTo : run.upTo - HEARD_SILENCE)
  }

  #confidence(): number {
    const parts = [...this.#pieces.map((piece) => piece.text), this.#run].filter((part) => part?.text)
    const weight = (part: Heard | undefined) => part?.text.length ?? 0
    const total = parts.reduce((sum, part) => sum + weight(part), 0)
    if (total === 0) return 1
    return parts.reduce((sum, part) => sum + (part?.confidence ?? 0) * weight(part), 0) / total
  }

  #append(part: Int16Array): void {
    const used = this.#written - this.#tailStart
    if (used + part.length > this.#tail.length) {
      const capacity = Math.max(FIRST_CAPACITY, 2 * this.#tail.length, used + part.length)
      const grown = new Int16Array(Math.min(SLOT_SAMPLES, capacity))
      grown.set(this.#tail.subarray(0, used))
      this.#tail = grown
    }
    this.#tail.set(part, used)
    this.#written += part.length
    this.#loudness.push(part)
  }

  #cut(): void {
    const at = this.#loudness.quietestBetween(this.#tailStart + CUT_FROM, this.#written)
    const length = Math.min(SLOT_SAMPLES - FRAME_SAMPLES, at - this.#tailStart)
    this.#pieces.push({ audio: this.#tail.slice(0, length), text: undefined })
    this.#tail.copyWithin(0, length, SLOT_SAMPLES)
    this.#tailStart += length
    this.#loudness.forgetBefore(this.#tailStart - HEARD_SILENCE - 5 * FRAME_SAMPLES)
    this.#run = undefined
    this.#agreed = ''
    this.#triedAt = this.#tailStart
  }
}
