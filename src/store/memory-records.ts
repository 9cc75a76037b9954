/** Records in this process: the newest `capacity`, the oldest gives way. */
import type { Fields, RecordPage, RecordQuery, RecordStore } from './records.ts'

export interface MemoryRecordOptions<T> {
  readonly capacity: number
  readonly idOf: (record: T) => string
  /** What can be filtered by. */
  readonly fieldsOf: (record: T) => Fields
}

export class MemoryRecords<T> implements RecordStore<T> {
  readonly #options: MemoryRecordOptions<T>
  /** In order of arrival: a `Map` keeps it, also when a value is replaced. */
  readonly #records = new Map<string, T>()
  /** A ring of them: to ask a full map for its first is to walk over all that were deleted. */
  readonly #ids: string[] = []
  #next = 0

  constructor(options: MemoryRecordOptions<T>) {
    this.#options = options
  }

  get size(): number {
    return this.#records.size
  }

  put(record: T): void {
    const { capacity, idOf } = this.#options
    const id = idOf(record)
    if (capacity <= 0) return
    if (!this.#records.has(id)) {
      const oldest = this.#ids[this.#next]
      if (oldest !== undefined) this.#records.delete(oldest)
      this.#ids[this.#next] = id
      this.#next = (this.#next + 1) % capacity
    }
    this.#records.set(id, record)
  }

  async get(id: string): Promise<T | undefined> {
    return this.#records.get(id)
  }

  async list({ where, after, limit }: RecordQuery): Promise<RecordPage<T> | undefined> {
    const found: T[] = []
    let begun = after === undefined
    for (const record of [...this.#records.values()].reverse()) {
      if (!matches(this.#options.fieldsOf(record), where)) continue
      if (begun) found.push(record)
      else begun = this.#options.idOf(record) === after
      if (found.length > limit) break
    }
    if (!begun) return undefined
    return { records: found.slice(0, limit), hasMore: found.length > limit }
  }
}

function matches(fields: Fields, where: Fields): boolean {
  return Object.entries(where).every(([name, value]) => fields[name] === value)
}
