/** What could not be carried over, collected on the way; bounded, for a hostile document may be wrong a million times. */
import { type Doc, isDoc, type NotCarried } from './shapes.ts'

const MAX_NOTES = 500

export class Notes {
  readonly #notes: NotCarried[] = []
  #dropped = 0

  add(path: readonly PropertyKey[], why: string): void {
    if (this.#notes.some((note) => note.why === why && note.path.join('\0') === path.join('\0'))) return
    if (this.#notes.length < MAX_NOTES) this.#notes.push({ path: [...path], why })
    else this.#dropped++
  }

  /** Every member of `doc` that nobody looked at. */
  rest(
    doc: unknown,
    known: readonly string[],
    path: readonly PropertyKey[],
    why = 'has no counterpart',
  ): void {
    if (!isDoc(doc)) return
    for (const name of Object.keys(doc as Doc)) if (!known.includes(name)) this.add([...path, name], why)
  }

  get all(): readonly NotCarried[] {
    if (this.#dropped === 0) return this.#notes
    return [...this.#notes, { path: [], why: `and ${this.#dropped} more` }]
  }
}
