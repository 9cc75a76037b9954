/**
 * The audio between two `force` messages, for providers whose answers say nothing of where they lie: the answers come in
 * the order in which they were asked for, and each is of the audio since the one before. Pure.
 *
 *     audio  ───────|─────────|── ─ ─      | `force` was sent
 *     asked        [0]       [1]
 *            current ^
 */
export interface Stretch {
  readonly fromMs: number
  readonly toMs: number
}

/** Questions that may wait; more, and the oldest are forgotten. */
const MOST_ASKED = 64

export class Stretches {
  #fromMs = 0
  #asked: number[] = []
  #silence: Stretch = { fromMs: 0, toMs: 0 }

  /** Does a question wait? */
  get isAsked(): boolean {
    return this.#asked.length > 0
  }

  /** What is spoken of now. Its end is not known while nobody has asked. */
  get current(): Stretch {
    const { fromMs: silentMs, toMs: spokenMs } = this.#silence
    const fromMs = this.#fromMs < silentMs ? this.#fromMs : Math.max(this.#fromMs, spokenMs)
    const toMs = this.#asked[0] ?? fromMs + 1
    return { fromMs, toMs: Math.max(fromMs, toMs) }
  }

  /** Nobody spoke there: a stretch that would begin in it begins after it. */
  silent(fromMs: number, toMs: number): void {
    this.#silence = { fromMs, toMs }
  }

  ask(atMs: number): void {
    this.#asked.push(atMs)
    if (this.#asked.length > MOST_ASKED) this.#asked.shift()
  }

  /**
   * The current one is over. `answers`: that was asked for. Otherwise it was the provider's own idea, and `spokenToMs` is the
   * last it said, if it says.
   */
  end(spokenToMs?: number): Stretch & { readonly answers: boolean } {
    const { fromMs, toMs } = this.current
    const answers = this.isAsked
    this.#asked.shift()
    this.#fromMs = answers ? toMs : Math.max(fromMs, spokenToMs ?? fromMs)
    return { fromMs, toMs: answers ? toMs : Math.max(toMs, this.#fromMs), answers }
  }

  /** The oldest question has no other answer. Returns up to where that holds; undefined when none waits. */
  skip(): number | undefined {
    return this.isAsked ? this.end().toMs : undefined
  }

  /** The newest question was refused: its audio belongs to the one before. Returns up to where all is known then; undefined when one waits, or none. */
  withdraw(): number | undefined {
    const atMs = this.#asked.pop()
    if (atMs === undefined) return undefined
    if (!this.isAsked) return atMs
    this.#asked[this.#asked.length - 1] = atMs
    return undefined
  }
}
