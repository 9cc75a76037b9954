/** A turn to route, and targets to choose from, for the tests of `route/`. */
import type { Target, TargetFacts } from '../../src/route/candidates.ts'
import { type Condition, compileCondition } from '../../src/route/condition.ts'
import { RoutingContext, type RoutingFacts, type TurnFacts } from '../../src/route/context.ts'

export const TURN: TurnFacts = { text: 'I want a refund, please.', language: 'de-AT', confidence: 0.9 }

export const FACTS: RoutingFacts = {
  key: { id: 'web', attributes: { tier: 'premium', region: 'eu' } },
  metadata: { tier: 'free', account: 'from the client', seats: 3, deep: { a: { b: 1 } } },
  minted: { account: 'acc_1', region: 'us' },
  session: {
    id: 'sess_1',
    wire: 'realtime',
    language: 'de',
    turns: 2,
    durationMs: 61_000,
    user: 'anna',
  },
  turn: () => TURN,
  request: () => ({
    model: 'support',
    messages: [
      { role: 'system', text: 'Be kind.' },
      { role: 'user', text: TURN.text },
    ],
    tools: ['opening_hours'],
    stream: true,
    maxTokens: null,
  }),
  inputTokens: () => 321,
  budget: { remainingMs: 900, turnMs: 1500 },
  health: (target) =>
    target === 'openai/gpt-4o' ? { p50Ms: 300, p95Ms: 900, errorRate: 0.02, open: false } : undefined,
  // 22:13 in London, 23:13 in Rome.
  wallMs: Date.UTC(2023, 10, 14, 22, 13, 20),
}

export const TARGETS = ['openai/gpt-4o', 'local/smollm2']

export function condition(text: string, stage: 'stt' | 'llm' | 'tts' = 'llm'): Condition {
  const compiled = compileCondition(text, { stage, targets: TARGETS })
  if (!compiled.ok) throw new Error(`${text}: ${compiled.faults.map(({ message }) => message).join('; ')}`)
  return compiled.condition
}

/** `4: turn.txt is not known …` for each fault. */
export function faults(text: string, stage: 'stt' | 'llm' | 'tts' = 'llm'): string[] {
  const compiled = compileCondition(text, { stage, targets: TARGETS })
  return compiled.ok ? [] : compiled.faults.map(({ offset, message }) => `${offset}: ${message}`)
}

export function judge(text: string, facts: Partial<RoutingFacts> = {}) {
  return condition(text).judge(new RoutingContext({ ...FACTS, ...facts }))
}

export function target(id: string): Target {
  return { id, provider: id.slice(0, id.indexOf('/')) }
}

export interface Known extends Omit<Partial<TargetFacts>, 'latency'> {
  readonly p50Ms?: number
  readonly p90Ms?: number
  readonly p95Ms?: number
  readonly unitsPerSecond?: number | null
}

export function targetFacts({
  p50Ms = 300,
  p90Ms,
  p95Ms,
  unitsPerSecond = null,
  ...known
}: Known = {}): TargetFacts {
  return {
    latency: {
      p50Ms,
      p90Ms: p90Ms ?? p50Ms * 2,
      p95Ms: p95Ms ?? p50Ms * 3,
      samples: 50,
      from: 'target',
      errorRate: 0,
      unitsPerSecond,
    },
    priceUsd: null,
    quality: null,
    inFlight: 0,
    circuit: 'closed',
    languages: 'any',
    capabilities: ['tools'],
    ...known,
  }
}
