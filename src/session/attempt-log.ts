/** Where attempts of one turn are written down; the trace implements it. */
import type { StageName } from '../errors.ts'

export interface AttemptLog {
  /** `reason`: why this target, such as `first`, `fallback: timeout`, `revision 2`, `continuation`, `hedge`. The number names the attempt. */
  start(
    stage: StageName,
    target: {
      readonly provider: string
      readonly model: string
      readonly credential?: string | undefined
      readonly route?: string
    },
    reason: string,
  ): number
  firstOutput(attempt: number | undefined): void
  /** `kind`: a `ProviderErrorKind` when it failed. */
  cost?(attempt: number | undefined, usd: number): unknown
  end(attempt: number | undefined, status: 'ok' | 'failed' | 'cancelled', kind?: string): void
}
