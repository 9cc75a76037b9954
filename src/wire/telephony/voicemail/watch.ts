/**
 * Watches the beginning of a call that we placed, and does what the pipeline says when a machine answered: hangs up, or waits for
 * the beep (or for the silence after the greeting), has the message said, and hangs up.
 *
 *     listening ─ person, or nothing within 20 s ─► over: the call goes on
 *         └────── machine ─► hang up, or: waiting ─ beep, silence, 45 s ─► leave the message ─► over
 */
import type { AudioFormat } from '../../../audio/format.ts'
import type { Clock, Timer } from '../../../clock.ts'
import type { VoicemailPolicy } from '../../../config/pipeline.ts'
import { BeepDetector } from './beep.ts'
import type { VoicemailJudge, VoicemailVerdict } from './judge.ts'

export interface VoicemailActs {
  /** It is a machine: whatever we say or think now is void, and nothing it says is a turn. Called once, before the others. */
  machine(): void
  /** Says the message and then hangs up. */
  leave(say: string): void
  hangUp(): void
}

export interface VoicemailWatchOptions {
  readonly policy: VoicemailPolicy
  readonly judge: VoicemailJudge
  /** The far side's sound. */
  readonly format: AudioFormat
  readonly clock: Clock
  readonly acts: VoicemailActs
}

/** Who has not been found to be a machine by then is treated as a person. */
const LISTEN_MS = 20_000
/** Greetings of networks take half a minute at most. */
const WAIT_MS = 45_000
/** After a greeting without a beep. Longer than a pause within one. */
const SILENCE_MS = 2_500

export class VoicemailWatch {
  readonly #options: VoicemailWatchOptions
  readonly #beep: BeepDetector
  readonly #beganMs: number
  #state: 'listening' | 'waiting' | 'over' = 'listening'
  #spokeFrom: number | undefined
  #silence: Timer | undefined
  #limit: Timer

  constructor(options: VoicemailWatchOptions) {
    const { clock, format } = options
    this.#options = options
    this.#beep = new BeepDetector(format)
    this.#beganMs = clock.now()
    this.#limit = clock.setTimer(LISTEN_MS, () => this.close())
  }

  get isOver(): boolean {
    return this.#state === 'over'
  }

  /** The far side's sound, in the format given. */
  audio(bytes: Uint8Array): void {
    if (this.#state === 'over' || this.#beep.push(bytes) === 'none') return
    if (this.#state === 'listening') this.#machine()
    if ((this.#state as string) === 'waiting') this.#leave()
  }

  speechStarted(): void {
    this.#spokeFrom = this.#options.clock.now()
    this.#silence?.cancel()
    this.#silence = undefined
  }

  speechStopped(): void {
    const { clock, judge } = this.#options
    const now = clock.now()
    const spokeMs = now - (this.#spokeFrom ?? now)
    this.#spokeFrom = undefined
    if (this.#state === 'listening') this.#judged(judge.paused(spokeMs, now - this.#beganMs))
    if (this.#state === 'waiting') this.#awaitSilence()
  }

  /** All words of the far side so far. */
  words(text: string): void {
    const { clock, judge } = this.#options
    if (this.#state === 'listening') this.#judged(judge.heard(text, clock.now() - this.#beganMs))
  }

  /** The bridge's own judgement. */
  told(word: string): void {
    if (this.#state === 'listening') this.#judged(this.#options.judge.told(word))
  }

  /** Nothing more is done. Idempotent. */
  close(): void {
    this.#state = 'over'
    this.#limit.cancel()
    this.#silence?.cancel()
  }

  #judged(verdict: VoicemailVerdict): void {
    if (verdict === 'person') this.close()
    else if (verdict === 'machine') this.#machine()
  }

  #machine(): void {
    const { policy, acts, clock } = this.#options
    this.#state = 'waiting'
    acts.machine()
    if (policy.message === null) {
      this.close()
      return acts.hangUp()
    }
    this.#limit.cancel()
    this.#limit = clock.setTimer(WAIT_MS, () => this.#leave())
    if (this.#spokeFrom === undefined) this.#awaitSilence()
  }

  #awaitSilence(): void {
    this.#silence?.cancel()
    this.#silence = this.#options.clock.setTimer(SILENCE_MS, () => this.#leave())
  }

  #leave(): void {
    const { policy, acts } = this.#options
    this.close()
    if (policy.message !== null) acts.leave(policy.message)
  }
}
