/**
 * One utterance on its way to text, for recognisers that hear a stretch of audio as a whole. Audio gathers in a tail; when
 * it is long, the tail is cut at its quietest point, and what lies before becomes a piece, recognised once. The tail may be
 * recognised again and again as it grows.
 *
 *     [piece: text][piece: …][ tail ───────── run.upTo ──── now ]
 *
 * This file decides what has to be recognised next and what the answer is; it runs nothing. 16 kHz everywhere. Pure.
 */
import type { Word } from '../stage/stt.ts'
import { agreedPrefix, joinTexts } from './agree.ts'
import { FRAME_SAMPLES, Loudness } from './loudness.ts'

const SAMPLE_RATE_HZ = 16_000
const SAMPLES_PER_MS = SAMPLE_RATE_HZ / 1000

export interface Cutting {
  /** The longest stretch recognised at once, in samples. */
  readonly longest: number
  /** A piece is never shorter than this when cut. */
  readonly cutFrom: number
  /** New audio that makes another partial worth its work; infinite: none is. */
  readonly partialEvery: number
  /** Is a preview renewed when more is said before its answer, or is the audio before the question enough? */
  readonly previews: 'renewed' | 'once'
}

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
  /** A view that is good until the next write. */
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
  /** Where it begins in the utterance. */
  readonly start: number
  text: Heard | undefined
}

export interface Heard {
  readonly text: string
  readonly confidence?: number
  readonly language?: string
  /** From the beginning of the audio that was recognised; in an answer, of the stream. */
  readonly words?: readonly Word[]
}

interface Run extends Heard {
  readonly upTo: number
  readonly asPreview: boolean
}

export class WholeUtterance {
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
  /** The samples that a preview is about, where one was asked for. */
  #previewOf: number | undefined
  #finalAsked = false

  /** `from`: where it begins in its stream, in samples. */
  constructor(
    private readonly cutting: Cutting,
    private readonly from = 0,
  ) {}

  /** Samples that wait to be recognised for the first time. */
  get backlog(): number {
    let sum = this.#written - Math.max(this.#tailStart, this.#run?.upTo ?? 0)
    for (const piece of this.#pieces) if (!piece.text) sum += piece.audio.length
    return sum
  }

  get isEmpty(): boolean {
    return this.#written === 0
  }

  get samples(): number {
    return this.#written
  }

  write(samples: Int16Array): void {
    const { longest } = this.cutting
    for (let from = 0; from < samples.length; ) {
      const room = longest - (this.#written - this.#tailStart)
      const part = samples.subarray(from, from + room)
      this.#append(part)
      from += part.length
      if (this.#written - this.#tailStart === longest) this.#cut()
    }
  }

  askPreview(): void {
    this.#previewOf = this.#written
  }

  askFinal(): void {
    this.#finalAsked = true
    this.#previewOf = undefined
  }

  get isAsked(): boolean {
    return this.#finalAsked || this.#previewOf !== undefined
  }

  /** What should run next, or undefined: nothing to do, or what there is runs. */
  get wants(): Purpose | undefined {
    if (this.#job) return undefined
    const asked = this.isAsked
    if (this.#pieces.some((piece) => !piece.text)) return asked ? 'answer' : 'piece'
    if (asked) return this.#settled() ? undefined : 'answer'
    const due = this.#written - Math.max(this.#triedAt, this.#tailStart) >= this.cutting.partialEvery
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

  done(job: Job, result: Heard): void {
    if (this.#job !== job) return
    this.#job = undefined
    const heard = placed(result, this.from + (job.piece?.start ?? job.tailStart))
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
    return !this.#covers(job)
  }

  /** The answer that was asked for, once everything it needs is known. */
  takeAnswer(): ({ readonly kind: 'preview' | 'final' } & Heard) | undefined {
    if (!this.isAsked) return undefined
    if (this.#pieces.some((piece) => !piece.text) || !this.#settled()) return undefined
    const kind = this.#finalAsked ? 'final' : 'preview'
    this.#previewOf = undefined
    const confidence = this.#confidence()
    const language = this.language
    const words = this.#heard().flatMap((part) => part.words ?? [])
    return {
      kind,
      text: this.text,
      ...(confidence !== undefined && { confidence }),
      ...(language !== undefined && { language }),
      ...(words.length > 0 && { words }),
    }
  }

  /** As last recognised. */
  get language(): string | undefined {
    return this.#heard().findLast((part) => part.text !== '' && part.language !== undefined)?.language
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
    return this.#covers(run)
  }

  /** Is a recognition that heard that much an answer to what was asked? */
  #covers({ upTo, asPreview }: Pick<Run, 'upTo' | 'asPreview'>): boolean {
    const enough = this.cutting.previews === 'once' && !this.#finalAsked ? this.#previewOf : undefined
    if (enough !== undefined && upTo >= enough) return true
    // After a preview the caller was believed silent; a partial may have ended inside a word.
    return !this.#loudness.speechSince(asPreview ? upTo : upTo - HEARD_SILENCE)
  }

  #heard(): Heard[] {
    return [...this.#pieces.map((piece) => piece.text), this.#run].filter((part) => part !== undefined)
  }

  /** The mean, a longer text counting for more; unknown where no part has one. */
  #confidence(): number | undefined {
    const parts = this.#heard().filter(({ text }) => text !== '')
    if (parts.some(({ confidence }) => confidence === undefined)) return undefined
    const total = parts.reduce((sum, { text }) => sum + text.length, 0)
    if (total === 0) return 1
    return parts.reduce((sum, { text, confidence = 0 }) => sum + confidence * text.length, 0) / total
  }

  #append(part: Int16Array): void {
    const used = this.#written - this.#tailStart
    if (used + part.length > this.#tail.length) {
      const capacity = Math.max(FIRST_CAPACITY, 2 * this.#tail.length, used + part.length)
      const grown = new Int16Array(Math.min(this.cutting.longest, capacity))
      grown.set(this.#tail.subarray(0, used))
      this.#tail = grown
    }
    this.#tail.set(part, used)
    this.#written += part.length
    this.#loudness.push(part)
  }

  #cut(): void {
    const { longest, cutFrom } = this.cutting
    const at = this.#loudness.quietestBetween(this.#tailStart + cutFrom, this.#written)
    const length = Math.min(longest - FRAME_SAMPLES, at - this.#tailStart)
    this.#pieces.push({ audio: this.#tail.slice(0, length), start: this.#tailStart, text: undefined })
    this.#tail.copyWithin(0, length, longest)
    this.#tailStart += length
    this.#loudness.forgetBefore(this.#tailStart - HEARD_SILENCE - 5 * FRAME_SAMPLES)
    this.#run = undefined
    this.#agreed = ''
    this.#triedAt = this.#tailStart
  }
}

/** Its words, from the beginning of the stream. */
function placed(heard: Heard, samples: number): Heard {
  if (!heard.words || samples === 0) return heard
  const ms = Math.round(samples / SAMPLES_PER_MS)
  const words = heard.words.map((word) => ({
    ...word,
    startMs: word.startMs + ms,
    endMs: word.endMs + ms,
  }))
  return { ...heard, words }
}
