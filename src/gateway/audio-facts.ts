/** What routing rules may know of a request to speak or to recognise. */
import type { RoutingFacts } from '../route/context.ts'
import type { RequestOrigin } from './llm/facts.ts'

export interface AudioFacts {
  readonly origin: RequestOrigin
  readonly model: string
  readonly delivery: 'stream' | 'whole'
  /** To be spoken; null: not known yet. */
  readonly text: string | null
  readonly language: string | null
  readonly turnMs: number
  readonly health: RoutingFacts['health']
  readonly wallMs: number
}

export function audioFacts(facts: AudioFacts): RoutingFacts {
  const { origin, model, delivery, text, language, turnMs, health, wallMs } = facts
  const { key, metadata, user, sessionId, wire } = origin
  return {
    key,
    metadata,
    minted: {},
    session: { id: sessionId, wire, language, turns: 1, durationMs: 0, user },
    turn: text === null ? null : () => ({ text, language, confidence: null }),
    request: () => ({ model, messages: [], tools: [], stream: delivery === 'stream', maxTokens: null }),
    inputTokens: () => 0,
    budget: { turnMs, remainingMs: turnMs },
    health,
    wallMs,
  }
}
