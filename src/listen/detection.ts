/**
 * The knobs of turn detection: what a client may set, what we fix, and why. The session's `TurnDetection` fits
 * `Detection` by shape; the rest is the ear's own.
 */
import { type Eagerness, type Patience, patienceFor } from './patience.ts'

export interface Detection {
  /** `semantic_vad`: pauses are judged, and `silenceDurationMs` counts only where they cannot be. Default `server_vad`. */
  readonly type?: 'server_vad' | 'semantic_vad'
  /** Of `semantic_vad`; default `auto`. */
  readonly eagerness?: Eagerness
  /** Speech probability that begins speech, 0…1. */
  readonly threshold: number
  /** How far before the first speech window an utterance begins. */
  readonly prefixPaddingMs: number
  /** Silence that ends a turn. */
  readonly silenceDurationMs: number
}

export interface EndpointOptions extends Detection {
  /** Speech within one burst that starts an utterance, or resumes a paused one: a click is shorter. */
  readonly minSpeechMs: number
  /** Unvoiced time inside a burst that still belongs to it (stop closures, a weak window). */
  readonly burstGapMs: number
  /** Speech in all that makes an interruption. */
  readonly confirmMs: number
  /** Silence after which `speechPaused` is told. */
  readonly softSilenceMs: number
  /** An utterance is ended here even while the caller speaks on; the next begins at once and loses nothing. */
  readonly maxUtteranceMs: number
  /** Left out: silence alone ends a turn. */
  readonly patience?: Patience
}

export const ENDPOINT_DEFAULTS = {
  /** Three windows of the voice detector. A turn starts 32 ms later than with two; nothing waits for that. */
  minSpeechMs: 96,
  burstGapMs: 64,
  /** Bounds what a recogniser must hold; a turn of a minute is a monologue or a radio. */
  maxUtteranceMs: 60_000,
} as const

/**
 * Leaving speech takes a lower probability than entering it: 0.15 lower, as Silero's authors do, but never less
 * than half, or a caller with a threshold of 0.15 could not be silent at all.
 */
export function exitThreshold(threshold: number): number {
  return Math.max(threshold - 0.15, threshold / 2)
}

/**
 * Speculation begins after 200 ms of silence, or half of a shorter window: closures inside words are shorter than
 * 150 ms, so fewer guesses are thrown away, and 300 ms of the usual 500 are left to recognise and think in.
 */
export function softSilenceFor(silenceDurationMs: number): number {
  return Math.min(200, silenceDurationMs / 2)
}

export function endpointOptions(detection: Detection, confirmMs: number): EndpointOptions {
  const { type, eagerness = 'auto', threshold, prefixPaddingMs, silenceDurationMs } = detection
  const patience = type === 'semantic_vad' ? patienceFor(eagerness, silenceDurationMs) : undefined
  const softSilenceMs = softSilenceFor(patience?.unjudgedMs ?? silenceDurationMs)
  const silences = { silenceDurationMs, softSilenceMs, ...(patience ? { patience } : {}) }
  return { ...ENDPOINT_DEFAULTS, threshold, prefixPaddingMs, confirmMs, ...silences }
}
