/**
 * Audio at the pace of listening, for wires whose far side plays what comes when it comes: 20 ms frames, frame n due
 * at `t0 + n · 20 ms` of the monotonic clock, sent up to `leadMs` before.
 *
 *     push ─► [ history │ not yet sent ] ─► due ≤ now + lead? ─► send(frame)
 *
 * Late by less than the lead: caught up at once, the listener noticed nothing. Late by more, or without audio when a
 * frame was due: the listener ran dry, so the schedule starts anew from now (an underrun, counted) and never more than
 * the lead goes out in one burst. A schedule, not an interval: nothing drifts.
 */

import { silenceByte } from '../audio/convert.ts'
import { type AudioFormat, bytesToMs, msToBytes } from '../audio/format.ts'
import type { Clock } from '../clock.ts'
import type { Ticked, Ticker } from './ticker.ts'

/** One frame on its way out. `parts` says what it is made of, in order: most have one part. */
export interface PacedFrame<Tag> {
  /** Whole frames always: the last of an answer is filled up with silence, which no part counts. */
  readonly audio: Uint8Array
  readonly parts: readonly PacedPart<Tag>[]
}

export interface PacedPart<Tag> {
  readonly tag: Tag
  readonly ms: number
}

export interface PacerOptions<Tag> {
  readonly format: AudioFormat
  readonly leadMs: number
  readonly send: (frame: PacedFrame<Tag>) => void
  /** Clock time before which nothing is due: the `playsUntil` of the answer before. */
  readonly startsAt?: number
  /** `push` waits while more than this is not yet sent. */
  readonly queueMs?: number
  /** How much of what was sent `resume` can go back to. */
  readonly historyMs?: number
  readonly onUnderrun?: (dryMs: number) => void
}

/** The pace of every telephone bridge and of RTP. */
export const FRAME_MS = 20
/** Two seconds: a voice that stalls for one is not noticed, and little is thrown away at an interruption. */
const QUEUE_MS = 2000
/** The far side may hold the lead, and hears late by the network's way. */
const HISTORY_BEYOND_LEAD_MS = 1000

interface Chunk<Tag> {
  readonly bytes: Uint8Array
  readonly tag: Tag
  /** Position of its first byte in the answer. */
  readonly at: number
  /** The parts of a frame that lies wholly in this chunk, made once. */
  readonly parts: readonly PacedPart<Tag>[]
}

export class Pacer<Tag> implements Ticked {
  readonly #options: PacerOptions<Tag>
  readonly #clock: Clock
  readonly #ticker: Ticker
  readonly #frameBytes: number
  readonly #frameMs: number
  readonly #queueBytes: number
  readonly #historyBytes: number
  #chunks: Chunk<Tag>[] = []
  /** Index of the chunk that holds `#next`. */
  #current = 0
  /** Position of the next byte to send, and of the end of what was pushed. */
  #next = 0
  #end = 0
  /** When frame `#frame` 0 of the running schedule is due; null: the next frame starts a schedule. */
  #t0: number | null = null
  #frame = 0
  #startsAt: number
  #state: 'open' | 'ending' | 'closed' = 'open'
  #paused = false
  #underruns = 0
  #waiting: (() => void)[] = []
  #finished: (() => void)[] = []

  /** Made by `PacerGroup.open`. */
  constructor(options: PacerOptions<Tag>, clock: Clock, ticker: Ticker) {
    this.#options = options
    this.#clock = clock
    this.#ticker = ticker
    this.#frameBytes = msToBytes(options.format, FRAME_MS)
    this.#frameMs = bytesToMs(options.format, this.#frameBytes)
    this.#queueBytes = msToBytes(options.format, options.queueMs ?? QUEUE_MS)
    const historyMs = options.historyMs ?? options.leadMs + HISTORY_BEYOND_LEAD_MS
    this.#historyBytes = msToBytes(options.format, historyMs)
    this.#startsAt = options.startsAt ?? Number.NEGATIVE_INFINITY
  }

  /** Times the listener ran dry in the middle. */
  get underruns(): number {
    return this.#underruns
  }

