/**
 * Turns speech probabilities into utterances. Pure: windows in, events out, time counted in audio only, since
 * clients may send faster or slower than real time.
 *
 *            voiced            enough of it              silence ≥ soft            silence ≥ silenceDuration
 *     idle ────────► maybe ──────────────► speaking ─────────────────► softEnded ────────────────► idle
 *       ▲  too little  │                       ▲        enough speech      │
 *       └──────────────┘                       └───────────────────────────┘
 *
 * With `patience` a pause is a question to a judge: `takeQuestion` hands it out, `judged` brings the answer, and the
 * next window acts on it. Each pause has a number, so that an answer to one that is over is known for what it is.
 * A pause that the recogniser judges raises no question until the recogniser is lost; `turnEnded` is its answer.
 */
import { type EndpointOptions, exitThreshold } from './detection.ts'
import type { EndedBy, Judgement, TurnJudge } from './end-of-turn.ts'
import type { EarEvent } from './events.ts'
import { endedBy, nextQuestionMs, type PauseFacts } from './patience.ts'

/** One judged window: audio times in ms, and when the sample before it and its last sample arrived. In order. */
export interface SpeechWindow {
  readonly startMs: number
  readonly endMs: number
  readonly probability: number
  readonly startAt: number
  readonly at: number
}

/**
 * A run of speech, not yet long enough to mean anything. It ends where its last voiced window begins: the model
 * holds on to speech for one window after it ended (measured against acoustic ends: 26 to 58 ms at the median).
 */
interface Burst {
  readonly startMs: number
  voicedMs: number
  endMs: number
  endAt: number
  /** End of the last voiced window itself. */
  heardMs: number
}

interface Utterance extends Burst {
  confirmed: boolean
}

/** What the judge is asked of: the utterance and its pause, in audio time. */
export interface PauseQuestion {
  readonly pause: number
  readonly fromMs: number
  readonly toMs: number
}

/** A pause, who judges it and what was said of it. */
interface Pause extends Omit<PauseFacts, 'silenceMs' | 'told'> {
  readonly number: number
  readonly askFromMs: number
}

const NO_PAUSE: Pause = { number: 0, judge: 'asked', askFromMs: 0, judgement: undefined, askedSinceMs: 0 }

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'maybe'; readonly burst: Burst }
  | { readonly kind: 'speaking'; readonly utterance: Utterance }
  | { readonly kind: 'softEnded'; readonly utterance: Utterance; readonly burst: Burst | null }

const IDLE: State = { kind: 'idle' }
const NOTHING: readonly EarEvent[] = []

export class Endpointer {
  #options: EndpointOptions
  #state: State = IDLE
  #voiced = false
  /** No utterance begins before this: the end of the last one's speech, or a reset. */
  #floorMs = 0
  #pause = NO_PAUSE
  /** By the recogniser, since speech was last heard: it may notice the silence before we do. */
  #told: PauseFacts['told'] = 'nothing'
  #question: PauseQuestion | null = null
  #judge: TurnJudge = 'asked'

  constructor(options: EndpointOptions) {
    this.#options = options
  }

  /** An utterance, or a burst that may become one, is open. */
  get busy(): boolean {
    return this.#state.kind !== 'idle'
  }

  /** From the next window on; an open utterance goes on under the new rules. */
  configure(options: EndpointOptions): void {
    this.#options = options
  }

  /** Forgets what is open; nothing before `floorMs` will be part of an utterance. */
  drop(floorMs: number, at: number): readonly EarEvent[] {
    const told = this.#state.kind === 'speaking' || this.#state.kind === 'softEnded'
    this.#state = IDLE
    this.#voiced = false
    this.#told = 'nothing'
    this.#floorMs = Math.max(this.#floorMs, floorMs)
    return told ? [{ type: 'speechDropped', at }] : NOTHING
  }

  /** What the last window gave reason to ask, once. Left alone, the next window asks again. */
  takeQuestion(): PauseQuestion | null {
    const question = this.#question
    this.#question = null
    if (question) this.#change({ askFromMs: nextQuestionMs(this.#silenceMs(question.toMs)) })
    return question
  }

