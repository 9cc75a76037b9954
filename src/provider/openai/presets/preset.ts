/** What is known of one OpenAI-compatible server: its address, how it takes a key, and where it differs. */
import type { LlmCaps } from '../../../stage/llm.ts'

/**
 * How sure we are. S: the provider's own SDK or types. P: an adapter that others ship. D: the provider's documents. R: what
 * people quoted in public: refusals, addresses. `?`: a guess.
 */
export type Mark = 'S' | 'P' | 'D' | 'R' | '?'

export interface Evidence {
  readonly mark: Mark
  /** What was read. */
  readonly from: string
}

export interface Preset {
  /** Everything before `/chat/completions`. `{name}` stands for a member of the provider's settings. */
  readonly baseUrl: string
  /** Stands behind a `baseUrl` of the settings that has no path of its own. Left out: nothing does. */
  readonly barePath?: string
  /** The form of its addresses when the settings give an `apiVersion`. Left out: it has no such form. */
  readonly dated?: { readonly baseUrl: string; readonly barePath: string }
  /** `optional`: it answers without, as servers on one's own machine do. */
  readonly key: 'needed' | 'optional'
  readonly keyHeader: 'authorization' | 'api-key'
  /** How it is asked; what a client spells otherwise is respelled. `either`: both are known, and clients' words stay. */
  readonly maxTokens: 'max_tokens' | 'max_completion_tokens' | 'either'
  /** Members it refuses to see, as `store` or `messages[].name`: left out of what is sent, and told. */
  readonly refuses: readonly string[]
  /** Members it has under another name. */
  readonly renames: Readonly<Record<string, string>>
  /** `system`: what a client says as `developer` is said as `system`, which all know. */
  readonly developer: 'kept' | 'system'
  readonly embeddings: 'served' | 'none'
  readonly caps: LlmCaps
  /** Of the address. */
  readonly evidence: Evidence
  /** Of `refuses` and `renames`; null: there are none, and none were looked for in vain. */
  readonly refusals: Evidence | null
}

/** When all of it was read. */
export const READ = '2026-11-25'

/** Where nothing else is known: a bearer token, the older name of `max_tokens`, no role `developer`, no vectors. */
export function preset(
  baseUrl: string,
  evidence: readonly [Mark, string],
  more: Partial<Preset> = {},
): Preset {
  const [mark, from] = evidence
  return {
    baseUrl,
    key: 'needed',
    keyHeader: 'authorization',
    maxTokens: 'max_tokens',
    refuses: [],
    renames: {},
    developer: 'system',
    embeddings: 'none',
    caps: { tools: true, json: true, prefill: false },
    evidence: { mark, from },
    refusals: null,
    ...more,
  }
}
