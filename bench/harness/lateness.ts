/**
 * How late paced frames came. Frame n of an answer is due at `t0 + n · 20 ms − lead`, the first ones at `t0`; `t0` is
 * the earliest that any frame of the answer speaks for, so no frame's own lateness excuses another's.
 */
import { FRAME_MS } from './speech.ts'

export interface FrameLateness {
  readonly frames: number
  /** More than 20 ms after their schedule. */
  readonly late: number
  /** After the listener's buffer had run dry. */
  readonly dry: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly worstMs: number
}

const BUCKET_MS = 0.1
const BUCKETS = 20_000
const TOLERANCE_MS = 20

export class Lateness {
  readonly #leadMs: number
  readonly #buckets = new Uint32Array(BUCKETS)
  #frames = 0
  #late = 0
  #dry = 0
  #worstMs = 0

  constructor(leadMs: number) {
    this.#leadMs = leadMs
  }

  /** Arrival times of one answer's frames, in order. */
  add(arrivals: Float64Array): void {
    let t0 = Number.POSITIVE_INFINITY
    arrivals.forEach((at, n) => {
      t0 = Math.min(t0, at - this.#dueAfter(n))
    })
    arrivals.forEach((at, n) => {
      const lateMs = at - t0 - this.#dueAfter(n)
      const bucket = Math.min(BUCKETS - 1, Math.floor(lateMs / BUCKET_MS))
      this.#buckets[bucket] = this.#buckets[bucket]! + 1
      this.#frames++
      this.#worstMs = Math.max(this.#worstMs, lateMs)
      if (lateMs > TOLERANCE_MS) this.#late++
      // The listener began to play with the first frame it got.
      if (at > arrivals[0]! + n * FRAME_MS) this.#dry++
    })
  }

  result(): FrameLateness {
    return {
      frames: this.#frames,
      late: this.#late,
      dry: this.#dry,
      p50Ms: this.#quantile(0.5),
      p99Ms: this.#quantile(0.99),
      p999Ms: this.#quantile(0.999),
      worstMs: this.#worstMs,
    }
  }

  #dueAfter(n: number): number {
    return Math.max(0, n * FRAME_MS - this.#leadMs)
  }

  #quantile(q: number): number {
    let left = this.#frames * q
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      left -= this.#buckets[bucket]!
      if (left <= 0) return (bucket + 1) * BUCKET_MS
    }
    return BUCKETS * BUCKET_MS
  }
}