  /** The answer to a question; undefined: the judge could not say, and the next window asks again. */
  judged(pause: number, judgement: Judgement | undefined): void {
    if (pause === this.#pause.number) this.#change(judgement ? { judgement } : { askFromMs: 0 })
  }

  /** The recogniser's word that the turn is over. It does not end one while the caller is heard to speak. */
  turnEnded(): void {
    if (this.#state.kind === 'speaking' || this.#state.kind === 'softEnded') this.#told = 'over'
  }

  /** `judge`: who judges a pause that begins now. One that the recogniser does not judge any more is ours. */
  push(window: SpeechWindow, judge: TurnJudge = 'asked'): readonly EarEvent[] {
    const { threshold } = this.#options
    this.#judge = judge
    this.#question = null
    this.#voiced = window.probability >= (this.#voiced ? exitThreshold(threshold) : threshold)
    const state = this.#state
    switch (state.kind) {
      case 'idle':
        return this.#voiced ? this.#listen(burstOf(window), window.at) : NOTHING
      case 'maybe':
        return this.#weigh(state.burst, window)
      case 'speaking':
        return this.#speaking(state.utterance, window)
      case 'softEnded':
        return this.#softEnded(state.utterance, state.burst, window)
      default:
        return state satisfies never
    }
  }

  #weigh(burst: Burst, window: SpeechWindow): readonly EarEvent[] {
    if (!this.#voiced) {
      if (this.#fizzled(burst, window)) this.#state = IDLE
      return NOTHING
    }
    extend(burst, window)
    return this.#listen(burst, window.at)
  }

  /** A burst grew: it is an utterance, or still only perhaps one. */
  #listen(burst: Burst, at: number): readonly EarEvent[] {
    if (burst.voicedMs < this.#options.minSpeechMs) {
      this.#state = { kind: 'maybe', burst }
      return NOTHING
    }
    const startMs = Math.max(this.#floorMs, burst.startMs - this.#options.prefixPaddingMs)
    const utterance: Utterance = { ...burst, startMs, confirmed: false }
    const started: EarEvent = { type: 'speechStarted', startMs, at }
    this.#state = { kind: 'speaking', utterance }
    return [started, ...this.#confirm(utterance, at)]
  }

  #speaking(utterance: Utterance, window: SpeechWindow): readonly EarEvent[] {
    if (this.#voiced) {
      this.#told = 'nothing'
      extend(utterance, window)
      const confirmed = this.#confirm(utterance, window.at)
      if (!this.#tooLong(utterance, window)) return confirmed
      // The caller speaks on: the utterance ends here, and the next takes up from here.
      Object.assign(utterance, { endMs: window.endMs, endAt: window.at })
      return [...confirmed, this.#end(utterance, window, 'length')]
    }
    if (window.endMs - utterance.endMs < this.#options.softSilenceMs) return NOTHING
    const { endMs, endAt } = utterance
    this.#state = { kind: 'softEnded', utterance, burst: null }
    this.#pause = { ...NO_PAUSE, number: this.#pause.number + 1, judge: this.#judge }
    const paused: EarEvent = { type: 'speechPaused', endMs, endAt, at: window.at }
    return [paused, ...this.#softEnded(utterance, null, window)]
  }

  /**
   * A burst in the silence window resumes the turn only once it is long enough to start one, else a click would
   * throw a speculation away; while it is undecided the turn does not end, or the caller's next word would open
   * a second one.
   */
  #softEnded(utterance: Utterance, burst: Burst | null, window: SpeechWindow): readonly EarEvent[] {
    if (this.#voiced) {
      const grown = burst ? extend(burst, window) : burstOf(window)
      if (grown.voicedMs < this.#options.minSpeechMs) {
        this.#state = { kind: 'softEnded', utterance, burst: grown }
        return NOTHING
      }
      const { endMs, endAt, heardMs } = grown
      Object.assign(utterance, { voicedMs: utterance.voicedMs + grown.voicedMs, endMs, endAt, heardMs })
      this.#state = { kind: 'speaking', utterance }
      this.#told = 'nothing'
      const resumed: EarEvent = { type: 'speechResumed', at: window.at }
      return [resumed, ...this.#confirm(utterance, window.at)]
    }
    if (burst && !this.#fizzled(burst, window)) return NOTHING
    if (burst) this.#state = { kind: 'softEnded', utterance, burst: null }
    const { endMs } = window
    const silenceMs = endMs - utterance.endMs
    if (this.#pause.judge === 'recogniser' && this.#judge === 'asked')
      this.#change({ judge: 'asked', askedSinceMs: silenceMs })
    const over = this.#endedBy(silenceMs) ?? (this.#tooLong(utterance, window) ? 'length' : null)
    if (over) return [this.#end(utterance, window, over)]
    const { judge, askFromMs, number: pause } = this.#pause
    if (this.#options.patience && judge === 'asked' && silenceMs >= askFromMs)
      this.#question = { pause, fromMs: utterance.startMs, toMs: endMs }
    return NOTHING
  }

  #endedBy(silenceMs: number): EndedBy | null {
    const { patience, silenceDurationMs } = this.#options
    if (patience) return endedBy(patience, { ...this.#pause, silenceMs, told: this.#told })
    return silenceMs >= silenceDurationMs ? 'silence' : null
  }

  #change(change: Partial<Pause>): void {
    this.#pause = { ...this.#pause, ...change }
  }

  #silenceMs(atMs: number): number {
    return this.#state.kind === 'softEnded' ? atMs - this.#state.utterance.endMs : 0
  }

  #confirm(utterance: Utterance, at: number): readonly EarEvent[] {
    if (utterance.confirmed || utterance.voicedMs < this.#options.confirmMs) return NOTHING
    utterance.confirmed = true
    return [{ type: 'speechConfirmed', at }]
  }

  #end(utterance: Utterance, window: SpeechWindow, by: EndedBy): EarEvent {
    const { endMs, endAt } = utterance
    this.#state = IDLE
    this.#told = 'nothing'
    this.#pause = { ...this.#pause, number: this.#pause.number + 1 }
    this.#floorMs = endMs
    return { type: 'speechEnded', endMs, endAt, audioEndMs: window.endMs, at: window.at, endedBy: by }
  }

  #tooLong(utterance: Utterance, window: SpeechWindow): boolean {
    return window.endMs - utterance.startMs >= this.#options.maxUtteranceMs
  }

  #fizzled(burst: Burst, window: SpeechWindow): boolean {
    return window.endMs - burst.heardMs > this.#options.burstGapMs
  }
}

function burstOf(window: SpeechWindow): Burst {
  const { startMs, endMs, startAt } = window
  return { startMs, voicedMs: endMs - startMs, endMs: startMs, endAt: startAt, heardMs: endMs }
}

function extend<T extends Burst>(run: T, window: SpeechWindow): T {
  run.voicedMs += window.endMs - window.startMs
  run.endMs = window.startMs
  run.endAt = window.startAt
  run.heardMs = window.endMs
  return run
}
