/** One recognition on its way, `finalize → final`: written down in the turn's record and in what is known of its target. */
import { idOf } from '../attempt/failure.ts'
import type { HealthView } from '../attempt/health.ts'
import type { Candidate } from '../attempt/lineup.ts'
import type { Clock } from '../clock.ts'
import type { ProviderErrorKind } from '../errors.ts'
import type { Costs } from '../price/pricing.ts'
import type { SttAdapter } from '../stage/stt.ts'
import type { AttemptLog } from './attempt-log.ts'

export interface SttAttemptOptions {
  readonly candidate: Candidate<SttAdapter>
  readonly reason: string
  readonly clock: Clock
  readonly health: HealthView
  readonly language: string | undefined
  readonly log: AttemptLog | undefined
  readonly pricing?: Costs | undefined
  /** Of the audio it was given, as far as known when it ends. */
  readonly audioMs: () => number
}

export interface SttAttempt {
  ok(): void
  failed(kind: ProviderErrorKind): void
  /** Ended by us. */
  cut(): void
}

/** Each ending once; the first counts. */
export function startAttempt(options: SttAttemptOptions): SttAttempt {
  const { candidate, reason, clock, health, language = null, log, pricing, audioMs } = options
  const { credential = '' } = candidate
  const place = { stage: 'stt', target: idOf(candidate), credential } as const
  // Who is asked was decided when the stream was opened; a circuit that opened since changes the next choice.
  const ticket = health.admit(place, language) ?? health.resort(place, language)
  const number = log?.start('stt', candidate, reason)
  const startAt = clock.now()
  const ms = () => clock.now() - startAt
  const charge = () => {
    const usd = pricing?.audio(idOf(candidate), audioMs()) ?? null
    if (usd !== null) log?.cost?.(number, usd)
  }
  return {
    ok() {
      charge()
      log?.firstOutput(number)
      log?.end(number, 'ok')
      ticket.useful()
      ticket.end({ type: 'ok', firstUsefulMs: ms(), unitsPerSecond: null })
    },
    failed(kind) {
      charge()
      log?.end(number, 'failed', kind)
      ticket.end({ type: 'failed', kind, retryAfterMs: undefined, ms: ms() })
    },
    cut() {
      charge()
      log?.end(number, 'cancelled')
      ticket.end({ type: 'cut', firstUsefulMs: null, ms: ms(), unitsPerSecond: null })
    },
  }
}
