/** Ticks many callers every 20 ms, each at its own phase, on one timer; late ticks are caught up, none is skipped. */
import { FRAME_MS } from './speech.ts'

export interface Ticked {
  tick(): void
}

interface Entry {
  readonly one: Ticked
  dueAt: number
}

export class Metronome {
  readonly #entries = new Map<Ticked, Entry>()
  #timer: NodeJS.Timeout | undefined
  #worstMs = 0
  #joined = 0

  /** The latest a tick ever was, ms: above a few, the generator itself is the bottleneck. */
  get worstMs(): number {
    return this.#worstMs
  }

  join(one: Ticked): void {
    // The golden ratio spreads any number of callers evenly over the 20 ms.
    const phase = ((this.#joined++ * 0.618_034) % 1) * FRAME_MS
    this.#entries.set(one, { one, dueAt: performance.now() + phase })
    this.#timer ??= setInterval(() => this.#run(), 1)
  }

  leave(one: Ticked): void {
    this.#entries.delete(one)
    if (this.#entries.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #run(): void {
    const now = performance.now()
    for (const entry of this.#entries.values()) {
      if (entry.dueAt > now) continue
      this.#worstMs = Math.max(this.#worstMs, now - entry.dueAt)
      for (; entry.dueAt <= now; entry.dueAt += FRAME_MS) entry.one.tick()
    }
  }
}