  /** Audio of this answer sent so far, ms. */
  get sentMs(): number {
    return bytesToMs(this.#options.format, this.#next)
  }

  /** Audio pushed and not yet sent, ms. */
  get queuedMs(): number {
    return bytesToMs(this.#options.format, this.#end - this.#next)
  }

  /** Clock time at which the listener has played all that was sent; null before the first frame. */
  get playsUntil(): number | null {
    return this.#t0 === null ? null : this.#t0 + this.#frame * this.#frameMs
  }

  /**
   * Adds audio (whole samples, kept by reference); what is due goes out before this returns. Resolves when there is room
   * for more, or when it is dropped: await it. Ignored after `end` and `drop`.
   */
  push(bytes: Uint8Array, tag: Tag): Promise<void> {
    if (this.#state !== 'open' || bytes.length === 0) return Promise.resolve()
    this.#chunks.push({ bytes, tag, at: this.#end, parts: [{ tag, ms: this.#frameMs }] })
    this.#end += bytes.length
    this.#run()
    if (!this.#isFull) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** No more audio comes. Resolves when the last frame was sent, or all was dropped. */
  end(): Promise<void> {
    if (this.#state === 'open') {
      this.#state = 'ending'
      this.#run()
    }
    if (this.#isFinished) return Promise.resolve()
    return new Promise((resolve) => this.#finished.push(resolve))
  }

  /** Sends nothing until `resume`. */
  pause(): void {
    this.#paused = true
    this.#ticker.leave(this)
  }

  /**
   * Goes on, with a new schedule. `fromMs` of this answer: goes back there, as far as history reaches, because the
   * listener's buffer was cleared.
   */
  resume(fromMs = this.sentMs): void {
    if (!this.#paused) return
    this.#paused = false
    this.#t0 = null
    const from = msToBytes(this.#options.format, fromMs + 1e-6)
    this.#next = Math.max(this.#chunks[0]?.at ?? this.#next, Math.min(from, this.#next))
    this.#current = Math.max(
      0,
      this.#chunks.findLastIndex((chunk) => chunk.at <= this.#next),
    )
    this.#run()
  }

  /** Forgets all audio, sent and unsent, and lets go of who waits. Nothing is sent any more. */
  drop(): void {
    this.#state = 'closed'
    this.#ticker.leave(this)
    this.#chunks = []
    this.#current = 0
    this.#end = this.#next
    this.#settle()
  }

  /** Sends what is due. Called by the group's tick. */
  tick(now: number): void {
    while (!this.#paused && this.#hasFrame) {
      if (this.#t0 === null) {
        this.#t0 = Math.max(now, this.#startsAt)
        this.#frame = 0
      }
      const due = this.#t0 + this.#frame * this.#frameMs
      if (due > now + this.#options.leadMs) break
      if (due < now) this.#rebase(now - due)
      this.#frame++
      this.#options.send(this.#takeFrame())
    }
    if (this.#paused || !this.#hasFrame) this.#ticker.leave(this)
    this.#settle()
  }

  #run(): void {
    if (this.#paused) return
    this.tick(this.#clock.now())
    if (!this.#paused && this.#hasFrame) this.#ticker.join(this)
  }

  #rebase(dryMs: number): void {
    this.#t0 = this.#t0! + dryMs
    // A schedule that has not sent yet started late, which nobody could hear.
    if (this.#frame === 0) return
    this.#underruns++
    this.#options.onUnderrun?.(dryMs)
  }

  get #hasFrame(): boolean {
    if (this.#state === 'closed') return false
    const unsent = this.#end - this.#next
    return unsent >= this.#frameBytes || (this.#state === 'ending' && unsent > 0)
  }

  get #isFull(): boolean {
    return this.#end - this.#next > this.#queueBytes
  }

  get #isFinished(): boolean {
    return this.#state === 'closed' || (this.#state === 'ending' && this.#next === this.#end)
  }

  #takeFrame(): PacedFrame<Tag> {
    const chunk = this.#chunkAtNext()
    const offset = this.#next - chunk.at
    const inOne = chunk.bytes.length - offset >= this.#frameBytes
    if (inOne) this.#next += this.#frameBytes
    const frame = inOne
      ? { audio: chunk.bytes.subarray(offset, offset + this.#frameBytes), parts: chunk.parts }
      : this.#assembleFrame()
    this.#forgetHistory()
    return frame
  }

  /** A frame over the edge of chunks, or the last one. */
  #assembleFrame(): PacedFrame<Tag> {
    const audio = new Uint8Array(this.#frameBytes).fill(silenceByte(this.#options.format))
    const parts: PacedPart<Tag>[] = []
    let filled = 0
    while (filled < audio.length && this.#next < this.#end) {
      const chunk = this.#chunkAtNext()
      const offset = this.#next - chunk.at
      const piece = chunk.bytes.subarray(offset, offset + audio.length - filled)
      audio.set(piece, filled)
      filled += piece.length
      this.#next += piece.length
      const ms = bytesToMs(this.#options.format, piece.length)
      const last = parts.at(-1)
      if (last?.tag === chunk.tag) parts[parts.length - 1] = { tag: last.tag, ms: last.ms + ms }
      else parts.push({ tag: chunk.tag, ms })
    }
    return { audio, parts }
  }

  #chunkAtNext(): Chunk<Tag> {
    let chunk = this.#chunks[this.#current]!
    while (this.#next >= chunk.at + chunk.bytes.length) chunk = this.#chunks[++this.#current]!
    return chunk
  }

  #forgetHistory(): void {
    const keepFrom = this.#next - this.#historyBytes
    let gone = 0
    while (gone < this.#current && this.#chunks[gone]!.at + this.#chunks[gone]!.bytes.length <= keepFrom)
      gone++
    if (gone === 0) return
    this.#chunks.splice(0, gone)
    this.#current -= gone
  }

  #settle(): void {
    if (this.#waiting.length > 0 && (this.#state === 'closed' || !this.#isFull)) {
      for (const wake of this.#waiting.splice(0)) wake()
    }
    if (this.#finished.length > 0 && this.#isFinished) {
      for (const done of this.#finished.splice(0)) done()
    }
  }
}
