/**
 * What doubles of recognisers share that are called for each stretch of speech and answer at its end: what they hear of a script in
 * one call, and when they tell of it. How it is told is the provider's.
 */
import type { AudioFormat } from '../../audio/format.ts'
import type { DoublePeer } from '../carrier/sockets.ts'
import {
  type HeardWord,
  Outlet,
  type SttDirections,
  type SttDoubleOptions,
  type SttSessionRecord,
} from './double.ts'

/** Times are those of the call. */
export interface CalledDialect {
  partial(words: readonly HeardWord[], atMs: number): object
  final(words: readonly HeardWord[], atMs: number): object
  /** Nobody has spoken for a while. */
  paused(lastMs: number): object
  /** All is told. */
  readonly ended: object
  /** What may be sent that means nothing. */
  readonly keepAlive: object
}

export interface CalledFacts extends SttDirections {
  readonly peer: DoublePeer
  readonly record: SttSessionRecord
  readonly format: AudioFormat
  /** Of the caller's audio, before this call. */
  readonly fromMs: number
  readonly dialect: CalledDialect
}

/** A pause after which it settles what was said. */
const PAUSE_MS = 700

/** Where a call begins in the caller's audio: after all calls before, unless each has a script of its own. */
export function fromMsOf({ scriptOf }: SttDoubleOptions, before: readonly SttSessionRecord[]): number {
  return scriptOf ? 0 : before.reduce((sum, { audioMs }) => sum + audioMs, 0)
}

export class CalledHearing {
  readonly out: Outlet
  readonly #facts: CalledFacts
  /** Words of the script that were told for good, and those told at all. */
  #settled: number
  #told: number

  constructor(facts: CalledFacts) {
    this.#facts = facts
    const { peer, record, clock, script, format, fromMs, dialect } = facts
    this.#settled = (script.words ?? []).filter(({ endMs }) => endMs <= fromMs).length
    this.#told = this.#settled
    this.out = new Outlet(peer, record, clock, script, format, dialect.keepAlive, fromMs)
  }

  heard(audio: Uint8Array, error: () => void): void {
    this.out.heard(audio, error)
    const { dialect } = this.#facts
    const words = this.#words()
    const last = words.at(-1)
    if (words.length > this.#settled && last && this.#atMs - last.endMs >= PAUSE_MS) {
      this.#settle()
      return this.out.say(dialect.paused(last.endMs))
    }
    if (words.length === this.#told) return
    this.#told = words.length
    this.out.say(dialect.partial(words.slice(this.#settled), this.#atMs))
  }

  /** There is no more audio. */
  finished(): void {
    this.out.heardMessage('end')
    this.#settle()
    if (this.#facts.script.fault !== 'no_final') this.out.say(this.#facts.dialect.ended)
  }

  get #atMs(): number {
    return this.#facts.record.audioMs
  }

  /** That are over, with their times in the call. */
  #words(): HeardWord[] {
    const { script, fromMs } = this.#facts
    return (script.words ?? [])
      .map((word) => ({ ...word, startMs: Math.max(0, word.startMs - fromMs), endMs: word.endMs - fromMs }))
      .filter(({ endMs }) => endMs <= this.#atMs)
  }

  #settle(): void {
    const words = this.#words().slice(this.#settled)
    if (words.length === 0) return
    this.#settled += words.length
    this.#told = this.#settled
    this.out.say(this.#facts.dialect.final(words, this.#atMs), 'final')
  }
}
