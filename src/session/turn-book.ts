/** Where a session writes down its turns; the trace implements it. Times are the clock's. */
import type { MarkName, TurnRecord } from '../trace/record.ts'
import type { AttemptLog } from './attempt-log.ts'
import type { Heard } from './items.ts'
import type { ResponseView } from './output.ts'

export interface TurnBook {
  /** Something of a turn happens that may never become one. Idempotent. */
  begin(turn: string): void
  /** It became none. */
  forget(turn: string): void
  /** From here on it is a turn; `zeroAt` is what its times count from. */
  open(turn: string, zeroAt: number): void
  attempts(turn: string): AttemptLog | undefined
  respond(turn: string, response: string): void
  mark(turn: string, name: MarkName, at: number): void
  /** As `mark`, the first of each response only. */
  markFirst(turn: string, response: string, name: MarkName, at: number): void
  firstSent(turn: string, at: number): void
  underrun(turn: string): void
  userSaid(turn: string, text: string): void
  /** The record as it stands, for `responseDone`. */
  responseDone(response: ResponseView, heard: Heard | null): TurnRecord | null
  close(turn: string, outcome: Exclude<TurnRecord['outcome'], 'open'>): void
}
