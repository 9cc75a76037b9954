/** Fetches each turn's final record: asked for when something ended, again while the turn is still open. */
import type { TurnRecord } from '../../../trace/record.ts'
import { fetchTurn } from './connection.ts'

const TRIES = 6
const WAIT_MS = 700

export class Records {
  readonly #onRecord: (record: TurnRecord) => void
  /** Turns being asked for; asking again meanwhile begins anew, since the answer may have changed. */
  readonly #asked = new Map<string, number>()
  #count = 0

  constructor(onRecord: (record: TurnRecord) => void) {
    this.#onRecord = onRecord
  }

  want(turnId: string | undefined): void {
    if (turnId === undefined) return
    const request = ++this.#count
    this.#asked.set(turnId, request)
    void this.#ask(turnId, request)
  }

  async #ask(turnId: string, request: number): Promise<void> {
    for (let i = 0; i < TRIES && this.#asked.get(turnId) === request; i++) {
      const record = await fetchTurn(turnId)
      if (this.#asked.get(turnId) !== request) return
      if (record) this.#onRecord(record)
      if (record && record.outcome !== 'open') break
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS))
    }
    if (this.#asked.get(turnId) === request) this.#asked.delete(turnId)
  }
}
