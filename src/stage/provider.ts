/** A provider: adapters by model name for the stages it serves. Only `app.ts` knows any by name. */
import type { Clock } from '../clock.ts'
import type { EmbeddingAdapter } from './embedding.ts'
import type { LlmAdapter } from './llm.ts'
import type { SttAdapter } from './stt.ts'
import type { TtsAdapter } from './tts.ts'

export interface Provider {
  readonly name: string
  /** The adapter of a model, or undefined when the provider does not serve that stage or model. */
  stt?(model: string): SttAdapter | undefined
  llm?(model: string): LlmAdapter | undefined
  tts?(model: string): TtsAdapter | undefined
  embedding?(model: string): EmbeddingAdapter | undefined
  /** Ends workers and connections. Idempotent. */
  close(): Promise<void>
}

export interface ProviderDeps {
  readonly clock: Clock
  /** For start-up and failure notes only; never on the audio path, never with a caller's words. */
  readonly note: (message: string, facts?: Readonly<Record<string, unknown>>) => void
}
