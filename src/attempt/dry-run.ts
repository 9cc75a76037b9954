/** Which route and targets a conversation with stated facts would get, and why. Calls nobody. */
import { z } from 'zod'
import type { StageName } from '../errors.ts'
import type { RoutingFacts } from '../route/context.ts'
import type { Health } from './health.ts'
import type { StageFacts } from './lineup.ts'

/** What a dry run may state; all of it is untrusted but `key`, which the asker's own key gives. */
export const dryRunSchema = z.strictObject({
  stage: z.enum(['stt', 'llm', 'tts']).default('llm'),
  pipeline: z.string().max(256).optional(),
  metadata: z.record(z.string().max(64), z.unknown()).default({}),
  user: z.string().max(256).optional(),
  language: z.string().max(32).optional(),
  wire: z.string().max(32).default('realtime'),
  turns: z.int().min(0).default(1),
  /** What was asked for as `model`. */
  model: z.string().max(256).default(''),
  /** What the caller just said. */
  text: z.string().max(16_384).default(''),
  remainingMs: z.int().optional(),
})

export type DryRun = z.infer<typeof dryRunSchema>

export function dryRunFacts(
  run: DryRun,
  trusted: {
    readonly key: RoutingFacts['key']
    readonly turnMs: number
    readonly wallMs: number
    readonly health: Health
  },
): StageFacts {
  const { turnMs, health } = trusted
  const language = run.language ?? null
  const common = {
    key: trusted.key,
    metadata: run.metadata,
    minted: {},
    session: {
      id: 'sess_dry_run',
      wire: run.wire,
      language,
      turns: run.turns,
      durationMs: 0,
      user: run.user ?? null,
    },
    inputTokens: () => Math.ceil(run.text.length / 4),
    budget: { turnMs, remainingMs: run.remainingMs ?? turnMs },
    wallMs: trusted.wallMs,
  }
  return (stage: StageName) => {
    const known = { ...common, health: health.health(stage, language) }
    if (stage === 'stt') return { ...known, turn: null, request: null }
    const messages = [{ role: 'user', text: run.text }]
    return {
      ...known,
      turn: () => ({ text: run.text, language, confidence: null }),
      request: () => ({ model: run.model, messages, tools: [], stream: true, maxTokens: null }),
    }
  }
}
