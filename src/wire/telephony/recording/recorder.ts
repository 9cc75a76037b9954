/**
 * Both voices of a call on one line of time: the caller left, what the caller heard right. Whoever speaks or hears only puts a
 * reference into a queue; twice a second the queue is decoded, laid on the line and handed to the file.
 *
 *     caller(bytes, at) ─┐                                     │ written │ may still be cut │ future, at the bridge │
 *     heard(bytes, at) ──┼─► queue ─► two tracks ─► left, right ─► file
 *     cut(at) ───────────┘
 */
import { type Converter, createConverter } from '../../../audio/convert.ts'
import { type AudioFormat, sameFormat } from '../../../audio/format.ts'
import type { Clock, Timer } from '../../../clock.ts'
import type { StereoSink } from './wav-file.ts'

export interface CallRecorderOptions {
  readonly clock: Clock
  readonly sink: StereoSink
  /** Of the file. */
  readonly sampleRateHz: number
}

/** Times are the clock's, ms. Nothing here waits or throws. */
export interface CallRecorder {
  /** The caller's sound, which came at `atMs`. The bytes are kept until they are written. */
  caller(bytes: Uint8Array, format: AudioFormat, atMs: number): void
  /** Sound that plays at the far side from `atMs` on, which may be yet to come. */
  heard(bytes: Uint8Array, format: AudioFormat, atMs: number): void
  /** Nothing of what `heard` said beyond `atMs` is played. */
  cut(atMs: number): void
  /** Pieces that were left out: too many at once, or far from their time. */
  readonly dropped: number
  /** Writes what was said and heard until now. Resolves when the file is whole. Idempotent. */
  close(): Promise<void>
}

const FLUSH_MS = 500
/** Cuts are known at once; this is the slack for a mark that is on its way. */
const HOLD_MS = 1_000
/** Two minutes of frames of both sides: more at once is a fault. */
const MAX_WAITING = 12_000
/** The caller's frames come unevenly; what is later than this was silence in between. */
const CALLER_GAP_MS = 120
/** When the bridge plays is computed. */
const HEARD_GAP_MS = 10
/** Sound faster than it can be said, beyond this, is left out: the line would run late for ever. */
const MOST_AHEAD_MS = 1_000
/** What is to be heard this late is not of this call. */
const LATEST_MS = 120_000

type Piece =
  | {
      readonly side: 'left' | 'right'
      readonly bytes: Uint8Array
      readonly format: AudioFormat
      readonly atMs: number
    }
  | { readonly side: 'cut'; readonly atMs: number }

export function recordCall({ clock, sink, sampleRateHz }: CallRecorderOptions): CallRecorder {
  const beganMs = clock.now()
  const placeOf = (atMs: number) => Math.max(0, Math.round(((atMs - beganMs) * sampleRateHz) / 1000))
  const tracks = {
    left: new Track(sampleRateHz, CALLER_GAP_MS),
    right: new Track(sampleRateHz, HEARD_GAP_MS),
  }
  const queue: Piece[] = []
  let dropped = 0
  let written = 0
  let timer: Timer | undefined = clock.setTimer(FLUSH_MS, flushed)
  let closing: Promise<void> | undefined

  function put(piece: Piece): void {
    if (closing) return
    if (queue.length < MAX_WAITING) queue.push(piece)
    else dropped++
  }

  function lay(): void {
    const latest = placeOf(clock.now() + LATEST_MS)
    for (const piece of queue.splice(0)) {
      if (piece.side === 'cut') tracks.right.cut(placeOf(piece.atMs))
      else if (!tracks[piece.side].lay(piece, placeOf(piece.atMs), latest)) dropped++
    }
  }

  /** Until `end`, a place on the line. */
  function write(end: number): void {
    if (end <= written) return
    const samples = new Int16Array((end - written) * 2)
    tracks.left.take(written, end, samples, 0)
    tracks.right.take(written, end, samples, 1)
    written = end
    sink.write(samples)
  }

  function flushed(): void {
    timer = clock.setTimer(FLUSH_MS, flushed)
    lay()
    write(placeOf(clock.now() - HOLD_MS))
  }

  return {
    caller: (bytes, format, atMs) => put({ side: 'left', bytes, format, atMs }),
    heard: (bytes, format, atMs) => put({ side: 'right', bytes, format, atMs }),
    cut: (atMs) => put({ side: 'cut', atMs }),
    get dropped() {
      return dropped
    },
    close() {
      closing ??= (async () => {
        timer?.cancel()
        lay()
        // What the bridge has not played by now nobody hears.
        const now = placeOf(clock.now())
        tracks.right.cut(now)
        write(Math.max(now, written))
        tracks.left.close()
        tracks.right.close()
        await sink.close()
      })()
      return closing
    },
  }
}

