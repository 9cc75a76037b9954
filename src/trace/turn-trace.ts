/**
 * The record of a turn while it is being made. Times come in on the clock's scale and go out in ms from clock
 * zero, which may be learned late and moves when a caller resumes.
 */
import type { Clock } from '../clock.ts'
import type { ProviderErrorKind, StageName } from '../errors.ts'
import type { Exposure } from '../experiment/book.ts'
import { type BudgetShares, brokenBy } from './broken-by.ts'
import type { AttemptRecord, MarkName, TurnEnd, TurnRecord } from './record.ts'

export interface TurnTraceStart {
  readonly id: string
  readonly sessionId: string
  readonly keyId: string | null
  readonly wire: string
  readonly pipeline: string
  /** The budget, from clock zero to the first audio. */
  readonly turnMs: number
  readonly clock: Clock
}

/** A turn of hundreds of tool rounds keeps its first attempts; all are counted in `attemptsDropped`. */
const MAX_ATTEMPTS = 100
const MAX_RESPONSES = 100
const MAX_DEGRADED = 20
const MAX_KEYS = 64
/** Of each text. Records are kept by the thousand. */
const MAX_TEXT_CHARS = 8000

/** Marks of which the first counts; of the others the last. */
const EARLIEST: ReadonlySet<MarkName> = new Set([
  'speechStart',
  'speculated',
  'llmFirstToken',
  'firstSentence',
  'ttsFirstAudio',
  'firstAudioSent',
])
/** What an answer leaves behind; a new revision begins without them. */
const OF_AN_ANSWER: readonly MarkName[] = [
  'speculated',
  'sttFinal',
  'llmFirstToken',
  'firstSentence',
  'ttsFirstAudio',
  'firstAudioSent',
]

const KINDS: ReadonlySet<string> = new Set<ProviderErrorKind>([
  'auth',
  'quota',
  'rate',
  'bad_request',
  'transient',
  'timeout',
  'expired',
  'cancelled',
])

/** A key of the telephone. `at`: on the clock's scale. */
export interface PressedKey {
  readonly digit: string
  readonly at: number
}

interface Attempt {
  readonly stage: StageName
  readonly provider: string
  readonly model: string
  readonly credential: string | undefined
  readonly reason: string
  readonly startAt: number
  firstOutputAt: number | null
  endAt: number | null
  status: AttemptRecord['status']
  kind: ProviderErrorKind | null
  costUsd: number | null
}

export class TurnTrace {
  readonly #start: TurnTraceStart
  readonly #openedAt: number
  readonly #startedAt: string
  readonly #marks = new Map<MarkName, number>()
  readonly #attempts: Attempt[] = []
  readonly #responseIds = new Set<string>()
  readonly #route: Partial<Record<StageName, string>> = {}
  readonly #experiments = new Map<string, Exposure>()
  #degraded: string[] = []
  #zeroAt: number | null = null
  #endedBy: TurnEnd | null = null
  #revision = 1
  #shares: BudgetShares | null = null
  #heard: TurnRecord['heard'] = null
  #user: string | null = null
  #language: string | null = null
  #said: string | null = null
  readonly #keys: PressedKey[] = []
  #underruns = 0
  #costUsd: number | null = null
  #dropped = 0
  #voice: 'expected' | 'none' = 'expected'
  #outcome: TurnRecord['outcome'] = 'open'

  constructor(start: TurnTraceStart) {
    this.#start = start
    this.#openedAt = start.clock.now()
    this.#startedAt = new Date(start.clock.wallMs()).toISOString()
  }

  get id(): string {
    return this.#start.id
  }

  get revision(): number {
    return this.#revision
  }

  /** Attempts beyond what a record keeps. */
  get attemptsDropped(): number {
    return this.#dropped
  }

  /** Clock zero, on the clock's scale. The last word counts. Until it is known, the opening of the trace stands for it. */
  zero(at: number): this {
    this.#zeroAt = at
    return this
  }

  ended(by: TurnEnd): this {
    this.#endedBy = by
    return this
  }

  /** `at` on the clock's scale, now when left out. Of `speechStart` and of first things the first counts, else the last. */
  mark(name: MarkName, at: number = this.#start.clock.now()): this {
    if (!EARLIEST.has(name) || !this.#marks.has(name)) this.#marks.set(name, at)
    return this
  }

  /** A new revision of the answer: what the one before it left behind is forgotten, its attempts are kept. */
  revise(revision: number): this {
    if (revision === this.#revision) return this
    this.#revision = revision
    for (const name of OF_AN_ANSWER) this.#marks.delete(name)
    // Choices for an answer that was dropped; the words it was made of stay.
    this.#degraded = this.#degraded.filter((rung) => rung === 'partial')
    return this
  }

  /** An attempt begins. The number names it in `firstOutput` and `end`. A `reason` of `hedge…` makes it a hedge. */
  start(
    stage: StageName,
    target: {
      readonly provider: string
      readonly model: string
      readonly credential?: string | undefined
      readonly route?: string
    },
    reason: string,
  ): number {
    if (this.#attempts.length >= MAX_ATTEMPTS) {
      this.#dropped++
      return -1
    }
    const { provider, model, credential, route } = target
    if (route !== undefined) this.route(stage, route)
    return (
      this.#attempts.push({
        stage,
        provider,
        model,
        credential,
        reason,
        startAt: this.#start.clock.now(),
        firstOutputAt: null,
        endAt: null,
        status: 'running',
        kind: null,
        costUsd: null,
      }) - 1
    )
  }

