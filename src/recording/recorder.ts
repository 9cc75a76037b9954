/**
 * The edge of a session that is recorded. What comes in waits in a queue, and each thing has a turn of the event loop for
 * itself, in which the clock stands still: only then does the order of the file tell all of the order of things. That costs
 * a fraction of a millisecond for each, and only where recording is on.
 */
import { createHash } from 'node:crypto'
import { type Clock, settled } from '../clock.ts'
import { ProviderError } from '../errors.ts'
import type { Detail, Edge } from './edge.ts'
import { type Bytes, encode } from './encode.ts'
import type { LineSink } from './file.ts'
import type { Input, WrittenError } from './lines.ts'
import { redactWords } from './redact.ts'

export interface RecorderOptions {
  readonly clock: Clock
  readonly sink: LineSink
  readonly audio: 'keep' | 'drop'
  readonly words: 'keep' | 'redact'
  /** What a step threw: a bug of the session. */
  readonly onFault: (error: unknown) => void
  /** More came in than could be handed on. */
  readonly onFlood: () => void
}

/** Minutes of audio in frames, far more than a client sends ahead. */
const MAX_WAITING = 20_000
/** Turns without a step after which nothing more is thought to come. */
const IDLE_TURNS = 3

export class Recorder implements Edge {
  readonly clock: Clock
  readonly #options: RecorderOptions
  readonly #queue: { readonly input: Input; readonly act: () => void }[] = []
  readonly #wallMs: number
  readonly #startedAt: number
  #now: number
  #timers = 0
  #turns = 0
  #runs = 0
  #pumping = false
  #ended = false

  constructor(options: RecorderOptions) {
    this.#options = options
    this.#now = options.clock.now()
    this.#startedAt = this.#now
    this.#wallMs = options.clock.wallMs()
    this.clock = {
      now: () => this.#now,
      wallMs: () => this.#wallMs + (this.#now - this.#startedAt),
      setTimer: (delayMs, fire) => this.#setTimer(delayMs, fire),
      nextTurn: () => {
        const turn = ++this.#turns
        return new Promise((resolve) => this.step({ do: 'turn', turn }, resolve))
      },
    }
  }

  /** When the session began: its clock, and the date. */
  get began(): { readonly at: number; readonly wallMs: number } {
    return { at: this.#startedAt, wallMs: this.#wallMs }
  }

  /** Something came in: `act` hands it to the session in a turn of its own. */
  step(input: Input, act: () => void): void {
    if (this.#queue.length >= MAX_WAITING) {
      this.line({ l: 'hole', lines: 1 })
      return this.#options.onFlood()
    }
    this.#queue.push({ input, act })
    if (this.#pumping) return
    this.#pumping = true
    void this.#pump()
  }

  /** A line that no replay compares. */
  line(line: Readonly<Record<string, unknown>>): void {
    this.#write(line, this.#options.audio === 'keep' ? 'keep' : 'drop')
  }

  tell(kind: string, detail: Detail): void {
    this.#write({ l: 'mark', do: kind, is: detail }, this.#outward)
  }

  ask<T>(kind: string, detail: Detail, answer: () => T): T {
    const got = answer()
    // What the session was told a replay must tell it again, sound too.
    this.#write({ l: 'mark', do: kind, is: detail }, this.#outward, { got })
    return got
  }

  run<T>(kind: string, detail: Detail, signal: AbortSignal, start: () => Promise<T>): Promise<T> {
    const run = ++this.#runs
    this.tell(kind, { run, ...detail })
    return new Promise((resolve, reject) => {
      const settle = (input: Input, act: () => void) => this.step(input, act)
      begin(start).then(
        (ok) => settle({ do: 'answer', run, ok }, () => resolve(ok)),
        (error) => settle({ do: 'answer', run, failed: writtenError(error, signal) }, () => reject(error)),
      )
    })
  }

  hash(value: unknown): string {
    const seen = this.#options.words === 'redact' ? redactWords(value) : value
    return hashOf(encode(seen, 'drop'))
  }

  /** Resolves when nothing has come in for some turns of the event loop. */
  async idle(): Promise<void> {
    for (let quiet = 0; quiet < IDLE_TURNS; quiet++) {
      await settled()
      if (this.#pumping) quiet = 0
    }
  }

  /** The last line. Later steps still reach the session, and are not written. */
  async end(): Promise<void> {
    if (this.#ended) return
    this.#write({ l: 'end', why: 'closed' }, 'drop')
    this.#ended = true
    await this.#options.sink.close()
  }

  get #outward(): Bytes {
    return this.#options.audio === 'keep' ? 'hash' : 'drop'
  }

  #setTimer(delayMs: number, fire: () => void) {
    const timer = ++this.#timers
    let state: 'set' | 'over' = 'set'
    const once = () => {
      if (state === 'over') return
      state = 'over'
      fire()
    }
    // What was cancelled while its turn was waited for is a step all the same, and does nothing.
    const real = this.#options.clock.setTimer(delayMs, () => this.step({ do: 'timer', timer }, once))
    return {
      cancel() {
        state = 'over'
        real.cancel()
      },
    }
  }

  async #pump(): Promise<void> {
    for (;;) {
      await settled()
      const next = this.#queue.shift()
      if (!next) break
      this.#now = Math.max(this.#now, this.#options.clock.now())
      this.line({ l: 'step', at: this.#now, ...next.input })
      try {
        next.act()
      } catch (error) {
        this.#options.onFault(error)
      }
      if (this.#queue.length === 0) break
    }
    this.#pumping = false
  }

  /** `inward`: members that came from outside. */
  #write(line: Detail, bytes: Bytes, inward: Detail = {}): void {
    if (this.#ended) return
    const { words, audio, sink } = this.#options
    const seen = (part: Detail) => (words === 'redact' ? redactWords(part) : part)
    const told = encode(seen(inward), audio === 'keep' ? 'keep' : 'drop') as Detail
    sink.write(JSON.stringify({ ...(encode(seen(line), bytes) as Detail), ...told }))
  }
}

/** Of what `encode` made. */
export function hashOf(encoded: unknown): string {
  return createHash('sha256').update(JSON.stringify(encoded)).digest('base64url').slice(0, 16)
}

async function begin<T>(start: () => Promise<T>): Promise<T> {
  return start()
}

function writtenError(error: unknown, signal: AbortSignal): WrittenError {
  if (signal.aborted && error === signal.reason) return { is: 'aborted' }
  if (error instanceof ProviderError) {
    const { provider, stage, kind, message, retryAfterMs, declined } = error
    return {
      is: 'provider',
      provider,
      stage,
      kind,
      message,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      ...(declined === undefined ? {} : { declined }),
    }
  }
  return { is: 'error', message: error instanceof Error ? error.message : String(error) }
}
