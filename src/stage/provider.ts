/** A provider: adapters by model name for the stages it serves. Only `app.ts` knows any by name. */
import type { Clock } from '../clock.ts'
import type { EmbeddingAdapter } from './embedding.ts'
import type { LlmAdapter } from './llm.ts'
import type { SttAdapter } from './stt.ts'
import type { TtsAdapter } from './tts.ts'

/** One of a provider's keys, by a name that may be logged. */
export interface Credential {
  readonly id: string
  /** Its share of all sessions, against those of the provider's others. */
  readonly weight: number
}

export interface Provider {
  readonly name: string
  /** Its named keys. Left out: one without a name, or none. */
  readonly credentials?: readonly Credential[]
  /**
   * The adapter of a model, or undefined when the provider does not serve that stage or model. `credential`: an id of `credentials`; left
   * out: the first.
   */
  stt?(model: string, credential?: string): SttAdapter | undefined
  llm?(model: string, credential?: string): LlmAdapter | undefined
  tts?(model: string, credential?: string): TtsAdapter | undefined
  embedding?(model: string, credential?: string): EmbeddingAdapter | undefined
  /** The same provider with a key that a client brought. Left out: it is called with its own only. Closed by whoever asked. */
  withKey?(apiKey: string): Provider
  /** Ends workers and connections. Idempotent. */
  close(): Promise<void>
}

export interface ProviderDeps {
  readonly clock: Clock
  /** For start-up and failure notes only; never on the audio path, never with a caller's words. */
  readonly note: (message: string, facts?: Readonly<Record<string, unknown>>) => void
}
