/** Token counts of chat completions, both ways. */
import type { ModelUsage } from '../neutral.ts'
import { isRecord } from '../openai-error.ts'

export function usageOf(chunk: Record<string, unknown>): ModelUsage | undefined {
  // Groq reports it in its own member.
  const groq = isRecord(chunk['x_groq']) ? chunk['x_groq']['usage'] : undefined
  const usage = isRecord(chunk['usage']) ? chunk['usage'] : groq
  if (!isRecord(usage)) return undefined
  const inputTokens = countOf(usage['prompt_tokens'])
  const outputTokens = countOf(usage['completion_tokens'])
  if (inputTokens === undefined || outputTokens === undefined) return undefined
  const input = usage['prompt_tokens_details']
  const output = usage['completion_tokens_details']
  const cachedTokens = isRecord(input) ? countOf(input['cached_tokens']) : undefined
  const cacheWriteTokens = isRecord(input) ? countOf(input['cache_write_tokens']) : undefined
  const reasoningTokens = isRecord(output) ? countOf(output['reasoning_tokens']) : undefined
  return {
    inputTokens,
    outputTokens: outputTokens + outside(usage, inputTokens + outputTokens, reasoningTokens),
    ...(cachedTokens !== undefined && { cachedTokens }),
    ...(cacheWriteTokens !== undefined && { cacheWriteTokens }),
    ...(reasoningTokens !== undefined && { reasoningTokens }),
  }
}

/** xAI and Google leave reasoning out of the completion, which only the total then tells. */
function outside(usage: Record<string, unknown>, counted: number, reasoningTokens = 0): number {
  const total = countOf(usage['total_tokens']) ?? counted
  return total >= counted + reasoningTokens ? reasoningTokens : 0
}

export function writeUsage(usage: ModelUsage): Record<string, unknown> {
  const { inputTokens, outputTokens, cachedTokens, reasoningTokens } = usage
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: cachedTokens ?? 0 },
    completion_tokens_details: { reasoning_tokens: reasoningTokens ?? 0 },
  }
}

function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.round(value) : undefined
}
