/**
 * The caller's frames on their way to the session: in order where the bridge does not keep it, and with silence in their
 * place where none come, or no turn would end.
 *
 *     frame ─► wait for order (at most 5 frames, 100 ms) ─► heard          nothing for a while ─► silence by the clock
 */
import { silence } from '../../../audio/convert.ts'
import { type AudioFormat, bytesToMs, msToBytes } from '../../../audio/format.ts'
import type { Clock, Timer } from '../../../clock.ts'
import type { BridgeCaps } from '../bridge.ts'

export interface HearingOptions {
  readonly clock: Clock
  readonly format: AudioFormat
  readonly caps: Pick<BridgeCaps, 'order' | 'silence'>
  readonly heard: (bytes: Uint8Array) => void
}

/** More order is not worth the delay. */
const MAX_WAITING = 5
const MAX_WAIT_MS = 100
/** Of a bridge that sends nothing in silence: longer than jitter, much shorter than a pause that ends a turn. */
const QUIET_MS = 200
/** Of one that sends always: the network stands still, and what is late will come; then it is gone. */
const LOST_MS = 1_000
const FILL_MS = 100
/** Rounding of times that bridges give in whole ms, with frames of 20. */
const ADJACENT_MS = 5

interface Waiting {
  readonly bytes: Uint8Array
  readonly placeMs: number
}

export class Hearing {
  readonly #options: HearingOptions
  readonly #quietMs: number
  readonly #silence: Uint8Array
  #waiting: Waiting[] = []
  #nextMs: number | undefined
  #wait: Timer | undefined
  #lastAt: number
  #watch: Timer | undefined
  #closed = false
  /** Since the call began. */
  readonly counts = { frames: 0, late: 0, reordered: 0, filledMs: 0 }

  constructor(options: HearingOptions) {
    const { clock, format, caps } = options
    this.#options = options
    this.#quietMs = caps.silence === 'withheld' ? QUIET_MS : LOST_MS
    this.#silence = silence(format, FILL_MS)
    this.#lastAt = clock.now()
    this.#watchFrom(this.#quietMs)
  }

  /** A frame; `placeMs` where frames may come out of order. */
  frame(bytes: Uint8Array, placeMs?: number): void {
    if (this.#closed || bytes.length === 0) return
    this.counts.frames++
    this.#lastAt = this.#options.clock.now()
    if (this.#options.caps.order === 'kept' || placeMs === undefined) return this.#options.heard(bytes)
    this.#sort({ bytes, placeMs })
  }

  close(): void {
    this.#closed = true
    this.#wait?.cancel()
    this.#watch?.cancel()
    this.#waiting = []
  }

  #sort(frame: Waiting): void {
    this.#nextMs ??= frame.placeMs
    if (frame.placeMs < this.#nextMs - ADJACENT_MS) {
      this.counts.late++
      return
    }
    const at = this.#waiting.findLastIndex(({ placeMs }) => placeMs <= frame.placeMs)
    if (this.#waiting[at]?.placeMs === frame.placeMs) return
    if (at < this.#waiting.length - 1) this.counts.reordered++
    this.#waiting.splice(at + 1, 0, frame)
    this.#inOrder()
    if (this.#waiting.length >= MAX_WAITING) this.#skip()
    if (this.#waiting.length === 0) {
      this.#wait?.cancel()
      this.#wait = undefined
    } else this.#wait ??= this.#options.clock.setTimer(MAX_WAIT_MS, () => this.#waited())
  }

  #inOrder(): void {
    for (let first = this.#waiting[0]; first; first = this.#waiting[0]) {
      if (first.placeMs > this.#nextMs! + ADJACENT_MS) return
      this.#waiting.shift()
      this.#nextMs = first.placeMs + bytesToMs(this.#options.format, first.bytes.length)
      this.#options.heard(first.bytes)
    }
  }

  /** What is missing will not come: from the first that waits. */
  #skip(): void {
    this.#nextMs = this.#waiting[0]?.placeMs
    this.#inOrder()
  }

  #waited(): void {
    this.#wait = undefined
    this.#skip()
    if (this.#waiting.length > 0) this.#wait = this.#options.clock.setTimer(MAX_WAIT_MS, () => this.#waited())
  }

  #watchFrom(ms: number): void {
    this.#watch = this.#options.clock.setTimer(ms, () => this.#look())
  }

  #look(): void {
    const quietFor = this.#options.clock.now() - this.#lastAt
    if (quietFor < this.#quietMs) return this.#watchFrom(this.#quietMs - quietFor)
    // The first time for all of the gap, so that audio time keeps up with the clock.
    const first = quietFor - this.#quietMs < FILL_MS
    this.#fill(first ? quietFor : FILL_MS)
    this.#watchFrom(FILL_MS)
  }

  #fill(ms: number): void {
    this.counts.filledMs += ms
    for (let left = ms; left > 0; left -= FILL_MS) {
      const bytes = msToBytes(this.#options.format, Math.min(FILL_MS, left))
      if (bytes > 0) this.#options.heard(this.#silence.subarray(0, bytes))
    }
  }
}
