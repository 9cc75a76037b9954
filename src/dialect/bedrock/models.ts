/**
 * What models on Bedrock accept beyond what Converse says for all, read from their ids (`us.anthropic.claude-sonnet-4-5-…`). Pure. From
 * AWS's and Anthropic's pages, read 2026-11-25. Of an inference profile's ARN nothing is known, and nothing is assumed.
 */

export interface ModelTraits {
  readonly maker: 'claude' | 'nova' | 'gpt-oss' | 'other'
  readonly thinks: 'not' | 'budget' | 'adaptive' | 'effort'
  /** `one`: temperature or topP, not both. */
  readonly sampling: 'all' | 'one' | 'none'
  readonly caches: 'all' | 'no tools' | 'not'
  /** A result of a tool may be told to be an error. */
  readonly status: 'told' | 'not told'
}

const OTHER: ModelTraits = {
  maker: 'other',
  thinks: 'not',
  sampling: 'all',
  caches: 'not',
  status: 'not told',
}

export function traitsOf(model: string): ModelTraits {
  const name = model.toLowerCase()
  if (name.includes('anthropic.claude')) return claude(name)
  if (name.includes('amazon.nova')) {
    const thinks = /nova-2/.test(name) ? 'effort' : 'not'
    return { ...OTHER, maker: 'nova', thinks, caches: 'no tools', status: 'told' }
  }
  if (name.includes('openai.gpt-oss')) return { ...OTHER, maker: 'gpt-oss', thinks: 'effort' }
  return OTHER
}

/** Thoughts came with 3.7; with 4.6 the model measures them itself; 4.7 gave up sampling. */
function claude(name: string): ModelTraits {
  const rank = rankOf(name)
  const told = { maker: 'claude', caches: 'all', status: 'told' } as const
  if (rank < 307) return { ...told, thinks: 'not', sampling: 'all' }
  if (rank < 406) return { ...told, thinks: 'budget', sampling: rank < 401 ? 'all' : 'one' }
  return { ...told, thinks: 'adaptive', sampling: rank === 406 ? 'one' : 'none' }
}

/** 4.5 is 405; one whose version cannot be read is newer than all that can. */
function rankOf(name: string): number {
  const numbered = /claude-(?:v|instant-v)?(\d)(?:-(\d))?(?!\d)/.exec(name)
  const named = /claude-[a-z]+-(\d{1,2})(?:-(\d{1,2})(?!\d))?(?!\d)/.exec(name)
  const found = /claude-(?:v\d|instant)/.test(name) ? null : (named ?? numbered)
  if (!found) return /claude-(?:v\d|instant)/.test(name) ? 200 : 9_900
  return Number(found[1]) * 100 + Number(found[2] ?? 0)
}
