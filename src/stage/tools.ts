/** Tools that the server runs for a pipeline: what the model is offered, and how a call of it is answered. */
import type { Clock } from '../clock.ts'
import type { ToolCall, ToolDefinition } from '../dialect/neutral.ts'

export interface ServerTool extends ToolDefinition {
  /** Whose it is: the label of an MCP server, or `http`. */
  readonly server: string
  /** Said while it works; null: nothing. */
  readonly filler: string | null
}

export interface ServerTools {
  /** As known now: what an MCP server offers is known once it has answered. */
  readonly definitions: readonly ServerTool[]
  /**
   * The answer as text, data for the model. A call is made once, whatever becomes of the turn. Throws `ToolError`, or the
   * signal's reason.
   */
  run(call: ToolCall, options: { readonly signal: AbortSignal; readonly clock: Clock }): Promise<string>
}

export type ToolErrorKind =
  | 'unknown'
  | 'arguments'
  | 'timeout'
  | 'unreachable'
  | 'status'
  | 'too_large'
  | 'tool'

/** Why a call has no result. The message is fit for the model: no address, no secret. */
export class ToolError extends Error {
  override readonly name = 'ToolError'
  constructor(
    readonly kind: ToolErrorKind,
    message: string,
  ) {
    super(message)
  }
}

export const NO_TOOLS: ServerTools = {
  definitions: [],
  run: ({ name }) => Promise.reject(new ToolError('unknown', `There is no tool ${name}.`)),
}
