/**
 * A neutral request as a chat completions body, for a provider. Pure. Written from the types of the `openai` package 7.57. Members that
 * were not asked for are left out, since servers that call themselves compatible refuse what they do not know.
 */
import type { Delivery, Encoded } from '../codec.ts'
import type { ContentPart, ModelMessage, ModelRequest, ResponseFormat, ToolDefinition } from '../neutral.ts'

export interface ChatEncodeOptions {
  readonly model: string
  readonly delivery: Delivery
  /** OpenAI itself wants the newer name; most compatible servers know only the older. */
  readonly maxTokensField: 'max_tokens' | 'max_completion_tokens'
}

export function encodeChatRequest(request: ModelRequest, options: ChatEncodeOptions): Encoded {
  const {
    tools = [],
    toolChoice,
    parallelToolCalls,
    maxTokens,
    reasoning,
    responseFormat,
    topLogprobs,
  } = request
  const dropped: string[] = []
  if (request.topK !== undefined) dropped.push('topK')
  if (reasoning?.maxTokens !== undefined) dropped.push('reasoning.maxTokens')
  if (request.messages.some((one) => one.role === 'assistant' && one.reasoning))
    dropped.push('messages: reasoning')
  if (hasCacheHints(request)) dropped.push('cache hints: it caches by itself')
  const body = {
    model: options.model,
    messages: encodeMessages(request.messages),
    ...(options.delivery === 'stream' && { stream: true, stream_options: { include_usage: true } }),
    ...(tools.length > 0 && { tools: tools.map(encodeTool) }),
    // Servers refuse a choice without tools.
    ...(tools.length > 0 &&
      toolChoice !== undefined && {
        tool_choice:
          typeof toolChoice === 'object'
            ? { type: 'function', function: { name: toolChoice.name } }
            : toolChoice,
      }),
    ...(tools.length > 0 && parallelToolCalls !== undefined && { parallel_tool_calls: parallelToolCalls }),
    ...(maxTokens !== undefined && { [options.maxTokensField]: maxTokens }),
    ...given('temperature', request.temperature),
    ...given('top_p', request.topP),
    ...given('stop', request.stop),
    ...given('seed', request.seed),
    ...given('frequency_penalty', request.frequencyPenalty),
    ...given('presence_penalty', request.presencePenalty),
    ...given('reasoning_effort', reasoning?.effort),
    ...(responseFormat && { response_format: encodeFormat(responseFormat) }),
    ...(topLogprobs !== undefined && {
      logprobs: true,
      ...(topLogprobs > 0 && { top_logprobs: topLogprobs }),
    }),
    ...given('user', request.user),
    ...request.params,
  }
  return { body, dropped }
}

function given(name: string, value: unknown): Record<string, unknown> {
  return value === undefined ? {} : { [name]: value }
}

/** Only text may be a tool's result here: what else it gave follows the results, as if the user had brought it. */
function encodeMessages(messages: readonly ModelMessage[]): Record<string, unknown>[] {
  const encoded: Record<string, unknown>[] = []
  let brought: Record<string, unknown>[] = []
  const bring = () => {
    if (brought.length > 0) encoded.push({ role: 'user', content: brought })
    brought = []
  }
  for (const message of messages) {
    if (message.role !== 'tool') bring()
    encoded.push(encodeMessage(message))
    if (message.role !== 'tool') continue
    const more = (message.parts ?? []).filter(({ type }) => type !== 'text')
    if (more.length > 0) brought.push({ type: 'text', text: `What the call ${message.callId} gave:` })
    brought.push(...more.map(encodePart))
  }
  bring()
  return encoded
}

function encodeMessage(message: ModelMessage): Record<string, unknown> {
  switch (message.role) {
    case 'tool':
      // A failure is said in it.
      return { role: 'tool', tool_call_id: message.callId, content: message.text }
    case 'assistant': {
      const { text, toolCalls = [] } = message
      if (toolCalls.length === 0) return { role: 'assistant', content: text }
      return {
        role: 'assistant',
        content: text === '' ? null : text,
        tool_calls: toolCalls.map((call) => ({
          id: call.callId,
          type: 'function',
          // Some servers parse it, and refuse the empty text of a call without arguments.
          function: { name: call.name, arguments: call.arguments === '' ? '{}' : call.arguments },
        })),
      }
    }
    default: {
      const { role, parts = [] } = message
      const onlyText = parts.every(({ type }) => type === 'text')
      return { role, content: onlyText ? message.text : parts.map(encodePart) }
    }
  }
}

function encodePart(part: ContentPart): Record<string, unknown> {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text }
    case 'image': {
      const { source, detail } = part
      const url = source.type === 'url' ? source.url : `data:${source.mediaType};base64,${source.data}`
      return { type: 'image_url', image_url: { url, ...(detail && { detail }) } }
    }
    case 'audio':
      return { type: 'input_audio', input_audio: { data: part.data, format: part.format } }
    case 'file': {
      const { source, mediaType, name } = part
      const data = source.type === 'url' ? source.url : `data:${mediaType};base64,${source.data}`
      return { type: 'file', file: { filename: name ?? 'file', file_data: data } }
    }
    default: {
      const never: never = part
      return never
    }
  }
}

function encodeTool({ name, description, parameters, strict }: ToolDefinition): Record<string, unknown> {
  return {
    type: 'function',
    function: {
      name,
      ...(description !== undefined && { description }),
      parameters: parameters ?? { type: 'object', properties: {} },
      ...(strict !== undefined && { strict }),
    },
  }
}

function encodeFormat(format: ResponseFormat): Record<string, unknown> {
  if (format.type === 'json') return { type: 'json_object' }
  const { name, schema, strict } = format
  return { type: 'json_schema', json_schema: { name, schema, ...(strict !== undefined && { strict }) } }
}

function hasCacheHints({ messages, tools = [] }: ModelRequest): boolean {
  const inParts = (parts: readonly ContentPart[] = []) => parts.some((part) => 'cache' in part)
  return (
    tools.some(({ cache }) => cache) || messages.some((one) => one.role !== 'assistant' && inParts(one.parts))
  )
}
