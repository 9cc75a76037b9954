/**
 * The voice-activity interface that `provider/local` implements and `app.ts` injects. Frames go in as 16 kHz
 * PCM; windows of 512 samples (32 ms) come out with a speech probability, in order, one for each window
 * written, possibly many at a time and some tens of milliseconds later (inference runs in a worker).
 */
import type { EndOfTurn } from './end-of-turn.ts'
import type { GateEngine } from './gate.ts'

export const VAD_SAMPLE_RATE_HZ = 16_000
export const VAD_WINDOW_SAMPLES = 512
export const VAD_WINDOW_MS = 32

export interface VadWindow {
  /** Samples at 16 kHz since the stream's first, exclusive end of this window. */
  readonly endSample: number
  /** 0…1 */
  readonly probability: number
}

export interface VadStream extends AsyncIterable<readonly VadWindow[]> {
  /** Any number of samples; the stream cuts windows itself. Never blocks. */
  write(samples: Int16Array): void
  /** Forgets the model's state and the partial window: the next sample starts anew at `startSample`. */
  restart(startSample: number): void
  close(): void
}

export interface Vad {
  /** Instead of the gate of the process: a recording has its own. */
  readonly gate?: GateEngine
  /** Judges pauses under `semantic_vad`; left out: silence alone ends a turn. */
  readonly endOfTurn?: EndOfTurn
  open(options: { readonly signal: AbortSignal }): VadStream
}
