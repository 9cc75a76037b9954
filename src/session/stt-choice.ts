/** Which recogniser of the route hears the caller, and how long it may take over the final words. */
import { idOf, isOfTheKey, keyedIdOf } from '../attempt/failure.ts'
import type { HealthView } from '../attempt/health.ts'
import type { Candidate } from '../attempt/lineup.ts'
import { windowMs } from '../budget/window.ts'
import type { Clock } from '../clock.ts'
import type { ProviderErrorKind } from '../errors.ts'
import type { SttAdapter } from '../stage/stt.ts'
import { lengthOf, type Utterance } from './spoken-utterance.ts'

/** Nobody is waited for longer. Moonshine base needs 1 s for ten seconds of speech on a busy core. */
export const FINAL_DEADLINE_MS = 10_000
const LATE_DEADLINE_MS = 5_000
/** Published p99 of most services are below 2 s, and changing over costs the caller a replay. */
const STT_LEAST_MS = 1_000
/** A recogniser that was lost is not the first choice again before. */
const MISTRUST_MS = 30_000

export interface SttChoiceOptions {
  readonly candidates: () => readonly Candidate<SttAdapter>[]
  readonly clock: Clock
  readonly health: HealthView
  readonly language: () => string | undefined
  /** Left of the turn for its final words; left out, or infinite: they have `FINAL_DEADLINE_MS`. */
  readonly slackMs?: (turn: string) => number
  /** How long the last recogniser is waited for beyond that. */
  readonly patienceMs?: number
}

export class SttChoice {
  readonly #options: SttChoiceOptions
  /** When each target was last lost, by each of its keys. */
  readonly #lostAt = new Map<string, number>()

  constructor(options: SttChoiceOptions) {
    this.#options = options
  }

  /** The first of the candidates that was not lost lately; if all were, the one that was lost longest ago. */
  choose(present: Candidate<SttAdapter>): Candidate<SttAdapter> {
    return this.#best(this.#options.candidates()) ?? present
  }

  /** What is not the fault of its key is that of all its keys. */
  lost(candidate: Candidate<SttAdapter>, kind: ProviderErrorKind): void {
    const now = this.#options.clock.now()
    this.#lostAt.set(keyedIdOf(candidate), now)
    if (isOfTheKey(kind)) return
    for (const one of this.#options.candidates()) {
      if (idOf(one) === idOf(candidate)) this.#lostAt.set(keyedIdOf(one), now)
    }
  }

  /** Of one attempt: as long as leaves the next recogniser its time, that of a replay included. */
  window(
    utterance: Utterance,
    candidate: Candidate<SttAdapter>,
  ): { readonly ms: number; readonly next: Candidate<SttAdapter> | null } {
    const { slackMs, patienceMs, candidates, health } = this.#options
    const all = candidates()
    // One that is not trusted, too: it will be asked, so it needs its time.
    const others = all.filter((one) => keyedIdOf(one) !== keyedIdOf(candidate))
    const next = (utterance.losses + 1 < all.length ? this.#best(others) : undefined) ?? null
    const replayMs = utterance.losses > 0 ? lengthOf(utterance) / candidate.adapter.caps.maxReplaySpeed : 0
    const { p50Ms, p95Ms } = this.#latency(candidate)
    const leastMs = STT_LEAST_MS + replayMs
    const slack = slackMs?.(utterance.turn) ?? Number.POSITIVE_INFINITY
    // Speech that may yet turn out to be none has no deadline of its own; who lost one recogniser has waited already.
    const isLate = slack === Number.POSITIVE_INFINITY && utterance.losses > 0
    const ms = windowMs({
      slackMs: slack,
      p50Ms,
      p95Ms,
      nextP50Ms: next && this.#latency(next).p50Ms,
      leastMs,
      timeouts: health.timeoutsInARow({
        stage: 'stt',
        target: idOf(candidate),
        credential: candidate.credential ?? '',
      }),
      ...(patienceMs === undefined ? {} : { patienceMs }),
    })
    return { ms: Math.min(ms, isLate ? Math.max(LATE_DEADLINE_MS, leastMs) : FINAL_DEADLINE_MS), next }
  }

  #best(candidates: readonly Candidate<SttAdapter>[]): Candidate<SttAdapter> | undefined {
    const trusted = candidates.find((candidate) => this.#isTrusted(candidate))
    return trusted ?? candidates.toSorted((a, b) => this.#lostSinceMs(b) - this.#lostSinceMs(a))[0]
  }

  #latency(candidate: Candidate<SttAdapter>) {
    const { health, language } = this.#options
    return health.latency({ stage: 'stt', target: idOf(candidate) }, language() ?? null)
  }

  #isTrusted(candidate: Candidate<SttAdapter>): boolean {
    return this.#lostSinceMs(candidate) >= MISTRUST_MS
  }

  #lostSinceMs(candidate: Candidate<SttAdapter>): number {
    const at = this.#lostAt.get(keyedIdOf(candidate)) ?? Number.NEGATIVE_INFINITY
    return this.#options.clock.now() - at
  }
}
