/**
 * The `openai-chat` dialect, provider side: our neutral request as a chat completions body, its streamed chunks
 * as neutral events. Pure. Written from the types of the `openai` package 7.57 and lenient where servers that
 * call themselves compatible differ: missing indices, ids, finish reasons, usage or `[DONE]`.
 */
import type { ProviderErrorKind } from '../errors.ts'
import type {
  FinishReason,
  ModelEvent,
  ModelMessage,
  ModelRequest,
  ModelUsage,
  ToolCall,
  ToolDefinition,
} from './neutral.ts'
import { errorOf, isRecord } from './openai-error.ts'

export interface ChatEncodeOptions {
  readonly model: string
  /** OpenAI itself wants the newer name; most compatible servers know only the older. */
  readonly maxTokensField: 'max_tokens' | 'max_completion_tokens'
}

/** The body of a streaming request that asks for usage. */
export function encodeChatRequest(
  request: ModelRequest,
  options: ChatEncodeOptions,
): Record<string, unknown> {
  const { tools = [], toolChoice, maxTokens, temperature } = request
  return {
    model: options.model,
    messages: request.messages.map(encodeMessage),
    stream: true,
    stream_options: { include_usage: true },
    ...(tools.length > 0 && { tools: tools.map(encodeTool) }),
    // Servers refuse a choice without tools.
    ...(tools.length > 0 &&
      toolChoice !== undefined && {
        tool_choice:
          typeof toolChoice === 'object'
            ? { type: 'function', function: { name: toolChoice.name } }
            : toolChoice,
      }),
    ...(maxTokens !== undefined && { [options.maxTokensField]: maxTokens }),
    ...(temperature !== undefined && { temperature }),
    ...request.params,
  }
}

