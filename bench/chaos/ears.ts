/** What a recogniser's double hears: the words in the samples, as far as they have come; and its fault, if this turn has one. */
import type { AudioFormat } from '../../src/audio/format.ts'
import type { HeardWord, SttFaultName, SttScript } from '../../src/testing/stt/double.ts'
import type { FaultName } from './plan.ts'
import { isLoud, wordAtLevel } from './words.ts'
import type { World } from './world.ts'

const LEAST_MS = 100
const ANSWER_MS = 120
const SLOW_MS = 2_600
const DRIP_MS = 1_200
/** Into the utterance: in the middle of the first words. */
const MIDDLE_MS = 700

const BEFORE: Readonly<Record<FaultName, SttFaultName | undefined>> = {
  refuse: 'refuse_503',
  'rate-limit': 'refuse_429',
  'accept-then-silence': 'accept_then_silence',
  'keep-alives only': 'keep_alives_only',
  'slow first token': undefined,
  drip: undefined,
  stall: 'silent_after_ms',
  drop: 'drop_mid_stream',
  malformed: 'malformed_json',
  'late-after-cancel': 'late_after_cancel',
}
const AFTER: typeof BEFORE = { ...BEFORE, refuse: 'error_without_context', 'rate-limit': 'close_clean_early' }

/** One for each connection of a lane. */
export class Ear implements SttScript {
  readonly words: HeardWord[] = []
  readonly #world: World
  readonly #lane: number
  /** The turn that was told at the last look, and what is to strike it here. */
  #turn = -1
  #fault: FaultName | undefined
  #when: 'before' | 'after' = 'before'
  #strikeAtMs = 0
  #heardMs = 0
  #loud: number[] = []
  #loudFromMs = 0

  constructor(world: World, lane: number) {
    this.#world = world
    this.#lane = lane
    this.#look()
  }

  get fault(): SttFaultName | undefined {
    this.#look()
    if (this.#fault === undefined) return undefined
    return (this.#when === 'before' ? BEFORE : AFTER)[this.#fault]
  }

  get faultAtMs(): number {
    return this.#strikeAtMs
  }

  get answerMs(): number {
    this.#look()
    return this.#fault === 'slow first token' ? SLOW_MS : this.#fault === 'drip' ? DRIP_MS : ANSWER_MS
  }

  hear(bytes: Uint8Array, { sampleRateHz }: AudioFormat): void {
    this.#look()
    const samples = new Int16Array(Uint8Array.from(bytes).buffer)
    for (const [i, sample] of samples.entries()) {
      const ms = this.#heardMs + (i * 1000) / sampleRateHz
      if (isLoud(sample)) {
        if (this.#loud.length === 0) this.#loudFromMs = ms
        this.#loud.push(sample)
      } else if (this.#loud.length > 0) this.#word(ms)
    }
    this.#heardMs += (samples.length * 1000) / sampleRateHz
  }

  #word(endMs: number): void {
    const loud = this.#loud.sort((a, b) => a - b)
    this.#loud = []
    if (endMs - this.#loudFromMs < LEAST_MS) return
    const text = wordAtLevel(loud[loud.length >> 1]!)
    if (text !== undefined)
      this.words.push({ text, startMs: Math.round(this.#loudFromMs), endMs: Math.round(endMs) })
  }

  /** A new turn is a new attempt on this connection. */
  #look(): void {
    const plan = this.#world.current(this.#lane)
    if (!plan || plan.turn === this.#turn) return
    this.#turn = plan.turn
    const fault = this.#world.attempt(plan.turn, 'stt')
    this.#fault = fault?.name
    if (!fault) return
    this.#when = fault.when
    this.#strikeAtMs = this.#heardMs + (fault.when === 'after' ? MIDDLE_MS : 0)
    this.#world.strikes(plan.turn, fault)
  }
}
