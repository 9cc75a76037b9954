/**
 * The neutral request and the neutral stream of events that every language-model dialect translates to and
 * from. Voice uses these directly. Pure data, no I/O.
 */

/** A provider shall keep what stands up to and including here for the next request; only Anthropic asks for it. */
export type CacheHint = '5m' | '1h'

export type ImageSource =
  | { readonly type: 'url'; readonly url: string }
  | { readonly type: 'base64'; readonly mediaType: string; readonly data: string }

export type ContentPart =
  | { readonly type: 'text'; readonly text: string; readonly cache?: CacheHint }
  | {
      readonly type: 'image'
      readonly source: ImageSource
      readonly detail?: 'auto' | 'low' | 'high'
      readonly cache?: CacheHint
    }
  | { readonly type: 'audio'; readonly format: 'wav' | 'mp3'; readonly data: string }
  /** A document, such as a PDF. `data` is base64. */
  | {
      readonly type: 'file'
      readonly mediaType: string
      readonly name?: string
      readonly source:
        | { readonly type: 'url'; readonly url: string }
        | { readonly type: 'base64'; readonly data: string }
      readonly cache?: CacheHint
    }

/** What a model thought before. */
export interface ReasoningPart extends ReasoningSeal {
  readonly text: string
}

/** Good for the provider only that made it. */
export interface ReasoningSeal {
  readonly signature?: string
  /** Thoughts that only their provider can read. */
  readonly sealed?: string
  /** The dialect in which the provider made it; others refuse it as forged. Left out: not known. */
  readonly by?: 'openai-responses' | 'anthropic' | 'gemini' | 'bedrock'
}

/** `text` is all the text of the message; `parts`, where it has any, is all of its content in order, that text included. */
export type ModelMessage =
  | { readonly role: 'system' | 'user'; readonly text: string; readonly parts?: readonly ContentPart[] }
  | {
      readonly role: 'assistant'
      readonly text: string
      readonly toolCalls?: readonly ToolCall[]
      readonly reasoning?: readonly ReasoningPart[]
    }
  | {
      readonly role: 'tool'
      readonly callId: string
      readonly text: string
      readonly parts?: readonly ContentPart[]
      readonly failed?: true
    }

export interface ToolCall {
  readonly callId: string
  readonly name: string
  /** JSON text exactly as the model wrote it; may be invalid JSON. */
  readonly arguments: string
  /** Gemini's thought signature, which it wants back with the call. */
  readonly thoughtSignature?: string
}

export interface ToolDefinition {
  readonly name: string
  readonly description?: string
  /** JSON Schema of the arguments. */
  readonly parameters?: Readonly<Record<string, unknown>>
  /** The arguments shall keep to the schema exactly. */
  readonly strict?: boolean
  readonly cache?: CacheHint
}

export type ToolChoice = 'auto' | 'none' | 'required' | { readonly name: string }

export type ResponseFormat =
  | { readonly type: 'json' }
  | {
      readonly type: 'schema'
      readonly name: string
      readonly schema: Readonly<Record<string, unknown>>
      readonly strict?: boolean
    }

export type ReasoningEffort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh'

export interface ModelRequest {
  readonly messages: readonly ModelMessage[]
  readonly tools?: readonly ToolDefinition[]
  readonly toolChoice?: ToolChoice
  readonly parallelToolCalls?: boolean
  readonly maxTokens?: number
  readonly temperature?: number
  readonly topP?: number
  readonly topK?: number
  readonly stop?: readonly string[]
  readonly seed?: number
  readonly frequencyPenalty?: number
  readonly presencePenalty?: number
  /** `maxTokens`: of thoughts alone. */
  readonly reasoning?: { readonly effort?: ReasoningEffort; readonly maxTokens?: number }
  readonly responseFormat?: ResponseFormat
  /** How many alternatives each token shall come with. */
  readonly topLogprobs?: number
  /** An id of the end user, for the provider's abuse checks. */
  readonly user?: string
  /** The target's own parameters, passed to the provider as they are written in the pipeline. */
  readonly params?: Readonly<Record<string, unknown>>
}

/** `inputTokens` holds the cached ones and those written to the cache; `outputTokens` holds those of thoughts. */
export interface ModelUsage {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cachedTokens?: number
  readonly cacheWriteTokens?: number
  readonly reasoningTokens?: number
}

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter'

/**
 * `toolCall` comes whole, once a call; `finish` is last and comes exactly once unless the stream fails. A decoder that was asked
 * for calls as they are written also gives `toolCallDelta`: the first of a call has its name, all have its `index`, counted from 0.
 * `begin`, where a provider names its answer, is first.
 */
export type ModelEvent =
  | { readonly type: 'begin'; readonly id: string | null; readonly model: string | null }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'reasoning'; readonly text: string }
  /** Ends the thoughts before it. */
  | ({ readonly type: 'reasoningSeal' } & ReasoningSeal)
  | {
      readonly type: 'toolCallDelta'
      readonly index: number
      readonly callId: string
      readonly name: string
      readonly arguments: string
      /** With the first of a call. */
      readonly thoughtSignature?: string
    }
  | { readonly type: 'toolCall'; readonly call: ToolCall }
  /** In the shape of OpenAI's `logprobs.content`. */
  | { readonly type: 'logprobs'; readonly content: readonly unknown[] }
  | { readonly type: 'usage'; readonly usage: ModelUsage }
  /** `stopSequence`: which of the request's ended it, where the provider says. */
  | { readonly type: 'finish'; readonly reason: FinishReason; readonly stopSequence?: string }
