/**
 * Token counts, both ways. Anthropic counts what the cache gave and took beside `input_tokens`; ours holds all of it. Pure.
 */
import type { ModelUsage } from '../neutral.ts'
import { isRecord } from '../openai-error.ts'

/** Of the beginning and of the end of a stream: counts are totals, so what comes later counts. */
export function usageOf(first: unknown, last: unknown): ModelUsage | undefined {
  const usage = { ...counted(first), ...counted(last) }
  const { output_tokens: outputTokens, output_tokens_details: details } = usage
  if (!isCount(outputTokens)) return undefined
  const [plain, read, written] = [
    usage['input_tokens'],
    usage['cache_read_input_tokens'],
    usage['cache_creation_input_tokens'],
  ].map((one) => (isCount(one) ? one : undefined))
  const thought = isRecord(details) ? details['thinking_tokens'] : undefined
  return {
    inputTokens: (plain ?? 0) + (read ?? 0) + (written ?? 0),
    outputTokens,
    ...(read !== undefined && { cachedTokens: read }),
    ...(written !== undefined && { cacheWriteTokens: written }),
    ...(isCount(thought) && { reasoningTokens: thought }),
  }
}

/** Null says that a count does not apply, not that it is none. */
function counted(usage: unknown): Record<string, unknown> {
  if (!isRecord(usage)) return {}
  return Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== null))
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

/** Of `message_delta`; `message_start` and whole answers have more. */
export function writeUsage(usage: ModelUsage | undefined): Record<string, unknown> {
  const { inputTokens = 0, outputTokens = 0, cachedTokens, cacheWriteTokens, reasoningTokens } = usage ?? {}
  return {
    input_tokens: Math.max(0, inputTokens - (cachedTokens ?? 0) - (cacheWriteTokens ?? 0)),
    output_tokens: outputTokens,
    cache_creation_input_tokens: cacheWriteTokens ?? 0,
    cache_read_input_tokens: cachedTokens ?? 0,
    output_tokens_details: reasoningTokens === undefined ? null : { thinking_tokens: reasoningTokens },
    server_tool_use: null,
  }
}

export function writeWholeUsage(usage: ModelUsage | undefined): Record<string, unknown> {
  return {
    ...writeUsage(usage),
    cache_creation: null,
    inference_geo: null,
    service_tier: null,
    speed: null,
  }
}
