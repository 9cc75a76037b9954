/** Token counts of `/v1/responses`, both ways. */
import type { ModelUsage } from '../neutral.ts'
import { isRecord } from '../openai-error.ts'

export function usageOf(usage: unknown): ModelUsage | undefined {
  if (!isRecord(usage)) return undefined
  const inputTokens = countOf(usage['input_tokens'])
  const outputTokens = countOf(usage['output_tokens'])
  if (inputTokens === undefined || outputTokens === undefined) return undefined
  const input = isRecord(usage['input_tokens_details']) ? usage['input_tokens_details'] : {}
  const output = isRecord(usage['output_tokens_details']) ? usage['output_tokens_details'] : {}
  const cachedTokens = countOf(input['cached_tokens'])
  const cacheWriteTokens = countOf(input['cache_write_tokens'])
  const reasoningTokens = countOf(output['reasoning_tokens'])
  return {
    inputTokens,
    outputTokens,
    ...(cachedTokens !== undefined && { cachedTokens }),
    ...(cacheWriteTokens !== undefined && { cacheWriteTokens }),
    ...(reasoningTokens !== undefined && { reasoningTokens }),
  }
}

export function writeUsage(usage: ModelUsage): Record<string, unknown> {
  const { inputTokens, outputTokens, cachedTokens, cacheWriteTokens, reasoningTokens } = usage
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: cachedTokens ?? 0, cache_write_tokens: cacheWriteTokens ?? 0 },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: reasoningTokens ?? 0 },
    total_tokens: inputTokens + outputTokens,
  }
}

function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.round(value) : undefined
}
