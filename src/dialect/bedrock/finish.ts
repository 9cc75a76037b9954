/** Why an answer of Converse ended. Pure. */
import { StreamFault } from '../faults.ts'
import type { FinishReason } from '../neutral.ts'

/** Throws `StreamFault` where the model failed at its own answer. */
export function finishOf(reason: unknown): FinishReason {
  switch (reason) {
    case 'max_tokens':
    case 'model_context_window_exceeded':
      return 'length'
    case 'tool_use':
      return 'tool_calls'
    case 'guardrail_intervened':
    case 'content_filtered':
      return 'content_filter'
    case 'malformed_model_output':
    case 'malformed_tool_use':
      throw new StreamFault('transient', `the model gave up (${reason})`)
    default:
      return 'stop'
  }
}
