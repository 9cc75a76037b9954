/**
 * A bridge's playback clock: it holds what it is sent, plays it at the pace of listening, and knows what the caller heard when.
 * Nothing ticks: where each piece stands is known when it comes, and a clear cuts what lies ahead.
 */
import { type AudioFormat, bytesToMs, msToBytes } from '../../audio/format.ts'
import type { Clock, Timer } from '../../clock.ts'
import { silenceOf } from './mouth.ts'

/** Sound that the caller heard, or will hear unless it is cleared. */
export interface HeardSpan {
  /** On the clock. */
  readonly startMs: number
  readonly bytes: Uint8Array
}

/** It ran dry, and more came. */
export interface Gap {
  readonly startMs: number
  readonly ms: number
}

export interface PlaybackOptions {
  readonly clock: Clock
  readonly format: AudioFormat
  /** It holds no more than this; what comes then is lost. Left out: it holds whatever comes. */
  readonly limitMs?: number
  /** Silence as long as this between two sounds is a pause between answers; a shorter one is an underrun. */
  readonly pauseMs?: number
  /** Told when it holds more than `highMs`, and then when it holds no more than `lowMs`. */
  readonly flow?: {
    readonly highMs: number
    readonly lowMs: number
    readonly crossed: (state: 'hold' | 'go') => void
  }
}

/** What becomes of something that waits for its place in the sound when that sound is thrown away. */
export type WhenCleared = 'acts' | 'forgotten'

interface Waiting {
  readonly act: () => void
  readonly whenCleared: WhenCleared
  timer: Timer | undefined
}

const PAUSE_MS = 400
/** Differences below a microsecond are the arithmetic's. */
const EPSILON_MS = 0.001

export class Playback {
  readonly gaps: Gap[] = []
  /** The most it ever held. */
  mostHeldMs = 0
  /** Lost since it held too much. */
  overflowMs = 0
  /** Thrown away by clears. */
  clearedMs = 0
  readonly #options: PlaybackOptions
  readonly #clock: Clock
  readonly #format: AudioFormat
  readonly #waiting = new Set<Waiting>()
  #spans: HeardSpan[] = []
  /** When the last sound it holds will have been played; undefined: nothing since the start, or since a clear. */
  #endMs: number | undefined
  #lowWater: Timer | undefined

  constructor(options: PlaybackOptions) {
    this.#options = options
    this.#clock = options.clock
    this.#format = options.format
  }

  /** Sound it holds and has not played. */
  get heldMs(): number {
    const left = (this.#endMs ?? 0) - this.#clock.now()
    return left > EPSILON_MS ? left : 0
  }

  /** How often it ran dry in the middle of an answer. */
  get underruns(): number {
    return this.gaps.filter(({ ms }) => ms < (this.#options.pauseMs ?? PAUSE_MS)).length
  }

  /** How many wait for their place. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** What was heard until now, piece by piece; the one that plays is cut at this moment. */
  get timeline(): readonly HeardSpan[] {
    return cutAt(this.#spans, this.#clock.now(), this.#format)
  }

  /** What was heard until now, without the silence between. */
  get heard(): Uint8Array {
    return Buffer.concat(this.timeline.map(({ bytes }) => bytes))
  }

  get heardMs(): number {
    return this.timeline.reduce((ms, { bytes }) => ms + bytesToMs(this.#format, bytes.length), 0)
  }

  take(bytes: Uint8Array): void {
    const now = this.#clock.now()
    const ms = bytesToMs(this.#format, bytes.length)
    if (this.heldMs + ms > (this.#options.limitMs ?? Number.POSITIVE_INFINITY)) {
      this.overflowMs += ms
      return
    }
    const dryMs = this.#endMs === undefined ? 0 : now - this.#endMs
    if (dryMs > EPSILON_MS) this.gaps.push({ startMs: this.#endMs!, ms: dryMs })
    const startMs = this.#endMs === undefined || dryMs > EPSILON_MS ? now : this.#endMs
    this.#spans.push({ startMs, bytes: bytes.slice() })
    this.#endMs = startMs + ms
    this.mostHeldMs = Math.max(this.mostHeldMs, this.heldMs)
    this.#watch()
  }

  /** Acts when all that it holds now has been played; at once if it holds nothing. */
  whenPlayed(act: () => void, whenCleared: WhenCleared): void {
    const leftMs = this.heldMs
    if (leftMs === 0) return act()
    const waiting: Waiting = { act, whenCleared, timer: undefined }
    this.#waiting.add(waiting)
    waiting.timer = this.#clock.setTimer(leftMs, () => {
      this.#waiting.delete(waiting)
      act()
    })
  }

  /** Throws away what was not played. Those who wait act in their order, or are forgotten. */
  clear(): void {
    this.#cut((waiting) => waiting.whenCleared === 'acts')
  }

  /** The stream is over: what was not played never will be, and nobody hears of it. */
  abandon(): void {
    this.#cut(() => false)
  }

  /** The line as it was heard, silence and all, from one moment on the clock to another. */
  recording(fromMs: number, toMs: number): Uint8Array {
    const line = silenceOf(this.#format, msToBytes(this.#format, toMs - fromMs))
    for (const { startMs, bytes } of this.timeline) {
      const ahead = msToBytes(this.#format, Math.max(0, fromMs - startMs))
      const at = msToBytes(this.#format, Math.max(0, startMs - fromMs))
      if (at < line.length && ahead < bytes.length)
        line.set(bytes.subarray(ahead, ahead + line.length - at), at)
    }
    return line
  }

  #cut(acts: (waiting: Waiting) => boolean): void {
    this.clearedMs += this.heldMs
    this.#spans = cutAt(this.#spans, this.#clock.now(), this.#format)
    this.#endMs = undefined
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const each of waiting) each.timer?.cancel()
    for (const each of waiting) if (acts(each)) each.act()

    if (this.#lowWater) this.#belowLow()
  }

  #watch(): void {
    const { flow } = this.#options
    if (!flow) return
    if (this.#lowWater) this.#lowWater.cancel()
    else if (this.heldMs <= flow.highMs) return
    else flow.crossed('hold')
    this.#lowWater = this.#clock.setTimer(this.heldMs - flow.lowMs, () => this.#belowLow())
  }

  #belowLow(): void {
    this.#lowWater?.cancel()
    this.#lowWater = undefined
    this.#options.flow?.crossed('go')
  }
}

function cutAt(spans: readonly HeardSpan[], atMs: number, format: AudioFormat): HeardSpan[] {
  return spans.flatMap((span) => {
    const playedMs = atMs - span.startMs
    if (playedMs <= 0) return []
    const bytes = span.bytes.subarray(0, msToBytes(format, playedMs + EPSILON_MS))
    return [bytes.length === span.bytes.length ? span : { startMs: span.startMs, bytes }]
  })
}
