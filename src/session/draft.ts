/** The reducer's working copy: handlers write to it, `reduce` reads the new state and the effects off it. */
import type { Effect } from './effects.ts'
import { changeEntry, type Entry, insertEntry, removeEntry } from './history.ts'
import { charsOf } from './items.ts'
import type { SessionOutput } from './output.ts'
import type { Response, State, Transcription, Utterance } from './state.ts'

/** The oldest items leave when a conversation passes this many: prompts and memory stay bounded. */
export const MAX_ITEMS = 1_000
/** Of all texts and pictures together: two of the largest pictures, ten ordinary ones. What a client adds beyond is refused. */
export const MAX_CONVERSATION_CHARS = 16 * 1024 * 1024

export class Draft {
  state: State
  readonly effects: Effect[] = []

  constructor(state: State) {
    this.state = state
  }

  do(effect: Effect): void {
    this.effects.push(effect)
  }

  emit(output: SessionOutput): void {
    this.effects.push({ do: 'emit', output })
  }

  refuse(ref: string | null, code: string, message: string, param: string | null = null): void {
    this.emit({ type: 'refused', code, message, param, ref })
  }

  set(change: Partial<State>): void {
    this.state = { ...this.state, ...change }
  }

  /** Changes the utterance in progress, if there is one. */
  utterance(change: Partial<Utterance>): void {
    const { input } = this.state
    if (input.kind !== 'idle') {
      this.set({ input: { ...input, utterance: { ...input.utterance, ...change } } })
    }
  }

  /** `item_…`, `resp_…`, `turn_…`: unique within the server, the same on replay. */
  id(kind: 'item' | 'resp' | 'turn'): string {
    const { prefix, next } = this.state.ids
    this.set({ ids: { prefix, next: next + 1 } })
    return `${kind}_${prefix}${next.toString(36).padStart(4, '0')}`
  }

  response(response: Response): void {
    this.set({ responses: new Map(this.state.responses).set(response.id, response) })
  }

  removeResponse(id: string): void {
    const responses = new Map(this.state.responses)
    responses.delete(id)
    this.set({ responses })
  }

  /** Adds an item; undefined when `after` is unknown, else the id before it. */
  addEntry(
    entry: Entry,
    after: string | null = null,
  ): { readonly previousItemId: string | null } | undefined {
    const inserted = insertEntry(this.state.history, entry, after)
    if (!inserted) return undefined
    this.set({ history: inserted.history })
    // What is said always fits; what is written was asked for room before.
    while (this.state.history.length > 1 && this.roomChars < 0) this.#dropOldest(entry)
    if (inserted.history.length > MAX_ITEMS) {
      this.#dropOldest(entry)
    }
    return inserted
  }

  /** Characters that the conversation may still grow by. */
  get roomChars(): number {
    return MAX_CONVERSATION_CHARS - this.state.history.reduce((sum, entry) => sum + charsOf(entry.item), 0)
  }

  #dropOldest(kept: Entry): void {
    const oldest = this.state.history.find((e) => e.item.id !== kept.item.id)
    if (oldest) this.removeEntry(oldest.item.id)
  }

  changeEntry(id: string, change: (entry: Entry) => Entry): void {
    this.set({ history: changeEntry(this.state.history, id, change) })
  }

  removeEntry(id: string): void {
    this.set({ history: removeEntry(this.state.history, id) })
    this.do({ do: 'forget', itemId: id })
  }

  addTranscription(transcription: Transcription): void {
    this.set({ transcriptions: [...this.state.transcriptions, transcription] })
  }

  takeTranscription(turn: string): Transcription | undefined {
    const found = this.state.transcriptions.find((t) => t.turn === turn)
    if (found) this.set({ transcriptions: this.state.transcriptions.filter((t) => t !== found) })
    return found
  }
}