function encodeMessage(message: ModelMessage): Record<string, unknown> {
  if (message.role === 'tool') return { role: 'tool', tool_call_id: message.callId, content: message.text }
  if (message.role !== 'assistant') return { role: message.role, content: message.text }
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

function encodeTool({ name, description, parameters }: ToolDefinition): Record<string, unknown> {
  return {
    type: 'function',
    function: {
      name,
      ...(description !== undefined && { description }),
      parameters: parameters ?? { type: 'object', properties: {} },
    },
  }
}

/** The stream said something that ends it badly. `message` holds no text of the caller. */
export class ChatStreamFault extends Error {
  override readonly name = 'ChatStreamFault'
  constructor(
    readonly kind: ProviderErrorKind,
    message: string,
  ) {
    super(message)
  }
}

interface OpenCall {
  readonly index: number | null
  id: string
  name: string
  arguments: string[]
  length: number
}

const CALLS = 64
const ARGUMENT_CHARACTERS = 1_000_000

/** One stream's chunks into events. Feed `data` of each SSE event, then `end()`. */
export class ChatStreamDecoder {
  readonly #newCallId: () => string
  #calls: OpenCall[] = []
  #sawCall = false
  #finish: FinishReason | undefined
  #usage: ModelUsage | undefined
  #done = false

  /** `newCallId` names calls whose server gave them no id. */
  constructor(newCallId: () => string) {
    this.#newCallId = newCallId
  }

  /** `finish` was given; what follows does not matter. */
  get done(): boolean {
    return this.#done
  }

  /** Throws `ChatStreamFault`. */
  push(data: string): ModelEvent[] {
    if (this.#done || data.trim() === '') return []
    if (data.trim() === '[DONE]') return this.#ended(this.#finish ?? 'stop')
    const chunk = parse(data)
    if (chunk['error'] !== undefined && chunk['error'] !== null) {
      const { kind, message } = errorOf(chunk)
      throw new ChatStreamFault(kind, message)
    }
    const events: ModelEvent[] = []
    const choices = Array.isArray(chunk['choices']) ? chunk['choices'] : []
    const choice = choices.find((c) => isRecord(c) && (c['index'] ?? 0) === 0)
    if (choice) this.#readChoice(choice, events)
    const usage = usageOf(chunk)
    if (usage) this.#usage = usage
    // With the reason and the usage nothing is missing: a server that then forgets to close costs nobody time.
    if (this.#finish !== undefined && this.#usage !== undefined && choices.length === 0) {
      events.push(...this.#ended(this.#finish))
    }
    return events
  }

  /** The connection ended. Throws `ChatStreamFault` when the answer had not. */
  end(): ModelEvent[] {
    if (this.#done) return []
    if (this.#finish === undefined)
      throw new ChatStreamFault('transient', 'the stream broke off before its end')
    return this.#ended(this.#finish)
  }

  #readChoice(choice: Record<string, unknown>, events: ModelEvent[]): void {
    // Some servers put the whole message into their only chunk.
    const delta = isRecord(choice['delta']) ? choice['delta'] : choice['message']
    if (isRecord(delta)) {
      const reasoning = delta['reasoning_content'] ?? delta['reasoning']
      if (typeof reasoning === 'string' && reasoning !== '')
        events.push({ type: 'reasoning', text: reasoning })
      for (const field of ['content', 'refusal']) {
        const text = delta[field]
        if (typeof text === 'string' && text !== '') events.push({ type: 'text', text })
      }
      for (const call of Array.isArray(delta['tool_calls']) ? delta['tool_calls'] : []) {
        if (isRecord(call)) this.#readCall(call)
      }
    }
    const reason = choice['finish_reason']
    if (typeof reason !== 'string' || reason === '') return
    this.#closeCalls(events)
    this.#finish = finishOf(reason)
  }

  #readCall(piece: Record<string, unknown>): void {
    const fn = isRecord(piece['function']) ? piece['function'] : {}
    const index = typeof piece['index'] === 'number' ? piece['index'] : null
    const id = textOr(piece['id'], '')
    const name = textOr(fn['name'], '')
    let open = this.#calls.at(-1)
    // Compatible servers send calls whole with index 0 for all of them, or without any index.
    const starts =
      !open || (index !== null && index !== open.index) || (id !== '' && open.id !== '' && id !== open.id)
    if (starts) {
      const known = this.#calls.find((c) => index !== null && c.index === index && (id === '' || c.id === id))
      open = known ?? this.#openCall(index)
    }
    if (!open) return
    if (id !== '') open.id = id
    if (open.name === '') open.name = name
    const text =
      typeof fn['arguments'] === 'object' ? JSON.stringify(fn['arguments']) : textOr(fn['arguments'], '')
    open.length += text.length
    if (open.length > ARGUMENT_CHARACTERS) {
      throw new ChatStreamFault(
        'transient',
        `the arguments of a call are longer than ${ARGUMENT_CHARACTERS} characters`,
      )
    }
    if (text !== '') open.arguments.push(text)
  }

  #openCall(index: number | null): OpenCall {
    if (this.#calls.length >= CALLS)
      throw new ChatStreamFault('transient', `more than ${CALLS} calls in one answer`)
    const call: OpenCall = { index, id: '', name: '', arguments: [], length: 0 }
    this.#calls.push(call)
    return call
  }

  #closeCalls(events: ModelEvent[]): void {
    for (const { id, name, arguments: pieces } of this.#calls) {
      const call: ToolCall = { callId: id || this.#newCallId(), name, arguments: pieces.join('') || '{}' }
      if (name === '') throw new ChatStreamFault('transient', 'a tool call without a name')
      events.push({ type: 'toolCall', call })
      this.#sawCall = true
    }
    this.#calls = []
  }

  #ended(reason: FinishReason): ModelEvent[] {
    const events: ModelEvent[] = []
    this.#closeCalls(events)
    if (this.#usage) events.push({ type: 'usage', usage: this.#usage })
    events.push({ type: 'finish', reason: reason === 'stop' && this.#sawCall ? 'tool_calls' : reason })
    this.#done = true
    return events
  }
}

function parse(data: string): Record<string, unknown> {
  let chunk: unknown
  try {
    chunk = JSON.parse(data)
  } catch {
    throw new ChatStreamFault('transient', 'the stream holds malformed JSON')
  }
  if (!isRecord(chunk)) throw new ChatStreamFault('transient', 'a chunk of the stream is no object')
  return chunk
}

function finishOf(reason: string): FinishReason {
  switch (reason) {
    case 'length':
    case 'max_tokens':
      return 'length'
    case 'tool_calls':
    case 'function_call':
      return 'tool_calls'
    case 'content_filter':
      return 'content_filter'
    default:
      return 'stop'
  }
}

function usageOf(chunk: Record<string, unknown>): ModelUsage | undefined {
  // Groq reports it in its own member.
  const groq = isRecord(chunk['x_groq']) ? chunk['x_groq']['usage'] : undefined
  const usage = isRecord(chunk['usage']) ? chunk['usage'] : groq
  if (!isRecord(usage)) return undefined
  const inputTokens = countOf(usage['prompt_tokens'])
  const outputTokens = countOf(usage['completion_tokens'])
  if (inputTokens === undefined || outputTokens === undefined) return undefined
  const details = usage['prompt_tokens_details']
  const cachedTokens = isRecord(details) ? countOf(details['cached_tokens']) : undefined
  return { inputTokens, outputTokens, ...(cachedTokens !== undefined && { cachedTokens }) }
}

function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.round(value) : undefined
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise
}
