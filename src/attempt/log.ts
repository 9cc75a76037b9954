/** Where attempts are written down, as this room needs it; `session/attempt-log.ts` and the trace of a turn fit it. */
import type { StageName } from '../errors.ts'

export interface AttemptLog {
  /** The number names the attempt. A `reason` of `hedge…` makes it a hedge. */
  start(
    stage: StageName,
    target: { readonly provider: string; readonly model: string; readonly credential?: string | undefined },
    reason: string,
  ): number
  /** The first useful output. */
  firstOutput(attempt: number | undefined): void
  /** `kind`: a `ProviderErrorKind` when it failed. */
  end(attempt: number | undefined, status: 'ok' | 'failed' | 'cancelled', kind?: string): void
  cost?(attempt: number | undefined, usd: number): unknown
}

/** Sees every item that one attempt received, those of losers too: what they cost is counted. */
export interface Meter<T> {
  item(item: T): void
  /** Once, when the attempt is over. Null: not known. */
  end(): { readonly costUsd: number | null; readonly unitsPerSecond: number | null }
}
