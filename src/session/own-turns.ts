/**
 * Whether the recogniser in use may end the caller's turns: asked for when its stream opens, true while that stream serves
 * and keeps up with the caller. One that hears a replay is behind, and what it says of a pause is of one long past.
 */
import type { Clock } from '../clock.ts'
import type { TurnJudge } from '../listen/end-of-turn.ts'
import { patienceFor } from '../listen/patience.ts'
import type { OwnTurns, SttAdapter, SttEvent } from '../stage/stt.ts'
import type { RecognitionEvent } from './events.ts'
import type { SessionSettings } from './settings.ts'

/** What a provider may still owe to audio it was sent in one go. */
const CATCH_UP_MS = 300

/** As the session's eagerness has it; undefined: turns end by silence, or by hand. */
export function ownTurnsOf({ turnDetection }: SessionSettings): OwnTurns | undefined {
  if (turnDetection?.type !== 'semantic_vad') return undefined
  const { eagerness = 'auto', silenceDurationMs } = turnDetection
  const { minSilenceMs, maxWaitMs } = patienceFor(eagerness, silenceDurationMs)
  return { eagerness, minSilenceMs, maxWaitMs }
}

type Words = Omit<Extract<RecognitionEvent, { type: 'partial' }>, 'type' | 'at' | 'turn'>

/** What is known of the words. At an end, probable or not, they are all that was said. */
export function wordsOf(event: Extract<SttEvent, { type: 'partial' | 'eagerEnd' | 'endOfTurn' }>): Words {
  const { text } = event
  if (event.type !== 'partial') return { text, stable: text, complete: true, probablyOver: true }
  return { text, stable: event.stable, complete: event.complete }
}

export class TurnRight {
  readonly #clock: Clock
  readonly #wanted: () => OwnTurns | undefined
  /** What the present stream was opened with. */
  #granted: OwnTurns | undefined
  /** When its stream will be level with the caller; infinite while it is being opened. */
  #levelAt = Number.POSITIVE_INFINITY

  constructor(clock: Clock, wanted: () => OwnTurns | undefined) {
    this.#clock = clock
    this.#wanted = wanted
  }

  /** A stream of this adapter is being opened. */
  grant({ caps }: SttAdapter): { readonly ownTurns?: OwnTurns } {
    this.#levelAt = Number.POSITIVE_INFINITY
    this.#granted = caps.endOfTurn === 'model' ? this.#wanted() : undefined
    return this.#granted ? { ownTurns: this.#granted } : {}
  }

  /** Whether a stream of this adapter would be opened as the present one was. */
  stands({ caps }: SttAdapter): boolean {
    const wanted = caps.endOfTurn === 'model' ? this.#wanted() : undefined
    return wanted?.eagerness === this.#granted?.eagerness
  }

  /** The stream is there, and is given what the caller said meanwhile. */
  serve({ caps }: SttAdapter, backlogMs: number): void {
    this.#levelAt = this.#clock.now() + CATCH_UP_MS + backlogMs / Math.max(1, caps.maxReplaySpeed - 1)
  }

  get judge(): TurnJudge {
    return this.#granted && this.#clock.now() >= this.#levelAt ? 'recogniser' : 'asked'
  }
}
