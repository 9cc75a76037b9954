/**
 * The AI SDK's language-model specification, as far as it is used here: versions 2 to 4, which differ in how files, usage and the end are
 * told. Written from the types of `@ai-sdk/provider` 2.0.5, 3.0.19 and 4.0.38; tests hold real packages against it. Types alone, since the
 * packages are the operator's.
 */
import type { ReadableStream } from 'node:stream/web'

export type SpecVersion = 'v2' | 'v3' | 'v4'
export const SPEC_VERSIONS: readonly string[] = ['v2', 'v3', 'v4'] satisfies SpecVersion[]

export interface SpecModel {
  readonly specificationVersion: SpecVersion
  /** Such as `xai.chat`. */
  readonly provider: string
  doStream(options: CallOptions): PromiseLike<{ readonly stream: ReadableStream<StreamPart> }>
}

export interface CallOptions {
  prompt: PromptMessage[]
  maxOutputTokens?: number
  temperature?: number
  topP?: number
  topK?: number
  stopSequences?: string[]
  seed?: number
  presencePenalty?: number
  frequencyPenalty?: number
  responseFormat?: { type: 'json'; schema?: Schema; name?: string }
  tools?: FunctionTool[]
  toolChoice?: ToolChoice
  /** From version 4 on. */
  reasoning?: 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh'
  providerOptions?: Record<string, Record<string, never>>
  abortSignal?: AbortSignal
}

/** JSON Schema, which the specification types as `JSONSchema7`. */
export type Schema = Record<string, never>

export interface FunctionTool {
  type: 'function'
  name: string
  description?: string
  inputSchema: Schema
  /** From version 3 on. */
  strict?: boolean
}

export type ToolChoice = { type: 'auto' | 'none' | 'required' } | { type: 'tool'; toolName: string }

export type PromptMessage =
  | { role: 'system'; content: string }
  | { role: 'user'; content: (TextPart | FilePart)[] }
  | { role: 'assistant'; content: (TextPart | ThoughtPart | CallPart)[] }
  | { role: 'tool'; content: ResultPart[] }

export interface TextPart {
  type: 'text'
  text: string
}

export interface ThoughtPart {
  type: 'reasoning'
  text: string
}

export interface FilePart {
  type: 'file'
  filename?: string
  mediaType: string
  data: FileData
}

/** Base64 or an address; tagged from version 4 on. */
export type FileData = string | URL | TaggedData
export type TaggedData = { type: 'data'; data: string } | { type: 'url'; url: URL }

export interface CallPart {
  type: 'tool-call'
  toolCallId: string
  toolName: string
  /** Parsed. */
  input: unknown
  providerOptions?: Record<string, { thoughtSignature: string }>
}

export interface ResultPart {
  type: 'tool-result'
  toolCallId: string
  toolName: string
  output: { type: 'text' | 'error-text'; value: string } | { type: 'content'; value: ResultContent[] }
}

export type ResultContent =
  | TextPart
  /** Version 2. */
  | { type: 'media'; data: string; mediaType: string }
  /** Version 3. */
  | { type: 'file-data'; data: string; mediaType: string; filename?: string }
  | { type: 'image-data'; data: string; mediaType: string }
  | { type: 'file-url' | 'image-url'; url: string }
  /** Version 4. */
  | { type: 'file'; data: TaggedData; mediaType: string; filename?: string }

/** What is of use here. All other parts, of versions to come too, are passed over. */
export type StreamPart =
  | { readonly type: 'stream-start'; readonly warnings?: readonly SpecWarning[] }
  | { readonly type: 'text-delta' | 'reasoning-delta'; readonly delta: string }
  | {
      readonly type: 'tool-call'
      readonly toolCallId: string
      readonly toolName: string
      /** JSON text. */
      readonly input: string
      readonly providerExecuted?: boolean
      readonly providerMetadata?: Readonly<Record<string, unknown>>
    }
  | { readonly type: 'finish'; readonly finishReason: SpecFinish; readonly usage: SpecUsage }
  | { readonly type: 'error'; readonly error: unknown }

/** `setting` is version 2's word for `feature`. */
export interface SpecWarning {
  readonly type: string
  readonly feature?: unknown
  readonly setting?: unknown
}

/** Version 2 gives the word alone, and `unknown` where the provider told none. */
export type SpecFinish = string | { readonly unified: string; readonly raw?: string | undefined }

export interface SpecUsage {
  readonly inputTokens?:
    | number
    | {
        readonly total?: number | undefined
        readonly cacheRead?: number | undefined
        readonly cacheWrite?: number | undefined
      }
    | undefined
  readonly outputTokens?:
    | number
    | { readonly total?: number | undefined; readonly reasoning?: number | undefined }
    | undefined
  /** Version 2. */
  readonly cachedInputTokens?: number | undefined
  /** Version 2. */
  readonly reasoningTokens?: number | undefined
}
