/** Targets that do as they are told, on the virtual clock, and remember what was done to them. */

import { AttemptsFailed } from '../../src/attempt/failure.ts'
import { Health } from '../../src/attempt/health.ts'
import type { AttemptLog } from '../../src/attempt/log.ts'
import { type AttemptOptions, type AttemptRun, attempt } from '../../src/attempt/run.ts'
import { openScope, type Scope } from '../../src/cancel.ts'
import { type Clock, delay, settled, VirtualClock } from '../../src/clock.ts'
import { type Declined, ProviderError, type ProviderErrorKind } from '../../src/errors.ts'

export interface Fake {
  readonly provider: string
  readonly model: string
  readonly script: readonly Step[]
}

/** Words are items; '' is a keep-alive. */
export type Step =
  | { readonly say: string; readonly afterMs?: number }
  | {
      readonly fail: ProviderErrorKind | 'malformed'
      readonly afterMs?: number
      readonly retryAfterMs?: number
      readonly declined?: Declined
    }
  /** Nothing more, ever. */
  | { readonly hang: true }
  /** Does not notice that it was aborted, and speaks after. */
  | { readonly deaf: string; readonly afterMs: number }

export function fake(name: string, ...script: readonly Step[]): Fake {
  return { provider: name, model: 'm', script }
}

/** Words, each after so many milliseconds. */
export function says(text: string, afterMs: number): Step[] {
  return text.split(' ').map((say) => ({ say, afterMs }))
}

/** What became of every call. */
export interface Call {
  readonly target: string
  readonly at: number
  /** When its signal aborted. */
  abortedAt: number | null
  /** Its iterator was told to end, or ended. */
  closed: boolean
}

export function opener(clock: Clock, calls: Call[]) {
  return (target: Fake, { signal }: { readonly signal: AbortSignal }): AsyncIterable<string> => {
    const call: Call = { target: target.provider, at: clock.now(), abortedAt: null, closed: false }
    calls.push(call)
    const onAbort = () => {
      call.abortedAt = clock.now()
    }
    signal.addEventListener('abort', onAbort, { once: true })
    return run(target, clock, signal, () => {
      call.closed = true
      signal.removeEventListener('abort', onAbort)
    })
  }
}

async function* run(
  target: Fake,
  clock: Clock,
  signal: AbortSignal,
  onEnd: () => void,
): AsyncGenerator<string> {
  const { provider } = target
  try {
    for (const step of target.script) {
      if ('hang' in step)
        await new Promise<never>((_, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
        )
      else if ('deaf' in step) {
        await delay(clock, step.afterMs)
        yield step.deaf
      } else if ('fail' in step) {
        await delay(clock, step.afterMs ?? 0, signal)
        if (step.fail === 'malformed') throw new SyntaxError('Unexpected token < in JSON')
        throw new ProviderError({
          provider,
          stage: 'llm',
          kind: step.fail,
          message: 'as told',
          ...(step.retryAfterMs !== undefined && { retryAfterMs: step.retryAfterMs }),
          ...(step.declined && { declined: step.declined }),
        })
      } else {
        await delay(clock, step.afterMs ?? 0, signal)
        yield step.say
      }
    }
  } finally {
    onEnd()
  }
}

export interface LoggedAttempt {
  readonly target: string
  readonly reason: string
  first: number | null
  status: string
  costUsd: number | null
  readonly startAt: number
  endAt: number | null
}

export class Log implements AttemptLog {
  readonly rows: LoggedAttempt[] = []
  constructor(readonly clock: Clock) {}

  start(_stage: string, { provider }: { readonly provider: string }, reason: string): number {
    return (
      this.rows.push({
        target: provider,
        reason,
        first: null,
        status: 'running',
        costUsd: null,
        startAt: this.clock.now(),
        endAt: null,
      }) - 1
    )
  }
  firstOutput(attempt: number): void {
    const row = this.rows[attempt]!
    if (row.first !== null) throw new Error('a second first output')
    row.first = this.clock.now()
  }
  end(attempt: number, status: string, kind?: string): void {
    const row = this.rows[attempt]!
    if (row.status !== 'running') throw new Error('ended twice')
    row.endAt = this.clock.now()
    row.status = kind === undefined ? status : `${status} ${kind}`
  }
  cost(attempt: number, usd: number): void {
    this.rows[attempt]!.costUsd = usd
  }
}

/** One run, read to its end. */
export class Reader {
  readonly got: string[] = []
  readonly gotAt: number[] = []
  outcome: 'running' | 'end' | unknown = 'running'
  endedAt: number | null = null
  constructor(
    readonly run: AttemptRun<Fake, string>,
    clock: Clock,
  ) {
    void (async () => {
      try {
        for await (const word of run) {
          this.got.push(word)
          this.gotAt.push(clock.now())
        }
        this.outcome = 'end'
      } catch (error) {
        this.outcome = error
      }
      this.endedAt = clock.now()
    })()
  }

  get text(): string {
    return this.got.filter((word) => word !== '').join(' ')
  }

  get failed(): AttemptsFailed<Fake> {
    if (this.outcome instanceof AttemptsFailed) return this.outcome as AttemptsFailed<Fake>
    throw new Error(`not failed: ${String(this.outcome)}`)
  }
}

/** A process with its health, clock and log. */
export class World {
  readonly clock = new VirtualClock()
  readonly health = new Health({ clock: this.clock })
  readonly calls: Call[] = []
  readonly log = new Log(this.clock)
  readonly session: Scope = openScope()

  start(candidates: readonly Fake[], options: Partial<AttemptOptions<Fake, string>> = {}): Reader {
    return new Reader(
      attempt<Fake, string>({
        stage: 'llm',
        candidates,
        open: opener(this.clock, this.calls),
        isUseful: (word) => word !== '',
        isProgress: (word) => word !== '',
        clock: this.clock,
        signal: this.session.signal,
        health: this.health,
        log: this.log,
        ...options,
      }),
      this.clock,
    )
  }

  /** Reads a run until nothing happens any more. */
  async read(
    candidates: readonly Fake[],
    options: Partial<AttemptOptions<Fake, string>> = {},
  ): Promise<Reader> {
    const reader = this.start(candidates, options)
    for (let i = 0; i < 400 && reader.outcome === 'running'; i++) await this.clock.advance(250)
    await settled()
    return reader
  }

  get asked(): string {
    return this.calls.map(({ target }) => target).join(' ')
  }

  get inFlight(): number {
    return [...this.health.read()].reduce((sum, one) => sum + one.inFlight, 0)
  }
}
