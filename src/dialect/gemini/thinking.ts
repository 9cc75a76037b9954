/**
 * How much a Gemini model shall think, in the words of its generation: 2.5 has a budget, 3 and later a level, older ones and Gemma do not
 * think. The budgets of efforts are those of Google's own page on OpenAI compatibility. Pure.
 */
import type { ModelRequest, ReasoningEffort } from '../neutral.ts'

export interface Thinking {
  readonly config?: Readonly<Record<string, unknown>>
  readonly dropped?: string
}

export interface Generation {
  readonly thinks: 'level' | 'budget' | 'not'
  /** Calls of a history must be signed. */
  readonly signs: boolean
}

/** By the model's name; one that tells nothing is an alias, such as `gemini-flash-latest`, and those take a budget at least. */
export function generationOf(model: string): Generation {
  const version = /(?:^|\/)gemini-(\d+(?:\.\d+)?)/.exec(model)?.[1]
  if (version === undefined) {
    const named = /(?:^|\/)gemini-/.test(model)
    return { thinks: named ? 'budget' : 'not', signs: named }
  }
  const number = Number(version)
  if (number >= 3) return { thinks: 'level', signs: true }
  return { thinks: number >= 2.5 ? 'budget' : 'not', signs: false }
}

const BUDGETS: Readonly<Record<ReasoningEffort, number>> = {
  none: 0,
  minimal: 1_024,
  low: 1_024,
  medium: 8_192,
  high: 24_576,
  xhigh: 24_576,
}
/** The least that 2.5 Pro takes; it cannot be kept from thinking. */
const PRO_LEAST = 128

export function thinkingOf(reasoning: ModelRequest['reasoning'], model: string): Thinking {
  const { effort, maxTokens } = reasoning ?? {}
  if (effort === undefined && maxTokens === undefined) return {}
  const { thinks } = generationOf(model)
  if (thinks === 'not') return effort === 'none' ? {} : { dropped: 'reasoning: it does not think' }
  const shown = { includeThoughts: effort !== 'none' }
  if (maxTokens !== undefined) return { config: { thinkingBudget: maxTokens, ...shown } }
  if (effort === undefined) return {}
  const pro = /\bpro\b/.test(model)
  const never = effort === 'none' && (pro || thinks === 'level')
  const dropped = never ? { dropped: 'reasoning.effort: it always thinks' } : {}
  if (thinks === 'level') return { config: { thinkingLevel: levelOf(effort, pro), ...shown }, ...dropped }
  return { config: { thinkingBudget: Math.max(BUDGETS[effort], pro ? PRO_LEAST : 0), ...shown }, ...dropped }
}

function levelOf(effort: ReasoningEffort, pro: boolean): 'MINIMAL' | 'LOW' | 'MEDIUM' | 'HIGH' {
  switch (effort) {
    case 'none':
    case 'minimal':
      return pro ? 'LOW' : 'MINIMAL'
    case 'low':
      return 'LOW'
    case 'medium':
      return 'MEDIUM'
    default:
      return 'HIGH'
  }
}
