/** What doubles of voices share that are called for each sentence: its sound in time, and its fault in the middle of it. */
import type { AudioFormat } from '../../audio/format.ts'
import {
  type Clocked,
  DRIP_MS,
  type FaultPlan,
  type SoundOptions,
  soundOf,
  type Timers,
  type TtsFault,
} from './double.ts'

export interface CalledMouth {
  sound(audio: Uint8Array): void
  /** All was said. */
  ended(): void
  /** What the provider does that has this fault; `silent_after_ms` is done here. */
  broken(fault: TtsFault): 'over' | 'goes on'
}

export interface Sentence {
  readonly text: string
  readonly format: AudioFormat
  /** The call. */
  readonly conversation: object
}

export function speakCalled(
  { text, format, conversation }: Sentence,
  options: Clocked<SoundOptions>,
  faults: FaultPlan,
  timers: Timers,
  mouth: CalledMouth,
): void {
  const { firstAudioMs = 0, everyMs = 10, faultOf } = options
  const fault = faultOf?.(text, conversation)?.fault ?? faults.ofSentence()
  const hz = fault === 'wrong_sample_rate' ? format.sampleRateHz / 2 : format.sampleRateHz
  const chunks = fault === 'no_sound' ? [] : soundOf(text, format, options, hz)
  const strikesAt = Math.ceil(chunks.length / 2)
  const step = (at: number): void => {
    if (at === strikesAt && fault !== undefined) {
      if (fault === 'silent_after_ms' || mouth.broken(fault) === 'over') return
    }
    const chunk = chunks[at]
    if (!chunk) {
      if (fault !== 'no_final') mouth.ended()
      return
    }
    mouth.sound(chunk.audio)
    timers.after(fault === 'slow_drip' && at >= strikesAt ? DRIP_MS : everyMs, () => step(at + 1))
  }
  timers.after(firstAudioMs, () => step(0))
}
