/**
 * Records by id, newest first, with a few plain fields to filter by. A place for records of any kind, so that
 * another store (SQL, later) is an addition; answers are promises for its sake.
 */

/** A field is compared for equality. */
export type Fields = Readonly<Record<string, string | null>>

export interface RecordQuery {
  /** All must be equal. */
  readonly where: Fields
  /** Only records older than this one. */
  readonly after?: string
  readonly limit: number
}

export interface RecordPage<T> {
  readonly records: readonly T[]
  readonly hasMore: boolean
}

export interface RecordStore<T> {
  /** Adds, or replaces the record of the same id in its place. Never fails and never blocks: it is on the turn's path. */
  put(record: T): void
  get(id: string): Promise<T | undefined>
  /** Undefined when `after` is no record that matches `where`. */
  list(query: RecordQuery): Promise<RecordPage<T> | undefined>
}
