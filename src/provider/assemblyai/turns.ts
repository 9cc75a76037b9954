/**
 * When AssemblyAI ends a turn. Two rules of its own: sure enough by what was said, after a least silence, or without that
 * after a longest (https://www.assemblyai.com/docs/streaming/universal-streaming/turn-detection, read on 2026-11-25).
 * Newer models (`u3-rt-pro`, `universal-3-…`) judge by punctuation and sound after the least silence, and are not told how
 * sure to be. Pure.
 */
import type { OwnTurns } from '../../stage/stt.ts'

export interface TurnRules {
  /** 0…1; 1 is out of reach. */
  readonly confidence: number
  readonly minSilenceMs: number
  readonly maxSilenceMs: number
}

/** Turns are ended by us; this only keeps one from growing for ever. */
const OURS: TurnRules = { confidence: 1, minSilenceMs: 5_000, maxSilenceMs: 5_000 }

/** Of the three settings that it recommends: aggressive and balanced are as sure, conservative surer. */
const CONFIDENCE = { high: 0.4, medium: 0.4, auto: 0.4, low: 0.7 } as const

/**
 * The silences are the session's, not those recommended (160/400, 400/1280, 800/3600 ms): what was said decides up to the
 * longest wait that the eagerness means, and no silence alone before.
 */
export function turnRules(own: OwnTurns | undefined): TurnRules {
  if (!own) return OURS
  const { eagerness, minSilenceMs, maxWaitMs } = own
  return { confidence: CONFIDENCE[eagerness], minSilenceMs, maxSilenceMs: maxWaitMs }
}
