/** What a language-model adapter offers: one call, one stream of neutral events. */
import type { Clock } from '../clock.ts'
import type { ModelEvent, ModelRequest } from '../dialect/neutral.ts'

export interface LlmCaps {
  readonly tools: boolean
  readonly json: boolean
  /** The last message may be the assistant's own beginning, which the model continues. */
  readonly prefill: boolean
}

export interface LlmStreamOptions {
  readonly signal: AbortSignal
  readonly clock: Clock
}

export interface LlmAdapter {
  /** `provider/model`. */
  readonly id: string
  readonly caps: LlmCaps
  /** The iteration throws `ProviderError`, or the signal's reason once it aborts. */
  stream(request: ModelRequest, options: LlmStreamOptions): AsyncIterable<ModelEvent>
}
