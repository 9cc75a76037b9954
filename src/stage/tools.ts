/** Tools that the server runs: what the model is offered, which MCP servers a client may name, and how a call is answered. */
import type { Clock } from '../clock.ts'
import type { ToolCall, ToolDefinition } from '../dialect/neutral.ts'

export interface ServerTool extends ToolDefinition {
  /** Whose it is: the label of an MCP server, or `http`. */
  readonly server: string
  /** Said while it works; null: nothing. */
  readonly filler: string | null
  /** Somebody must agree to each call before it is made; left out: nobody is asked. */
  readonly approval?: 'always'
  /** Of a server that the client named; left out: the pipeline's own. */
  readonly access?: McpAccess
}

/** What no log, event or recording shows. */
export interface Hidden {
  reveal(): string
}

/** An MCP server of the operator's, as a client's session reaches it. */
export interface McpAccess {
  readonly label: string
  /** The client's own headers, a JSON object of texts; null: none. */
  readonly credentials: Hidden | null
}

/** An MCP server that the operator lets clients name. Holds no secret. */
export interface AllowedMcp {
  readonly label: string
  readonly url: string
  /** Whether a client may send credentials of its own to it. */
  readonly clientCredentials: 'refuse' | 'forward'
  /** `always`: whatever the client says. */
  readonly approval: 'client' | 'always'
  /** Of its tools those that may be offered; null: all. */
  readonly tools: readonly string[] | null
  readonly filler: string | null
}

/** A tool as an MCP server lists it. */
export interface McpTool extends ToolDefinition {
  readonly annotations?: Readonly<Record<string, unknown>>
}

export interface ToolRunOptions {
  readonly signal: AbortSignal
  readonly clock: Clock
}

export interface ServerTools {
  /** As known now: what an MCP server offers is known once it has answered. */
  readonly definitions: readonly ServerTool[]
  /** The MCP servers that a client may name; left out: none. */
  readonly allowed?: readonly AllowedMcp[]
  /**
   * The answer as text, data for the model. A call is made once, whatever becomes of the turn. `access`: of a server that
   * the client named. Throws `ToolError`, or the signal's reason.
   */
  run(call: ToolCall, options: ToolRunOptions & { readonly access?: McpAccess }): Promise<string>
  /**
   * What an allowed server offers now. `signal` is the session's: with it connections made for its credentials end. Throws
   * `ToolError`, or the signal's reason.
   */
  list?(access: McpAccess, options: ToolRunOptions): Promise<readonly McpTool[]>
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

/**
 * Both as one: of one name only `first`'s is known, also where it is not offered, so that nobody takes the place of a tool that
 * needs somebody's consent. MCP servers that a client may name are `first`'s alone.
 */
export function joinedTools(first: ServerTools, second: ServerTools): ServerTools {
  const isFirsts = (name: string) => first.definitions.some((tool) => tool.name === name)
  const list = first.list?.bind(first)
  return {
    get definitions() {
      return [...first.definitions, ...second.definitions.filter(({ name }) => !isFirsts(name))]
    },
    ...(first.allowed ? { allowed: first.allowed } : {}),
    ...(list ? { list } : {}),
    run: (call, options) =>
      options.access || isFirsts(call.name) || !second.definitions.some(({ name }) => name === call.name)
        ? first.run(call, options)
        : second.run(call, options),
  }
}

export const NO_TOOLS: ServerTools = {
  definitions: [],
  run: ({ name }) => Promise.reject(new ToolError('unknown', `There is no tool ${name}.`)),
}
