/** Gemini's log probabilities in the shape of OpenAI's `logprobs.content`. Pure. */
import { isRecord } from '../openai-error.ts'

interface Token {
  readonly token: string
  readonly logprob: number
  readonly bytes: null
}

/** One a token that was chosen; empty where there are none. */
export function geminiLogprobs(
  result: unknown,
): readonly (Token & { readonly top_logprobs: readonly Token[] })[] {
  if (!isRecord(result) || !Array.isArray(result['chosenCandidates'])) return []
  const tops: readonly unknown[] = Array.isArray(result['topCandidates']) ? result['topCandidates'] : []
  return result['chosenCandidates'].flatMap((chosen: unknown, i) => {
    const top = tops[i]
    const others = isRecord(top) && Array.isArray(top['candidates']) ? top['candidates'] : []
    return tokenOf(chosen).map((token) => ({ ...token, top_logprobs: others.flatMap(tokenOf) }))
  })
}

function tokenOf(candidate: unknown): Token[] {
  if (!isRecord(candidate)) return []
  const { token, logProbability } = candidate
  if (typeof token !== 'string' || typeof logProbability !== 'number') return []
  return [{ token, logprob: logProbability, bytes: null }]
}
