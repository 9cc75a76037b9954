/** The turns that are kept, each to be seen by the key it came in with. */
import { MemoryRecords } from '../store/memory-records.ts'
import type { RecordPage, RecordStore } from '../store/records.ts'
import type { TurnRecord } from './record.ts'

export interface TurnFilter {
  readonly session?: string
  readonly pipeline?: string
  readonly outcome?: TurnRecord['outcome']
  /** The id of a turn: only older ones. */
  readonly after?: string
  readonly limit: number
}

export class TurnStore {
  readonly #records: RecordStore<TurnRecord>

  constructor(records: RecordStore<TurnRecord>) {
    this.#records = records
  }

  /** Adds a turn, or replaces what was known of it: heard text may be amended after its end. */
  put(record: TurnRecord): void {
    this.#records.put(record)
  }

  /** Undefined also when the turn is another key's, so that nobody learns of it. */
  async get(id: string, keyId: string | null): Promise<TurnRecord | undefined> {
    const record = await this.#records.get(id)
    return record?.keyId === keyId ? record : undefined
  }

  /** Newest first. Undefined when `after` is no turn of this key and filter. */
  list(keyId: string | null, filter: TurnFilter): Promise<RecordPage<TurnRecord> | undefined> {
    const { session, pipeline, outcome, after, limit } = filter
    const where = {
      keyId,
      ...(session === undefined ? {} : { session }),
      ...(pipeline === undefined ? {} : { pipeline }),
      ...(outcome === undefined ? {} : { outcome }),
    }
    return this.#records.list(after === undefined ? { where, limit } : { where, limit, after })
  }
}

/** The newest `turnsKept` turns, in this process. */
export function memoryTurnStore(turnsKept: number): TurnStore {
  return new TurnStore(
    new MemoryRecords({
      capacity: turnsKept,
      idOf: (turn) => turn.id,
      fieldsOf: (turn) => ({
        keyId: turn.keyId,
        session: turn.sessionId,
        pipeline: turn.pipeline,
        outcome: turn.outcome,
      }),
    }),
  )
}
