/**
 * What the far side of a call plays: what it was sent, how far it came, and the marks that tell. Pure but for `now`.
 *
 *     sent ─► │ waits at the bridge │ ─► heard           endsAt = when the bridge runs dry, as far as we know
 *                 mark ── comes back ─► endsAt is set anew: so much is heard, so much is left
 *
 * Sound plays when it is sent or when what was sent before it ends, whichever is later. A mark that comes back is proof, and
 * late by the way back only; so where marks come back at all, nothing beyond the first one that is open counts as heard.
 */

/** An answer, and where in it. */
export interface Place {
  readonly responseId: string
  readonly itemId: string
}

export interface Played extends Place {
  /** From the answer's first sample; at most what was sent of it. */
  readonly playedMs: number
}

/** Sound of one answer in one piece. */
interface Stretch extends Place {
  /** On the line's scale: ms of sound since the call began. */
  readonly startMs: number
  endMs: number
  /** Where in the answer it begins. */
  readonly fromMs: number
}

interface OpenMark {
  readonly name: string
  /** On the line's scale. */
  readonly atMs: number
}

/** Bridges throw away what is beyond 30 (jambonz); others document no limit. */
export const MAX_OPEN_MARKS = 20
/** Between two marks, where no sentence ends. */
export const MARK_EVERY_MS = 250
/** Answers whose place is known: those at the bridge, and some that were cleared. */
const MAX_ANSWERS = 32

export class Playback {
  #sentMs = 0
  #endsAt = Number.NEGATIVE_INFINITY
  #stretches: Stretch[] = []
  /** By response: where the next sound of it belongs, and so how far it was heard once it was cleared. */
  readonly #positions = new Map<string, number>()
  readonly #marks: OpenMark[] = []
  #markedMs = 0
  #marksMade = 0
  /** At least one came back. */
  #marksReturn = false

  /** Sound that the bridge has and has not played, ms. */
  waitingMs(now: number): number {
    return Math.max(0, this.#endsAt - now)
  }

  /** Something was sent since the last clear. */
  get holdsSome(): boolean {
    return this.#stretches.length > 0
  }

  sent({ responseId, itemId }: Place, ms: number, now: number): void {
    const fromMs = this.#positions.get(responseId) ?? 0
    const last = this.#stretches.at(-1)
    if (last?.responseId === responseId && last.itemId === itemId && last.endMs === this.#sentMs)
      last.endMs += ms
    else this.#stretches.push({ responseId, itemId, startMs: this.#sentMs, endMs: this.#sentMs + ms, fromMs })
    if (this.#stretches.length > MAX_ANSWERS) this.#stretches.shift()
    this.#positions.set(responseId, fromMs + ms)
    if (this.#positions.size > MAX_ANSWERS) this.#positions.delete(this.#positions.keys().next().value!)
    this.#sentMs += ms
    this.#endsAt = Math.max(now, this.#endsAt) + ms
  }

  /** Silence that is no part of an answer. */
  padded(ms: number, now: number): void {
    if (ms <= 0) return
    this.#sentMs += ms
    this.#endsAt = Math.max(now, this.#endsAt) + ms
  }

  /** Whether a mark shall follow what was just sent. `ends`: a sentence or the answer ends there. */
  wantsMark(ends: 'sentence' | 'nothing'): boolean {
    const since = this.#sentMs - this.#markedMs
    if (since <= 0 || this.#marks.length >= MAX_OPEN_MARKS) return false
    return ends === 'sentence' || since >= MARK_EVERY_MS
  }

  /** The name of a mark behind all that was sent. */
  mark(): string {
    const name = `p${++this.#marksMade}`
    this.#markedMs = this.#sentMs
    this.#marks.push({ name, atMs: this.#sentMs })
    return name
  }

  /** A mark came back. Undefined for one that is not open: of what was cleared, twice, or never ours. */
  marked(name: string, now: number): Played | undefined {
    const found = this.#marks.findIndex((mark) => mark.name === name)
    if (found < 0) return undefined
    const { atMs } = this.#marks[found]!
    // One before it that never came back is behind us too.
    this.#marks.splice(0, found + 1)
    this.#marksReturn = true
    this.#endsAt = now + (this.#sentMs - atMs)
    return this.#placeAt(atMs)
  }

  /** What is being played, or was last; undefined when nothing was since the last clear. */
  played(now: number): Played | undefined {
    return this.#placeAt(this.#playedMs(now))
  }

  /** How far an answer was heard that was cleared; undefined for one that is not known. */
  heardOf(responseId: string): number | undefined {
    return this.#positions.get(responseId)
  }

  /** The bridge throws away what it holds, or is gone with it. What is sent of an answer from now on goes on where it was heard. */
  clear(now: number): void {
    const playedMs = this.#playedMs(now)
    for (const { responseId, startMs, endMs, fromMs } of this.#stretches.toReversed()) {
      if (endMs > playedMs)
        this.#positions.set(responseId, Math.floor(fromMs + Math.max(0, playedMs - startMs)))
    }
    this.#stretches = []
    this.#marks.length = 0
    this.#markedMs = this.#sentMs
    this.#endsAt = now
  }

  #playedMs(now: number): number {
    const byClock = this.#sentMs - this.waitingMs(now)
    const open = this.#marks[0]
    return this.#marksReturn && open ? Math.min(byClock, open.atMs) : byClock
  }

  #placeAt(lineMs: number): Played | undefined {
    const at = this.#stretches.findLast(({ startMs }) => startMs < lineMs) ?? this.#stretches[0]
    if (!at) return undefined
    const playedMs = at.fromMs + Math.max(0, Math.min(lineMs, at.endMs) - at.startMs)
    return { responseId: at.responseId, itemId: at.itemId, playedMs }
  }
}
