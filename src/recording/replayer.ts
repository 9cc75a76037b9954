/**
 * The edge of a session that is replayed: steps come from the file, and every mark is compared with the file's. The
 * clock stands where the step says. Nothing outside is asked.
 */
import { type Clock, settled } from '../clock.ts'
import { type Declined, ProviderError, type ProviderErrorKind } from '../errors.ts'
import type { Detail, Edge } from './edge.ts'
import { type Bytes, encode } from './encode.ts'
import type { Mark, Step, WrittenError } from './lines.ts'
import { RecordingProblem } from './problem.ts'
import type { Recording } from './read.ts'
import { hashOf } from './recorder.ts'
import { redactWords } from './redact.ts'

/** Where the session left the recording. */
export interface Difference {
  /** Of the file. */
  readonly line: number
  /** Milliseconds since the session began. */
  readonly atMs: number
  /** As JSON; null: nothing (more) in this step. */
  readonly recorded: string | null
  readonly replayed: string | null
}

interface Running {
  readonly signal: AbortSignal
  resolve(value: unknown): void
  reject(error: unknown): void
}

/** What the session does with what comes in. Timers, turns and answers find their own way. */
export type Outside = Exclude<Step, { readonly do: 'timer' | 'turn' | 'answer' }>

export class Replayer implements Edge {
  readonly clock: Clock
  readonly #recording: Recording
  readonly #bytes: Bytes
  readonly #words: 'keep' | 'redact'
  readonly #timers = new Map<number, () => void>()
  readonly #turns = new Map<number, () => void>()
  readonly #runs = new Map<number, Running>()
  #at = 0
  #now: number
  readonly #count = { timers: 0, turns: 0, runs: 0 }
  #difference: Difference | undefined
  #marks = 0

  constructor(recording: Recording) {
    const { head } = recording
    this.#recording = recording
    this.#bytes = head.audio === 'keep' ? 'hash' : 'drop'
    this.#words = head.redact.includes('text') ? 'redact' : 'keep'
    this.#now = head.at
    this.clock = {
      now: () => this.#now,
      wallMs: () => head.wallMs + (this.#now - head.at),
      setTimer: (_, fire) => {
        const timer = ++this.#count.timers
        this.#timers.set(timer, fire)
        // Kept with nothing to do: it may have been cancelled while its turn was waited for.
        return { cancel: () => void this.#timers.set(timer, () => {}) }
      },
      nextTurn: () => new Promise((resolve) => this.#turns.set(++this.#count.turns, resolve)),
    }
  }

  get difference(): Difference | undefined {
    return this.#difference
  }

  /** Marks that were the same. */
  get marks(): number {
    return this.#marks
  }

  /** Hands in every step. Ends at the first difference. Throws `RecordingProblem` for what cannot be a recording. */
  async play(outside: (step: Outside) => void, onFault: (error: unknown) => void): Promise<void> {
    await settled()
    const { lines } = this.#recording
    while (!this.#difference && this.#at < lines.length) {
      const { line, is } = lines[this.#at]!
      if (is.l === 'mark') return this.#differ(null)
      this.#at++
      this.#now = is.at
      try {
        this.#take(is, line, outside)
      } catch (error) {
        if (error instanceof RecordingProblem) throw error
        onFault(error)
      }
      await settled()
    }
  }

  tell(kind: string, detail: Detail): void {
    this.#match(kind, detail)
  }

  ask<T>(kind: string, detail: Detail, _answer: () => T, otherwise: T): T {
    const mark = this.#match(kind, detail)
    return mark ? (mark.got as T) : otherwise
  }

  run<T>(kind: string, detail: Detail, signal: AbortSignal): Promise<T> {
    const run = ++this.#count.runs
    this.#match(kind, { run, ...detail })
    return new Promise<T>((resolve, reject) => {
      this.#runs.set(run, { signal, resolve: resolve as (value: unknown) => void, reject })
    })
  }

  hash(value: unknown): string {
    return hashOf(encode(this.#seen(value), 'drop'))
  }

  #seen(value: unknown): unknown {
    return this.#words === 'redact' ? redactWords(value) : value
  }

  #match(kind: string, detail: Detail): Mark | undefined {
    if (this.#difference) return undefined
    const mine = this.#json(kind, detail)
    const found = this.#recording.lines[this.#at]
    // At the end of a file that was cut, the session may go on.
    if (!found) return undefined
    if (found.is.l !== 'mark' || written(found.is) !== mine) {
      this.#differ(mine)
      return undefined
    }
    this.#at++
    this.#marks++
    return found.is
  }

  #json(kind: string, detail: Detail): string {
    return `${kind} ${JSON.stringify(encode(this.#seen(detail), this.#bytes))}`
  }

  #differ(replayed: string | null): void {
    const { lines, head } = this.#recording
    const found = lines[this.#at]
    const mark = found?.is.l === 'mark' ? written(found.is) : null
    this.#difference ??= {
      line: found?.line ?? 0,
      atMs: this.#now - head.at,
      recorded: mark,
      replayed,
    }
  }

  #take(step: Step, line: number, outside: (step: Outside) => void): void {
    switch (step.do) {
      case 'timer':
        return this.#once(this.#timers, step.timer, line, 'a timer that is not set')()
      case 'turn':
        return this.#once(this.#turns, step.turn, line, 'a turn that nobody waits for')()
      case 'answer': {
        const { signal, resolve, reject } = this.#once(this.#runs, step.run, line, 'an answer to no question')
        return 'failed' in step ? reject(errorOf(step.failed, signal)) : resolve(step.ok)
      }
      default:
        return outside(step)
    }
  }

  #once<T>(map: Map<number, T>, key: number, line: number, what: string): T {
    const found = map.get(key)
    if (found === undefined) throw new RecordingProblem(`${what}: ${key}`, line)
    map.delete(key)
    return found
  }
}

function written({ do: kind, is }: Mark): string {
  return `${kind} ${JSON.stringify(is)}`
}

function errorOf(written: WrittenError, signal: AbortSignal): unknown {
  switch (written.is) {
    case 'aborted':
      return signal.reason
    case 'provider': {
      const { provider, stage, kind, message, retryAfterMs, declined } = written
      return new ProviderError({
        provider,
        stage,
        kind: kind as ProviderErrorKind,
        message,
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
        ...(declined === undefined ? {} : { declined: declined as Declined }),
      })
    }
    case 'error':
      return new Error(written.message)
    default: {
      const never: never = written
      return never
    }
  }
}
