/**
 * What Claude models accept, read from their names. Pure. From Anthropic's pages on thinking, effort and each model's changes, read
 * 2026-11-25: prefill ended with 4.6, sampling and budgets of thoughts with 4.7, and some models cannot stop thinking.
 */
export type Effort = 'low' | 'medium' | 'high' | 'xhigh' | 'max'

export interface ModelTraits {
  /** The last message may be the assistant's own beginning. */
  readonly prefill: boolean
  /** `one`: temperature or top_p, not both. */
  readonly sampling: 'all' | 'one' | 'none'
  readonly thinking: 'none' | 'budget' | 'adaptive'
  /** How it is made not to think: by asking for nothing, by a word, or not at all. */
  readonly off: 'unasked' | 'disabled' | 'between_tools' | 'never'
  readonly efforts: readonly Effort[]
}

const UP_TO_HIGH = ['low', 'medium', 'high'] as const
const ALL_EFFORTS = [...UP_TO_HIGH, 'xhigh', 'max'] as const

/** Servers of others that speak the dialect: as the oldest rules that are still in use, without a prefill. */
const FOREIGN: ModelTraits = {
  prefill: false,
  sampling: 'all',
  thinking: 'budget',
  off: 'unasked',
  efforts: [],
}
const NEWEST: ModelTraits = {
  prefill: false,
  sampling: 'none',
  thinking: 'adaptive',
  off: 'never',
  efforts: ALL_EFFORTS,
}

const NAMED = /claude-([a-z]+)-(\d{1,2})(?:[-.](\d{1,2})(?!\d))?(?!\d)/
/** `claude-3-5-haiku-…`. */
const NUMBERED = /claude-(\d)(?:[-.](\d))?-[a-z]+/

export function traitsOf(model: string): ModelTraits {
  const name = model.toLowerCase()
  if (!name.includes('claude')) return FOREIGN
  const numbered = NUMBERED.exec(name)
  if (numbered) return ofVersion('', rankOf(numbered[1], numbered[2]))
  const named = NAMED.exec(name)
  return named ? ofVersion(named[1] ?? '', rankOf(named[2], named[3])) : NEWEST
}

/** 4.5 is 405. */
function rankOf(major = '0', minor = '0'): number {
  return Number(major) * 100 + Number(minor)
}

function ofVersion(family: string, rank: number): ModelTraits {
  if (rank < 307) return { ...FOREIGN, prefill: true, thinking: 'none' }
  if (rank < 406) {
    const efforts = rank === 405 && family === 'opus' ? UP_TO_HIGH : []
    return { ...FOREIGN, prefill: true, sampling: rank < 401 ? 'all' : 'one', efforts }
  }
  if (rank === 406) return { ...NEWEST, sampling: 'one', off: 'unasked', efforts: [...UP_TO_HIGH, 'max'] }
  if (rank < 500) return { ...NEWEST, off: 'unasked' }
  return { ...NEWEST, off: offOf(family, rank) }
}

function offOf(family: string, rank: number): ModelTraits['off'] {
  if (family === 'haiku') return 'disabled'
  if (family === 'sonnet') return rank < 505 ? 'disabled' : 'between_tools'
  return family === 'opus' && rank < 505 ? 'disabled' : 'never'
}
