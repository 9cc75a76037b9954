/** Embeddings of any OpenAI-compatible server. Written from the types of the `openai` package 7.57. */
import type { Dispatcher } from 'undici'
import { StreamFault } from '../../dialect/faults.ts'
import type { ModelEvent } from '../../dialect/neutral.ts'
import { chatProvider } from '../../dialect/openai-chat/index.ts'
import { isRecord } from '../../dialect/openai-error.ts'
import type { EmbeddingAdapter } from '../../stage/embedding.ts'
import type { HttpTarget } from '../http-exchange.ts'
import { wholeOf } from '../http-whole.ts'

export interface OpenAiEmbedding {
  readonly provider: string
  readonly model: string
  readonly dispatcher: Dispatcher
  readonly target: HttpTarget
  readonly secrets: readonly string[]
}

/** Errors are the same as those of chat completions. */
const codec = chatProvider('max_tokens')

export function openAiEmbedding({ model, target, ...facts }: OpenAiEmbedding): EmbeddingAdapter {
  return {
    id: `${facts.provider}/${model}`,
    embed: ({ body, signal, clock }) =>
      wholeOf(
        { ...facts, codec, target: () => target, delivery: 'whole', body: JSON.stringify(body), clock, read },
        signal,
      ),
  }
}

function read(body: unknown): ModelEvent[] {
  if (!isRecord(body) || !Array.isArray(body['data'])) {
    throw new StreamFault('transient', 'the answer is no list of embeddings')
  }
  const usage = body['usage']
  const inputTokens = isRecord(usage) ? usage['prompt_tokens'] : undefined
  if (typeof inputTokens !== 'number') return []
  return [{ type: 'usage', usage: { inputTokens, outputTokens: 0 } }]
}
