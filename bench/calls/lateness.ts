/**
 * How late sound came to a bridge that plays at the pace of listening. A message whose last frame begins at `b` of its answer is due at
 * `t0 + b − lead`, the first ones at `t0`, the earliest that any message of the answer speaks for; it ran dry when it came after what was
 * before it had been played.
 */

export interface PlayedAnswer {
  /** When each message came, and where in the answer it ends, ms. */
  readonly arrivals: readonly number[]
  readonly ends: readonly number[]
  /** From the caller's last frame of speech to the first sound. */
  readonly waitedMs: number
}

export interface CallLateness {
  /** Of 20 ms. */
  readonly frames: number
  readonly late: number
  readonly dry: number
  readonly worstMs: number
}

const LATE_MS = 20
const FRAME_MS = 20

export class CallsLateness {
  readonly #leadMs: number
  #frames = 0
  #late = 0
  #dry = 0
  #worstMs = 0

  constructor(leadMs: number) {
    this.#leadMs = leadMs
  }

  add({ arrivals, ends }: PlayedAnswer): void {
    const due = ends.map((end) => Math.max(0, end - FRAME_MS - this.#leadMs))
    const t0 = Math.min(...arrivals.map((at, i) => at - due[i]!))
    let playsUntil = arrivals[0]!
    for (const [i, at] of arrivals.entries()) {
      const ms = ends[i]! - (ends[i - 1] ?? 0)
      const frames = ms / FRAME_MS
      const lateMs = at - t0 - due[i]!
      this.#frames += frames
      this.#worstMs = Math.max(this.#worstMs, lateMs)
      if (lateMs > LATE_MS) this.#late += frames
      if (at > playsUntil) this.#dry += frames
      playsUntil = Math.max(at, playsUntil) + ms
    }
  }

  result(): CallLateness {
    return {
      frames: Math.round(this.#frames),
      late: Math.round(this.#late),
      dry: Math.round(this.#dry),
      worstMs: this.#worstMs,
    }
  }
}
