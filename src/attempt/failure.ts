/** How attempts end badly, in one typed error that names them all. */
import { ProviderError, type ProviderErrorKind, type StageName } from '../errors.ts'

/** Whom to ask: what the executor knows of a target. `attempt/lineup.ts` and the routes' targets fit it. */
export interface AttemptTarget {
  readonly provider: string
  readonly model: string
  /** Which of the provider's credentials is used, by a name that may be logged. Left out: its only one. */
  readonly credential?: string | undefined
}

/** One attempt as it went. */
export interface AttemptTold<C extends AttemptTarget = AttemptTarget> {
  readonly candidate: C
  readonly reason: string
  /** `cut`: ended by us: a lost hedge, a barge-in, a reader that left. */
  readonly outcome: 'running' | 'ok' | 'failed' | 'cut'
  /** Set when it failed. */
  readonly error: ProviderError | null
  /** To the first useful output; null: none came. */
  readonly firstUsefulMs: number | null
  readonly costUsd: number | null
}

/** A target that was not asked, because its circuit is open. */
export interface Skipped<C extends AttemptTarget = AttemptTarget> {
  readonly candidate: C
  readonly cause: ProviderErrorKind
}

export interface BrokenAfterUseful<C extends AttemptTarget = AttemptTarget> {
  readonly candidate: C
  readonly error: ProviderError
  /** Who may continue, in order: all that did not fail in this run. */
  readonly remaining: readonly C[]
}

/** The only error of a run that was not cancelled. `message` holds names of targets and kinds, nothing else. */
export class AttemptsFailed<C extends AttemptTarget = AttemptTarget> extends Error {
  override readonly name = 'AttemptsFailed'
  readonly stage: StageName
  readonly attempts: readonly AttemptTold<C>[]
  readonly skipped: readonly Skipped<C>[]
  /** Set when the reader already has useful output: how to go on is the stage's own business. */
  readonly brokenAfterUseful: BrokenAfterUseful<C> | null

  constructor(facts: {
    readonly stage: StageName
    readonly attempts: readonly AttemptTold<C>[]
    readonly skipped: readonly Skipped<C>[]
    readonly brokenAfterUseful: BrokenAfterUseful<C> | null
  }) {
    super(tell(facts))
    this.stage = facts.stage
    this.attempts = facts.attempts
    this.skipped = facts.skipped
    this.brokenAfterUseful = facts.brokenAfterUseful
  }

  /** Of the last failure; null when nobody could even be asked. */
  get kind(): ProviderErrorKind | null {
    const broken =
      this.brokenAfterUseful?.error ?? this.attempts.findLast(({ error }) => error !== null)?.error
    return broken?.kind ?? null
  }
}

export function idOf({ provider, model }: AttemptTarget): string {
  return `${provider}/${model}`
}

/** The target, and by which of its keys. */
export function keyedIdOf(target: AttemptTarget): string {
  return `${idOf(target)} ${target.credential ?? ''}`
}

/** What is the key's own fault, and not the target's: another key may do. */
export function isOfTheKey(kind: ProviderErrorKind): boolean {
  return kind === 'auth' || kind === 'quota' || kind === 'rate' || kind === 'expired'
}

/** Whatever an adapter threw. Its own message may quote anything, so only a `ProviderError`'s is kept. */
export function asProviderError(error: unknown, stage: StageName, provider: string): ProviderError {
  if (error instanceof ProviderError) return error
  return new ProviderError({
    provider,
    stage,
    kind: 'transient',
    message: 'failed unexpectedly',
    cause: error,
  })
}

function tell({
  stage,
  attempts,
  skipped,
  brokenAfterUseful,
}: Pick<AttemptsFailed, 'stage' | 'attempts' | 'skipped' | 'brokenAfterUseful'>): string {
  if (brokenAfterUseful) {
    const { candidate, error } = brokenAfterUseful
    return `${stage}: ${idOf(candidate)} broke after useful output: ${error.kind}`
  }
  const told = [
    ...attempts.map(
      ({ candidate, error }) => `${idOf(candidate)} ${error?.declined ?? error?.kind ?? 'cut'}`,
    ),
    ...skipped.map(({ candidate, cause }) => `${idOf(candidate)} not asked, circuit open (${cause})`),
  ]
  return `${stage}: no target answered${told.length > 0 ? `: ${told.join(', ')}` : ''}`
}
