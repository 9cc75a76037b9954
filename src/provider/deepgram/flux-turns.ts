/**
 * When Flux ends a turn: by how sure it is, or a while after speech (https://developers.deepgram.com/docs/flux/configuration,
 * read on 2026-11-25). Pure.
 */
import type { OwnTurns } from '../../stage/stt.ts'

export interface FluxRules {
  /** 0.5…1; its default is 0.7. */
  readonly sure: number
  /** 0.3…0.9, not above `sure`: probably over, reason enough to think; left out: not told. */
  readonly eager?: number
  /** 500…60,000. */
  readonly timeoutMs: number
}

/** The shortest it takes: a turn that we end is settled by so much silence. */
const OURS: FluxRules = { sure: 0.7, timeoutMs: 500 }

/** Its default in the middle, the ends of what it recommends; eager where others have it too. */
const SURE = {
  high: { sure: 0.5, eager: 0.4 },
  medium: { sure: 0.7, eager: 0.5 },
  auto: { sure: 0.7, eager: 0.5 },
  low: { sure: 0.9, eager: 0.5 },
} as const

/** It has no shortest pause: ours is what our own ear takes to notice one. */
export function fluxRules(own: OwnTurns | undefined): FluxRules {
  return own ? { ...SURE[own.eagerness], timeoutMs: own.maxWaitMs } : OURS
}
