/** Token counts of Converse. Its input is without what came from the cache or went there, ours holds both. Pure. */
import type { ModelUsage } from '../neutral.ts'
import { isRecord } from '../openai-error.ts'

/** Undefined where it says nothing. */
export function bedrockUsage(usage: unknown): ModelUsage | undefined {
  if (!isRecord(usage)) return undefined
  const count = (name: string): number | undefined => {
    const value = usage[name]
    return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.round(value) : undefined
  }
  const input = count('inputTokens')
  const output = count('outputTokens')
  if (input === undefined || output === undefined) return undefined
  const read = count('cacheReadInputTokens')
  const written = count('cacheWriteInputTokens')
  return {
    inputTokens: input + (read ?? 0) + (written ?? 0),
    outputTokens: output,
    ...(read !== undefined && { cachedTokens: read }),
    ...(written !== undefined && { cacheWriteTokens: written }),
  }
}
