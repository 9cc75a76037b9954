/** How much a model on Bedrock shall think, in the words of its maker. Pure. */

import { BUDGETS, LEAST_BUDGET } from '../anthropic/thinking.ts'
import type { ModelRequest, ReasoningEffort } from '../neutral.ts'
import type { ModelTraits } from './models.ts'
import type { Conversation } from './turns.ts'

export interface Thinking {
  /** For `additionalModelRequestFields`. */
  readonly fields?: Readonly<Record<string, unknown>>
  /** For `outputConfig`. */
  readonly effort?: string
  readonly state: 'thinks' | 'as it is'
  readonly dropped?: string
}

export interface ThinkingFacts {
  readonly traits: ModelTraits
  readonly begun: Conversation['begun']
}

export function thinkingOf(request: ModelRequest, { traits, begun }: ThinkingFacts): Thinking {
  const { reasoning, maxTokens, toolChoice } = request
  const { effort, maxTokens: budget } = reasoning ?? {}
  const not = (why: string): Thinking => ({ state: 'as it is', dropped: `reasoning: ${why}` })
  if (effort === undefined && budget === undefined) return { state: 'as it is' }
  if (effort === 'none') return unthinking(traits)
  switch (traits.thinks) {
    case 'not':
      return not('not known of this model')
    case 'effort':
      return traits.maker === 'nova' ? nova(effort, request) : gptOss(effort)
    case 'adaptive': {
      const dropped = budget === undefined ? {} : { dropped: 'reasoning.maxTokens: it measures itself' }
      const level = effort === undefined ? undefined : levelOf(effort, traits.efforts)
      return {
        fields: { thinking: { type: 'adaptive' } },
        ...(level !== undefined && { effort: level }),
        state: 'thinks',
        ...dropped,
      }
    }
    case 'budget': {
      if (toolChoice === 'required' || typeof toolChoice === 'object') return not('a tool must be called')
      if (begun === 'unthought') return not('the answer was begun without thoughts')
      const wanted = Math.max(LEAST_BUDGET, budget ?? (effort === undefined ? 0 : BUDGETS[effort]))
      // Thoughts count as output, and something must be left for the answer.
      const most = maxTokens === undefined ? wanted : maxTokens - 1
      if (most < LEAST_BUDGET) return not('maxTokens leaves no room')
      const tokens = Math.min(wanted, most)
      return { fields: { thinking: { type: 'enabled', budget_tokens: tokens } }, state: 'thinks' }
    }
    default: {
      const never: never = traits.thinks
      return never
    }
  }
}

function unthinking({ off }: ModelTraits): Thinking {
  switch (off) {
    case 'unasked':
      return { state: 'as it is' }
    case 'disabled':
    case 'between_tools':
      return { fields: { thinking: { type: off } }, state: 'as it is' }
    case 'never':
      return { effort: 'low', state: 'as it is', dropped: 'reasoning.effort: it always thinks' }
    default: {
      const never: never = off
      return never
    }
  }
}

/** The highest that is known and not above what was asked. */
function levelOf(effort: Exclude<ReasoningEffort, 'none'>, known: ModelTraits['efforts']): string {
  const level = effort === 'minimal' ? 'low' : effort
  return level === 'xhigh' && !known.includes(level) ? 'high' : level
}

/** With its highest effort it takes no limit and no sampling. */
function nova(effort: ReasoningEffort | undefined, request: ModelRequest): Thinking {
  if (effort === undefined) return { state: 'as it is', dropped: 'reasoning.maxTokens: it measures itself' }
  const { maxTokens, temperature, topP } = request
  const bound = maxTokens !== undefined || temperature !== undefined || topP !== undefined
  const level = threeOf(effort)
  const most = level === 'high' && bound ? 'medium' : level
  const reasoningConfig = { type: 'enabled', maxReasoningEffort: most }
  const dropped = most === level ? {} : { dropped: 'reasoning.effort: medium, since limits are set' }
  return { fields: { reasoningConfig }, state: 'thinks', ...dropped }
}

function gptOss(effort: ReasoningEffort | undefined): Thinking {
  if (effort === undefined) return { state: 'as it is', dropped: 'reasoning.maxTokens: it measures itself' }
  return { fields: { reasoning_effort: threeOf(effort) }, state: 'thinks' }
}

function threeOf(effort: ReasoningEffort): 'low' | 'medium' | 'high' {
  if (effort === 'high' || effort === 'xhigh') return 'high'
  return effort === 'medium' ? 'medium' : 'low'
}