  /** The first useful output. Later calls for the same attempt do nothing. */
  firstOutput(attempt: number | undefined): void {
    const found = this.#attempts[attempt ?? -1]
    if (found && found.firstOutputAt === null) found.firstOutputAt = this.#start.clock.now()
  }

  /** The first ending counts. `kind`: a `ProviderErrorKind`; anything else is kept as `transient` when it failed. */
  end(attempt: number | undefined, status: 'ok' | 'failed' | 'cancelled', kind?: string): void {
    const found = this.#attempts[attempt ?? -1]
    if (found?.status !== 'running') return
    found.status = status
    found.endAt = this.#start.clock.now()
    if (status === 'failed') found.kind = isKind(kind) ? kind : 'transient'
  }

  /** What an attempt cost; the turn's cost is the sum. */
  cost(attempt: number | undefined, usd: number): this {
    const found = this.#attempts[attempt ?? -1]
    if (found) found.costUsd = (found.costUsd ?? 0) + usd
    this.#costUsd = (this.#costUsd ?? 0) + usd
    return this
  }

  route(stage: StageName, name: string): this {
    this.#route[stage] = name
    return this
  }

  exposed(exposures: readonly Exposure[]): this {
    for (const one of exposures) this.#experiments.set(one.experiment, one)
    return this
  }

  response(id: string): this {
    if (this.#responseIds.size < MAX_RESPONSES) this.#responseIds.add(id)
    return this
  }

  /** How the budget was meant to be spent, ms from clock zero; without it the defaults of `broken-by.ts` judge. */
  plan(shares: BudgetShares): this {
    this.#shares = shares
    return this
  }

  /** What was done because time ran short, such as `partial` or `filler`. */
  degraded(what: string): this {
    if (this.#degraded.length < MAX_DEGRADED) this.#degraded.push(what)
    return this
  }

  /** What the caller heard; provisional until the turn is closed and after, so the last word counts. */
  heard(heard: TurnRecord['heard']): this {
    this.#heard = heard && { ...heard, text: clip(heard.text) }
    return this
  }

  /** `language`: as recognised. */
  userSaid(text: string | null, language: string | null = null): this {
    this.#user = text === null ? null : clip(text)
    this.#language = language
    return this
  }

  said(text: string | null): this {
    this.#said = text === null ? null : clip(text)
    return this
  }

  /** Keys of the telephone. `full`: the record holds as many as it may, and takes none of these. */
  pressed(keys: readonly PressedKey[]): 'kept' | 'full' {
    const room = MAX_KEYS - this.#keys.length
    this.#keys.push(...keys.slice(0, room))
    return room > 0 ? 'kept' : 'full'
  }

  /** The listener's buffer ran dry `count` times. */
  underrun(count = 1): this {
    this.#underruns += count
    return this
  }

  /** A turn that is answered in text has no first audio, so it cannot miss the budget for it. */
  textOnly(): this {
    this.#voice = 'none'
    return this
  }

  /** Attempts that still run count as cancelled. Later calls change the outcome only. */
  close(outcome: Exclude<TurnRecord['outcome'], 'open'>): this {
    this.#outcome = outcome
    if (!this.#marks.has('end')) this.mark('end')
    this.#attempts.forEach((_, attempt) => {
      this.end(attempt, 'cancelled')
    })
    return this
  }

  /** The record as of now, a copy. */
  snapshot(): TurnRecord {
    const { id, sessionId, keyId, wire, pipeline, turnMs } = this.#start
    const zero = this.#zeroAt ?? this.#openedAt
    const fromZero = (at: number) => Math.round((at - zero) * 10) / 10
    const orNull = (at: number | null) => (at === null ? null : fromZero(at))
    const marks: Partial<Record<MarkName, number>> = {}
    for (const [name, at] of this.#marks) marks[name] = fromZero(at)
    const actualMs = this.#voice === 'none' ? null : (marks.firstAudioSent ?? null)
    const outcome = this.#outcome
    return {
      id,
      sessionId,
      keyId,
      wire,
      pipeline,
      startedAt: this.#startedAt,
      revision: this.#revision,
      responseIds: [...this.#responseIds],
      route: { ...this.#route },
      experiments: [...this.#experiments.values()],
      marks,
      endedBy: this.#endedBy,
      language: this.#language,
      attempts: this.#attempts.map(({ startAt, firstOutputAt, endAt, ...facts }) => ({
        stage: facts.stage,
        provider: facts.provider,
        model: facts.model,
        ...(facts.credential !== undefined && { credential: facts.credential }),
        status: facts.status,
        startMs: fromZero(startAt),
        firstOutputMs: orNull(firstOutputAt),
        endMs: orNull(endAt),
        kind: facts.kind,
        hedge: facts.reason.startsWith('hedge'),
        reason: facts.reason,
        costUsd: facts.costUsd,
      })),
      budget: {
        turnMs,
        actualMs,
        brokenBy: this.#voice === 'none' ? null : brokenBy({ turnMs, marks, outcome, shares: this.#shares }),
        degraded: [...this.#degraded],
      },
      heard: this.#heard,
      text: { user: this.#user, said: this.#said },
      ...(this.#keys.length > 0 && {
        keys: this.#keys.map(({ digit, at }) => ({ digit, atMs: fromZero(at) })),
      }),
      underruns: this.#underruns,
      costUsd: this.#costUsd,
      outcome,
    }
  }
}

function isKind(kind: string | undefined): kind is ProviderErrorKind {
  return kind !== undefined && KINDS.has(kind)
}

function clip(text: string): string {
  return text.length <= MAX_TEXT_CHARS ? text : `${text.slice(0, MAX_TEXT_CHARS)}…`
}
