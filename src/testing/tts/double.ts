/**
 * What the doubles of speech providers share: faults by name, sound of a known length that tells whose it is, words at
 * known times, timers that end with the connection.
 */
import { type AudioFormat, msToBytes } from '../../audio/format.ts'
import { type Clock, realClock, type Timer } from '../../clock.ts'

export type TtsFault =
  // Of a connection
  | 'refuse_auth'
  | 'refuse_429'
  | 'hang_on_connect'
  // Of a sentence, half-way through its sound
  | 'drop_mid_stream'
  | 'silent_after_ms'
  | 'slow_drip'
  | 'close_clean_early'
  | 'malformed_json'
  | 'error_without_context'
  | 'error_in_context'
  // Of a sentence's whole sound
  | 'late_after_cancel'
  | 'duplicate_final'
  | 'no_final'
  | 'wrong_sample_rate'
  | 'no_sound'
  | 'refuse_in_context'
  | 'rate_in_context'
  /** Messages of the context, but no sound. */
  | 'keep_alives_only'

export interface PlannedFault {
  readonly fault: TtsFault
  /** Which of the sentences the double is still to hear, from 0. Left out: the next connection. */
  readonly sentence?: number
}

/** A fault of one sentence, and where it strikes. */
export interface SentenceFault {
  readonly fault: TtsFault
  readonly at: 'start' | 'middle'
  /** Before that part of the sound. */
  readonly waitMs?: number
  /** Between chunks of a drip. */
  readonly dripMs?: number
}

export interface SoundOptions {
  /** Left out: the real one. */
  readonly clock?: Clock
  /** Of every connection, or of every sentence; left out: as planned. */
  readonly fault?: TtsFault
  /** The fault of a text, asked once for each; `conversation` is the same object for all that belongs to one answer. */
  readonly faultOf?: (text: string, conversation: object) => SentenceFault | undefined
  /** The two 16-bit samples that the sound of a character repeats; null: silence. Left out: `markOf`. */
  readonly samplesOf?: (text: string) => (char: number) => readonly [number, number] | null
  readonly msPerChar?: number
  readonly chunkMs?: number
  /** From a sentence to its first sound. */
  readonly firstAudioMs?: number
  /** Between two chunks of sound. */
  readonly everyMs?: number
}

export const DRIP_MS = 5_000
/** Between messages that mean nothing. */
export const KEEP_ALIVE_MS = 500

/** One chunk of a sentence's sound with the characters that begin in it. */
export interface SoundChunk {
  readonly audio: Uint8Array
  /** From the sentence's beginning. */
  readonly startMs: number
  readonly chars: readonly { readonly char: string; readonly startMs: number; readonly ms: number }[]
}

/** The byte a text's sound is made of: sounds of different texts are told apart by it. */
export function markOf(text: string): number {
  let hash = 7
  for (const char of text.trim()) hash = (hash * 31 + char.charCodeAt(0)) >>> 0
  return 1 + (hash % 254)
}

export function lengthOf(text: string, msPerChar: number): number {
  return text.trim().length * msPerChar
}

/** `hz` other than the format's is what a provider does that mistakes the format. */
export function soundOf(
  text: string,
  format: AudioFormat,
  { msPerChar = 50, chunkMs = 100, samplesOf }: Partial<SoundOptions>,
  hz = format.sampleRateHz,
): SoundChunk[] {
  const spoken = text.trim()
  const whole = lengthOf(spoken, msPerChar)
  const samples = samplesOf?.(spoken)
  const chunks: SoundChunk[] = []
  for (let startMs = 0; startMs < whole; startMs += chunkMs) {
    const endMs = Math.min(whole, startMs + chunkMs)
    const audio = new Uint8Array(msToBytes({ ...format, sampleRateHz: hz }, endMs - startMs))
    if (samples) drawChars(audio, startMs, hz, msPerChar, samples)
    else audio.fill(markOf(spoken))
    const chars = [...spoken]
      .map((char, i) => ({ char, startMs: i * msPerChar, ms: msPerChar }))
      .filter((one) => one.startMs >= startMs && one.startMs < endMs)
    chunks.push({ audio, startMs, chars })
  }
  return chunks
}

/** A word, and where in the sound of its text it stands. */
export interface SpokenWord {
  readonly word: string
  readonly startMs: number
  readonly endMs: number
}

export function wordsOf(text: string, { msPerChar = 50 }: Pick<SoundOptions, 'msPerChar'>): SpokenWord[] {
  return [...text.trim().matchAll(/\S+/g)].map(({ 0: word, index }) => ({
    word,
    startMs: index * msPerChar,
    endMs: (index + word.length) * msPerChar,
  }))
}

function drawChars(
  audio: Uint8Array,
  startMs: number,
  hz: number,
  msPerChar: number,
  samples: (char: number) => readonly [number, number] | null,
): void {
  const view = new Int16Array(audio.buffer, audio.byteOffset, audio.length / 2)
  const first = Math.round((startMs * hz) / 1000)
  const perChar = (msPerChar * hz) / 1000
  for (let i = 0; i < view.length; ) {
    const char = Math.floor((first + i) / perChar)
    const end = Math.min(view.length, Math.ceil((char + 1) * perChar) - first)
    const pair = samples(char)
    if (pair) for (let at = i; at < end; at++) view[at] = pair[(first + at) & 1]!
    i = end
  }
}

function isOfConnection(fault: TtsFault | undefined): boolean {
  return fault === 'refuse_auth' || fault === 'refuse_429' || fault === 'hang_on_connect'
}

/** With the clock that there is when none is given. */
export type Clocked<Options> = Options & { readonly clock: Clock }

export function clocked<Options extends SoundOptions>(options = {} as Options): Clocked<Options> {
  return { ...options, clock: options.clock ?? realClock }
}

/** Faults by when they are due. */
export class FaultPlan {
  readonly #planned: PlannedFault[] = []
  readonly #always: TtsFault | undefined
  #sentences = 0

  constructor(always?: TtsFault) {
    this.#always = always
  }

  plan(fault: TtsFault, sentence?: number): void {
    this.#planned.push(sentence === undefined ? { fault } : { fault, sentence: this.#sentences + sentence })
  }

  /** Whether the next connection has this one, which is then over. */
  takes(fault: TtsFault): boolean {
    return this.#take((one) => one.sentence === undefined && one.fault === fault) !== undefined
  }

  ofConnection(): TtsFault | undefined {
    const always = isOfConnection(this.#always) ? this.#always : undefined
    return this.#take((one) => one.sentence === undefined) ?? always
  }

  ofSentence(): TtsFault | undefined {
    const now = this.#sentences++
    const always = isOfConnection(this.#always) ? undefined : this.#always
    return this.#take((one) => one.sentence === now) ?? always
  }

  #take(due: (one: PlannedFault) => boolean): TtsFault | undefined {
    const at = this.#planned.findIndex(due)
    return at < 0 ? undefined : this.#planned.splice(at, 1)[0]?.fault
  }
}

/** Timers of one connection. */
export class Timers {
  readonly #clock: Clock
  readonly #running = new Set<Timer>()
  #over = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  after(ms: number, act: () => void): Timer {
    if (this.#over) return { cancel() {} }
    const timer = this.#clock.setTimer(ms, () => {
      this.#running.delete(timer)
      act()
    })
    this.#running.add(timer)
    return {
      cancel: () => {
        timer.cancel()
        this.#running.delete(timer)
      },
    }
  }

  end(): void {
    this.#over = true
    for (const timer of this.#running) timer.cancel()
    this.#running.clear()
  }
}
