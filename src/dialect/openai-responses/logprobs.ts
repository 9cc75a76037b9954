/** Log probabilities: those of `/v1/responses` may lack what those of chat completions have, and the other way round. Pure. */
import { isRecord } from '../openai-error.ts'

/** In the shape of chat completions. */
export function neutralLogprobs(value: unknown): unknown[] {
  return listOf(value).map((one) => ({
    ...bare(one, null),
    top_logprobs: listOf(one['top_logprobs']).map((top) => bare(top, null)),
  }))
}

export function writeLogprobs(content: readonly unknown[]): unknown[] {
  return listOf(content).map((one) => ({
    ...bare(one, []),
    top_logprobs: listOf(one['top_logprobs']).map((top) => bare(top, [])),
  }))
}

function bare(
  { token, logprob, bytes }: Record<string, unknown>,
  without: null | [],
): Record<string, unknown> {
  return { token, bytes: Array.isArray(bytes) ? bytes : without, logprob }
}

function listOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : []
}
