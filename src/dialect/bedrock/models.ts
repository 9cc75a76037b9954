/**
 * What models on Bedrock accept beyond what Converse says for all, read from their ids (`us.anthropic.claude-sonnet-4-5-…`). Pure. From
 * AWS's pages, read 2026-11-25; Claude is the same here as with Anthropic. Of an inference profile's ARN nothing is known, and nothing is assumed.
 */
import { type ModelTraits as ClaudeTraits, traitsOf as claudeTraits } from '../anthropic/models.ts'

export interface ModelTraits extends Pick<ClaudeTraits, 'prefill' | 'off' | 'efforts' | 'sampling'> {
  readonly maker: 'claude' | 'nova' | 'gpt-oss' | 'other'
  readonly thinks: 'not' | 'budget' | 'adaptive' | 'effort'
  readonly caches: 'all' | 'no tools' | 'not'
  /** A result of a tool may be told to be an error. */
  readonly status: 'told' | 'not told'
}

const OTHER: ModelTraits = {
  maker: 'other',
  prefill: false,
  off: 'unasked',
  efforts: [],
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

function claude(name: string): ModelTraits {
  const { prefill, sampling, thinking, off, efforts } = claudeTraits(name)
  const thinks = thinking === 'none' ? 'not' : thinking
  return { maker: 'claude', prefill, thinks, off, efforts, sampling, caches: 'all', status: 'told' }
}
