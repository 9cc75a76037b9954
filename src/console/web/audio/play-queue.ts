/**
 * What is waiting to be played, and how much of each item was: the truth an interruption reports. Counts source
 * samples as the speaker takes them; silence put in for a late network is not counted.
 */

export interface Cut {
  readonly itemId: string
  readonly playedSamples: number
}

interface Entry {
  readonly itemId: string
  readonly chunks: Int16Array[]
  /** Samples of `chunks[0]` already played. */
  head: number
  played: number
  ended: boolean
}

export class PlayQueue {
  readonly #entries: Entry[] = []
  readonly #capacity: number
  #queued = 0

  /** @param capacity samples that may wait; more is refused. */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get queuedSamples(): number {
    return this.#queued
  }

  /** The item the next sample belongs to, with what was played of it. */
  get current(): Cut | undefined {
    const entry = this.#entries[0]
    return entry && { itemId: entry.itemId, playedSamples: entry.played }
  }

  /** False: the queue is full and the samples were not taken. */
  push(itemId: string, samples: Int16Array): boolean {
    if (this.#queued + samples.length > this.#capacity) return false
    let entry = this.#entries.find((e) => e.itemId === itemId)
    if (!entry) this.#entries.push((entry = { itemId, chunks: [], head: 0, played: 0, ended: false }))
    if (samples.length > 0) entry.chunks.push(samples)
    this.#queued += samples.length
    return true
  }

  /** No more audio will come for this item. */
  end(itemId: string): void {
    const entry = this.#entries.find((e) => e.itemId === itemId)
    if (entry) entry.ended = true
  }

  /** Fills `out` (−1…1), silence where nothing waits; returns the items that are now played to their end. */
  read(out: Float32Array): readonly Cut[] {
    const finished: Cut[] = []
    let filled = 0
    for (let entry = this.#entries[0]; entry; entry = this.#entries[0]) {
      filled = this.#take(entry, out, filled)
      if (entry.chunks.length > 0 || !entry.ended) break
      finished.push({ itemId: entry.itemId, playedSamples: entry.played })
      this.#entries.shift()
    }
    out.fill(0, filled)
    return finished
  }

  /** Throws everything away; returns each item that was not played to its end. */
  clear(): readonly Cut[] {
    const cuts = this.#entries.map((e) => ({ itemId: e.itemId, playedSamples: e.played }))
    this.#entries.length = 0
    this.#queued = 0
    return cuts
  }

  #take(entry: Entry, out: Float32Array, filled: number): number {
    while (filled < out.length) {
      const chunk = entry.chunks[0]
      if (!chunk) return filled
      const count = Math.min(chunk.length - entry.head, out.length - filled)
      for (let i = 0; i < count; i++) out[filled + i] = chunk[entry.head + i]! / 32768
      filled += count
      entry.head += count
      entry.played += count
      this.#queued -= count
      if (entry.head === chunk.length) {
        entry.chunks.shift()
        entry.head = 0
      }
    }
    return filled
  }
}
