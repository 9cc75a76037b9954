/** One sentence of a double: its sound in chunks, each at its time, and its fault where it strikes. */
import type { AudioFormat } from '../../audio/format.ts'
import { DRIP_MS, type SoundChunk, type SoundOptions, soundOf, type Timers, type TtsFault } from './double.ts'
import type { VoiceDouble } from './voice-double.ts'

export interface Sentence {
  readonly text: string
  /** None, when that is its fault. */
  readonly chunks: readonly SoundChunk[]
  readonly fault: TtsFault | undefined
  /** The chunk before which the fault strikes; from which on it drips. */
  readonly strikesAt: number
  /** Before that chunk. */
  readonly waitMs: number | undefined
  readonly dripMs: number
}

/** What a fault does instead of the rest of the sentence; one that is not here lets it go on. */
export type Strikes = { readonly [Fault in TtsFault]?: () => void }

/** How a provider says it. */
export interface Telling {
  /** To its first sound, beyond the double's `firstAudioMs`. */
  readonly afterMs?: number
  /** Before the first chunk, or before the end where there is none. */
  begins?(): void
  /** `at`: which one it is, from 0. */
  chunk(chunk: SoundChunk, at: number): void
  ends(): void
  readonly strikes: Strikes
}

/** Takes the sentence's fault from the double's plan. `conversation` is the same object for all that belongs to one answer. */
export function sentenceOf(
  { options, faults }: VoiceDouble,
  text: string,
  format: AudioFormat,
  conversation: object,
): Sentence {
  const planned = options.faultOf?.(text, conversation)
  const fault = planned?.fault ?? faults.ofSentence()
  const hz = fault === 'wrong_sample_rate' ? format.sampleRateHz / 2 : format.sampleRateHz
  const chunks = fault === 'no_sound' ? [] : soundOf(text, format, options, hz)
  const strikesAt = planned?.at === 'start' ? 0 : Math.ceil(chunks.length / 2)
  return { text, chunks, fault, strikesAt, waitMs: planned?.waitMs, dripMs: planned?.dripMs ?? DRIP_MS }
}

/** Says it, from `firstAudioMs` on. Returns what stops it: nothing more of it is told. */
export function say(
  { chunks, fault, strikesAt, waitMs, dripMs }: Sentence,
  timers: Timers,
  { firstAudioMs = 0, everyMs = 10 }: Pick<SoundOptions, 'firstAudioMs' | 'everyMs'>,
  telling: Telling,
): () => void {
  let state: 'runs' | 'stopped' = 'runs'
  const step = (at: number): void => {
    if (at !== strikesAt || waitMs === undefined) return tell(at)
    timers.after(waitMs, () => tell(at))
  }
  const tell = (at: number): void => {
    if (state === 'stopped') return
    const strike = at === strikesAt && fault ? telling.strikes[fault] : undefined
    if (strike) return strike()
    const chunk = chunks[at]
    if (!chunk) return telling.ends()
    telling.chunk(chunk, at)
    timers.after(fault === 'slow_drip' && at >= strikesAt ? dripMs : everyMs, () => step(at + 1))
  }
  timers.after(firstAudioMs + (telling.afterMs ?? 0), () => {
    telling.begins?.()
    step(0)
  })
  return () => {
    state = 'stopped'
  }
}