/** One voice: stretches of samples, in order, silence between them. */
class Track {
  readonly #rateHz: number
  readonly #gap: number
  #stretches: { at: number; samples: Int16Array }[] = []
  /** Where the next sound belongs if it follows at once. */
  #next = Number.NEGATIVE_INFINITY
  /** Those of the stretches that follow each other without silence, and how much silence was put before them. */
  #run = 0
  #silence = 0
  #taken = 0
  #converter: { readonly of: AudioFormat; readonly is: Converter } | undefined

  constructor(rateHz: number, gapMs: number) {
    this.#rateHz = rateHz
    this.#gap = Math.round((gapMs * rateHz) / 1000)
  }

  /** False: it is not of this time. */
  lay(
    { bytes, format }: { readonly bytes: Uint8Array; readonly format: AudioFormat },
    at: number,
    latest: number,
  ): boolean {
    if (at > latest || this.#next - at > (MOST_AHEAD_MS * this.#rateHz) / 1000) return false
    if (at - this.#next > this.#gap) this.#begin(at)
    else if (this.#next - at > this.#gap) this.#pullBack(this.#next - at)
    const samples = this.#decode(bytes, format)
    this.#stretches.push({ at: this.#next, samples })
    this.#run++
    this.#next += samples.length
    return true
  }

  #begin(at: number): void {
    this.#silence = Math.min(at - this.#next, at)
    this.#run = 0
    this.#next = at
  }

  /** A line that stalled and then gave all at once was not silent meanwhile: what came belongs earlier. */
  #pullBack(ahead: number): void {
    const run = this.#stretches.slice(-this.#run)
    const first = run[0]?.at ?? this.#next
    // A hole too small to be a silence was none either.
    const wanted = this.#silence - ahead <= this.#gap ? this.#silence : ahead
    const by = this.#run === 0 ? 0 : Math.max(0, Math.min(wanted, first - this.#taken))
    for (const stretch of run) stretch.at -= by
    this.#next -= by
    this.#silence -= by
  }

  cut(at: number): void {
    this.#stretches = this.#stretches.flatMap((stretch) => {
      if (stretch.at >= at) return []
      return [{ at: stretch.at, samples: stretch.samples.subarray(0, at - stretch.at) }]
    })
    if (this.#next <= at) return
    this.#run = 0
    this.#next = Math.max(at, this.#taken)
    this.#converter?.is.flush()
  }

  /** Every other of `into`, from `channel` on. What came too late for its place is left out. */
  take(from: number, to: number, into: Int16Array, channel: 0 | 1): void {
    this.#taken = to
    let whole = 0
    for (const { at, samples } of this.#stretches) {
      const first = Math.max(from, at)
      const end = Math.min(to, at + samples.length)
      for (let place = first; place < end; place++) into[(place - from) * 2 + channel] = samples[place - at]!
      if (at + samples.length > to) break
      whole++
    }
    this.#stretches.splice(0, whole)
    this.#run = Math.min(this.#run, this.#stretches.length)
    this.#next = Math.max(this.#next, to)
  }

  close(): void {
    this.#converter?.is.close()
    this.#stretches = []
  }

  #decode(bytes: Uint8Array, format: AudioFormat): Int16Array {
    if (!this.#converter || !sameFormat(this.#converter.of, format)) {
      this.#converter?.is.close()
      const is = createConverter(format, { encoding: 'pcm16', sampleRateHz: this.#rateHz })
      this.#converter = { of: format, is }
    }
    const pcm = this.#converter.is.process(bytes)
    // Samples of two bytes want an even place in memory.
    const even = pcm.byteOffset % 2 === 0 ? pcm : new Uint8Array(pcm)
    return new Int16Array(even.buffer, even.byteOffset, even.byteLength >> 1)
  }
}
