/**
 * When Soniox ends a turn: by what was said and how, within a longest delay
 * (https://soniox.com/docs/stt/rt/endpoint-detection, read on 2026-11-25). Pure.
 */
import type { OwnTurns } from '../../stage/stt.ts'

export interface EndpointRules {
  /** 500…3,000; left out for models that refuse it. */
  readonly maxDelayMs?: number
  /** -1…1: more, and an end is seen sooner; left out for models that refuse it. */
  readonly sensitivity?: number
}

const MAX_DELAY_MS = { least: 500, most: 3_000 }

/** Its default in the middle. How far the ends should be, it does not say: half of the way. */
const SENSITIVITY = { high: 0.5, medium: 0, auto: 0, low: -0.5 } as const

/** Each setting since the version of the model that brought it; earlier ones refuse it. */
const DELAY_SINCE = 4
const SENSITIVITY_SINCE = 5

/** It has no shortest pause: ours is what our own ear takes to notice one. */
export function endpointRules(own: OwnTurns | undefined, model: string): EndpointRules | undefined {
  if (!own) return undefined
  const version = Number(/^stt-rt-v(\d+)/.exec(model)?.[1] ?? 0)
  const maxDelayMs = Math.min(MAX_DELAY_MS.most, Math.max(MAX_DELAY_MS.least, own.maxWaitMs))
  return {
    ...(version >= DELAY_SINCE && { maxDelayMs }),
    ...(version >= SENSITIVITY_SINCE && { sensitivity: SENSITIVITY[own.eagerness] }),
  }
}
