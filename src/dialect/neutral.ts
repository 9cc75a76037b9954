/**
 * The neutral request and the neutral stream of events that every language-model dialect translates to and
 * from. Voice uses these directly. Pure data, no I/O.
 */
export type ModelMessage =
  | { readonly role: 'system' | 'user'; readonly text: string }
  | { readonly role: 'assistant'; readonly text: string; readonly toolCalls?: readonly ToolCall[] }
  | { readonly role: 'tool'; readonly callId: string; readonly text: string }

export interface ToolCall {
  readonly callId: string
  readonly name: string
  /** JSON text exactly as the model wrote it; may be invalid JSON. */
  readonly arguments: string
}

export interface ToolDefinition {
  readonly name: string
  readonly description?: string
  /** JSON Schema of the arguments. */
  readonly parameters?: Readonly<Record<string, unknown>>
}

export type ToolChoice = 'auto' | 'none' | 'required' | { readonly name: string }

export interface ModelRequest {
  readonly messages: readonly ModelMessage[]
  readonly tools?: readonly ToolDefinition[]
  readonly toolChoice?: ToolChoice
  readonly maxTokens?: number
  readonly temperature?: number
  /** The target's own parameters, passed to the provider as they are written in the pipeline. */
  readonly params?: Readonly<Record<string, unknown>>
}

export interface ModelUsage {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cachedTokens?: number
}

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter'

/** `toolCall` comes whole, once a call; `finish` is last and comes exactly once unless the stream fails. */
export type ModelEvent =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'reasoning'; readonly text: string }
  | { readonly type: 'toolCall'; readonly call: ToolCall }
  | { readonly type: 'usage'; readonly usage: ModelUsage }
  | { readonly type: 'finish'; readonly reason: FinishReason }
