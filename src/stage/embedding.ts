/** What an adapter of embeddings offers: one call in OpenAI's shape, which all servers of embeddings share. */
import type { LlmStreamOptions, WholeAnswer } from './llm.ts'

export interface EmbeddingCall extends LlmStreamOptions {
  /** As the client sent it, with the target's model. */
  readonly body: Readonly<Record<string, unknown>>
}

export interface EmbeddingAdapter {
  /** `provider/model`. */
  readonly id: string
  /** Its events are usage alone. Throws `ProviderError`, or the signal's reason once it aborts. */
  embed(call: EmbeddingCall): Promise<WholeAnswer>
}
