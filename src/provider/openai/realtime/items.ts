/**
 * Which words belong to which commit: an item is named when it is committed, its words may come before that or long after, and items
 * may be complete in another order than they were spoken in. Pure.
 */
interface Item {
  readonly id: string | undefined
  text: string
  language: string | undefined
  done: boolean
}

export interface Complete {
  readonly text: string
  readonly language: string | undefined
}

/** Ids of complete items remembered: what still comes for them is nobody's. */
const MOST_FINISHED = 64

export class TranscriptionItems {
  /** Committed, oldest first. */
  readonly #committed: Item[] = []
  /** Words of audio that is not committed yet. */
  #spoken: { readonly id: string; text: string } | undefined
  #finished: string[] = []

  /** What is known of the oldest that is not complete. */
  get text(): string {
    const [first] = this.#committed
    return (first ? first.text : (this.#spoken?.text ?? '')).trim()
  }

  commit(id: string): void {
    if (this.#committed.some((item) => item.id === id)) return
    const spoken = this.#spoken
    this.#spoken = undefined
    // All that was said of audio not committed is of this item, by whatever name.
    if (spoken && spoken.id !== id) this.#finish(spoken.id)
    this.#committed.push({ id, text: spoken?.text ?? '', language: undefined, done: false })
  }

  /** A commit was refused since there was nothing in it. */
  commitNothing(): void {
    this.#committed.push({ id: undefined, text: '', language: undefined, done: true })
  }

  /** False when it is of none that is open. */
  add(id: string, text: string): boolean {
    if (this.#finished.includes(id)) return false
    const item = this.#committed.find((one) => one.id === id)
    if (item) {
      if (!item.done) item.text += text
    } else if (this.#spoken?.id === id) this.#spoken.text += text
    else this.#spoken = { id, text }
    return true
  }

  complete(id: string, { text, language }: Complete): void {
    const item = this.#committed.find((one) => one.id === id)
    if (!item || item.done) return
    item.done = true
    item.text = text
    item.language = language
  }

  /** Those that are complete, with all before them: each once. */
  *take(): Generator<Complete> {
    for (let first = this.#committed[0]; first?.done; first = this.#committed[0]) {
      this.#committed.shift()
      if (first.id !== undefined) this.#finish(first.id)
      yield { text: first.text, language: first.language }
    }
  }

  #finish(id: string): void {
    this.#finished = [...this.#finished.slice(1 - MOST_FINISHED), id]
  }
}
