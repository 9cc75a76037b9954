/** Token counts of Gemini. Its output count is without thoughts, ours holds them. Pure. */
import type { ModelUsage } from '../neutral.ts'
import { isRecord } from '../openai-error.ts'

/** Undefined where it says nothing. */
export function geminiUsage(metadata: unknown): ModelUsage | undefined {
  if (!isRecord(metadata)) return undefined
  const count = (name: string): number | undefined => {
    const value = metadata[name]
    return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.round(value) : undefined
  }
  const prompt = count('promptTokenCount')
  if (prompt === undefined) return undefined
  const thoughts = count('thoughtsTokenCount')
  const cached = count('cachedContentTokenCount')
  return {
    inputTokens: prompt + (count('toolUsePromptTokenCount') ?? 0),
    outputTokens: (count('candidatesTokenCount') ?? 0) + (thoughts ?? 0),
    ...(cached !== undefined && { cachedTokens: cached }),
    ...(thoughts !== undefined && { reasoningTokens: thoughts }),
  }
}
