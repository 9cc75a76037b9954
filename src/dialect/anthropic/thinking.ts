/**
 * How much a model shall think: our effort or budget in the words of its generation, and a client's own words where the model it asked
 * for was replaced by one of another generation. Pure.
 */
import type { ModelRequest, ReasoningEffort } from '../neutral.ts'
import { isRecord } from '../openai-error.ts'
import type { Effort, ModelTraits } from './models.ts'

/** Anthropic's least. */
export const LEAST_BUDGET = 1_024
/** With 16,000 for the answer the longest of two stays within 32,000, what Opus 4.1 may write. */
export const BUDGETS: Readonly<Record<Exclude<ReasoningEffort, 'none'>, number>> = {
  minimal: LEAST_BUDGET,
  low: 2_048,
  medium: 8_192,
  high: 16_000,
  xhigh: 32_000,
}
const ORDER: readonly Effort[] = ['low', 'medium', 'high', 'xhigh', 'max']

export interface Thinking {
  readonly thinking?: Readonly<Record<string, unknown>>
  readonly effort?: Effort
  readonly maxTokens: number
  /** It will think, so that sampling is bound. */
  readonly on: boolean
  readonly dropped: readonly string[]
}

export interface ThinkingFacts {
  readonly traits: ModelTraits
  /** When the request has none. */
  readonly maxTokens: number
  /** A tool must be called, which no model does while it thinks. */
  readonly forced: boolean
  /** What it shall go on with was made without thoughts: models with a budget refuse to begin thinking then. */
  readonly unthought: boolean
}

export function thinkingOf(
  { reasoning, maxTokens }: Pick<ModelRequest, 'reasoning' | 'maxTokens'>,
  facts: ThinkingFacts,
): Thinking {
  const { traits, forced } = facts
  const limit = maxTokens ?? facts.maxTokens
  const stays = traits.off === 'never' || traits.off === 'between_tools'
  const off = (dropped: readonly string[]): Thinking => {
    const thinking =
      traits.off === 'disabled' || traits.off === 'between_tools' ? { thinking: { type: traits.off } } : {}
    return { ...thinking, maxTokens: limit, on: traits.off === 'never', dropped }
  }
  if (!reasoning) {
    if (forced && traits.off === 'disabled') return off([])
    return { maxTokens: limit, on: traits.off !== 'unasked', dropped: [] }
  }
  if (reasoning.effort === 'none') {
    if (traits.off !== 'never') return off([])
    return { ...off(['reasoning.effort: it always thinks']), effort: 'low' }
  }
  if (traits.thinking === 'none') return off(['reasoning: it does not think'])
  if (forced && !stays) return off(['reasoning: not where a tool must be called'])
  if (traits.thinking === 'adaptive') {
    const dropped = reasoning.maxTokens === undefined ? [] : ['reasoning.maxTokens: it decides by effort']
    const effort = nearest(traits.efforts, reasoning.effort ?? effortOf(reasoning.maxTokens))
    // Left out by default in newer models, which are then silent for as long as they think.
    const thinking = { type: 'adaptive', display: 'summarized' }
    return { thinking, ...(effort && { effort }), maxTokens: limit, on: true, dropped }
  }
  if (facts.unthought) return off(['reasoning: what it goes on with was made without'])
  return budgeted(reasoning, maxTokens, facts) ?? off(['reasoning: maxTokens leaves no room'])
}

function budgeted(
  reasoning: NonNullable<ModelRequest['reasoning']>,
  maxTokens: number | undefined,
  facts: ThinkingFacts,
): Thinking | undefined {
  const effort = reasoning.effort === 'none' ? undefined : reasoning.effort
  const asked = Math.max(LEAST_BUDGET, reasoning.maxTokens ?? BUDGETS[effort ?? 'medium'])
  // Thoughts count towards the limit: what we chose ourselves leaves half of it to the answer.
  const most =
    maxTokens === undefined
      ? asked
      : reasoning.maxTokens === undefined
        ? Math.floor(maxTokens / 2)
        : maxTokens - 1
  const budget = Math.min(asked, most)
  if (budget < LEAST_BUDGET) return undefined
  return {
    thinking: { type: 'enabled', budget_tokens: budget },
    maxTokens: maxTokens ?? facts.maxTokens + budget,
    on: true,
    dropped: [],
  }
}

/** The effort that a budget of thoughts speaks of. */
export function effortOf(budgetTokens: number | undefined): Exclude<ReasoningEffort, 'none'> | undefined {
  if (budgetTokens === undefined) return undefined
  if (budgetTokens <= BUDGETS.low) return 'low'
  return budgetTokens <= BUDGETS.medium ? 'medium' : 'high'
}

function nearest(known: readonly Effort[], asked: ReasoningEffort | Effort | undefined): Effort | undefined {
  if (asked === undefined || asked === 'none') return undefined
  const wanted = asked === 'minimal' ? 'low' : asked
  const below = ORDER.slice(0, ORDER.indexOf(wanted) + 1)
  return below.findLast((one) => known.includes(one))
}

/** More is refused where it does not think. */
const UP_TO_HIGH = ['low', 'medium', 'high'] as const

function isOff(thinking: unknown): boolean {
  return isRecord(thinking) && (thinking['type'] === 'disabled' || thinking['type'] === 'between_tools')
}

const SAMPLING = ['temperature', 'top_p', 'top_k'] as const

/** A client's body for this model, which may not be the one that the client had in mind. The body itself is left as it is. */
export function fitBody(
  body: Readonly<Record<string, unknown>>,
  traits: ModelTraits,
): Record<string, unknown> {
  const fitted = { ...body }
  if (traits.sampling === 'none') for (const name of SAMPLING) delete fitted[name]
  const { thinking, output_config: given } = body
  const config = { ...(isRecord(given) ? given : {}) }
  if (isRecord(thinking)) {
    const { type, budget_tokens: budget, display } = thinking
    // Budgets ended with the model that ended sampling.
    if (type === 'enabled' && traits.sampling === 'none') {
      fitted['thinking'] = { type: 'adaptive', ...(display !== undefined && { display }) }
      config['effort'] ??= effortOf(typeof budget === 'number' ? budget : undefined)
    }
    if (type === 'disabled' || type === 'between_tools') {
      if (traits.off === 'disabled' || traits.off === 'between_tools')
        fitted['thinking'] = { type: traits.off }
      else delete fitted['thinking']
    }
    if (type === 'adaptive' && traits.thinking !== 'adaptive') delete fitted['thinking']
  }
  const { tool_choice: choice } = body
  const forced = isRecord(choice) && (choice['type'] === 'any' || choice['type'] === 'tool')
  // It thinks unless told otherwise, and calls nothing by force while it does.
  if (forced && traits.off === 'disabled') fitted['thinking'] = { type: 'disabled' }
  const asked = ORDER.find((one) => one === config['effort'])
  if (asked) config['effort'] = nearest(isOff(fitted['thinking']) ? UP_TO_HIGH : traits.efforts, asked)
  if (Object.values(config).some((value) => value !== undefined)) fitted['output_config'] = config
  else delete fitted['output_config']
  return fitted
}
