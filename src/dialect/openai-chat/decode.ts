/**
 * What an `openai-chat` provider answers, streamed or whole, as neutral events. Pure. Written from the types of the `openai` package 7.57
 * and lenient where servers that call themselves compatible differ: missing indices, ids, finish reasons, usage or `[DONE]`.
 */
import type { DecoderOptions, StreamDecoder } from '../codec.ts'
import { StreamFault } from '../faults.ts'
import type { FinishReason, ModelEvent, ModelUsage, ToolCall } from '../neutral.ts'
import { errorOf, isRecord } from '../openai-error.ts'
import type { SseEvent } from '../sse.ts'
import { wordsOf } from './delta-text.ts'
import { usageOf } from './usage.ts'

interface OpenCall {
  readonly index: number | null
  id: string
  name: string
  arguments: string[]
  length: number
  /** A delta of it was given. */
  told: boolean
}

const CALLS = 64
const ARGUMENT_CHARACTERS = 1_000_000

/** One stream's chunks into events. Feed `data` of each SSE event, then `end()`. */
export class ChatStreamDecoder implements StreamDecoder {
  readonly #newCallId: () => string
  readonly #detail: DecoderOptions['calls']
  #began = false
  #calls: OpenCall[] = []
  /** Calls that were given already. */
  #closed = 0
  #sawCall = false
  #finish: FinishReason | undefined
  #usage: ModelUsage | undefined
  #done = false

  constructor({ newCallId, calls }: DecoderOptions) {
    this.#newCallId = newCallId
    this.#detail = calls
  }

  /** `finish` was given; what follows does not matter. */
  get done(): boolean {
    return this.#done
  }

  /** Throws `StreamFault`. */
  push({ data }: SseEvent): ModelEvent[] {
    if (this.#done || data.trim() === '') return []
    if (data.trim() === '[DONE]') return this.#ended(this.#finish ?? 'stop')
    return this.read(parse(data))
  }

  /** A chunk, or a whole answer. Throws `StreamFault`. */
  read(chunk: Record<string, unknown>): ModelEvent[] {
    if (chunk['error'] !== undefined && chunk['error'] !== null) {
      const { kind, message, declined } = errorOf(chunk)
      throw new StreamFault(kind, message, declined)
    }
    const events: ModelEvent[] = []
    if (this.#detail === 'streamed' && !this.#began) {
      this.#began = true
      events.push({
        type: 'begin',
        id: textOr(chunk['id'], '') || null,
        model: textOr(chunk['model'], '') || null,
      })
    }
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

  /** The connection ended. Throws `StreamFault` when the answer had not. */
  end(): ModelEvent[] {
    if (this.#done) return []
    if (this.#finish === undefined) throw new StreamFault('transient', 'the stream broke off before its end')
    return this.#ended(this.#finish)
  }

  #readChoice(choice: Record<string, unknown>, events: ModelEvent[]): void {
    // Some servers put the whole message into their only chunk.
    const delta = isRecord(choice['delta']) ? choice['delta'] : choice['message']
    if (isRecord(delta)) {
      events.push(...wordsOf(delta))
      for (const call of Array.isArray(delta['tool_calls']) ? delta['tool_calls'] : []) {
        if (isRecord(call)) this.#readCall(call, events)
      }
    }
    const logprobs = choice['logprobs']
    if (isRecord(logprobs) && Array.isArray(logprobs['content']) && logprobs['content'].length > 0)
      events.push({ type: 'logprobs', content: logprobs['content'] })
    const reason = choice['finish_reason']
    if (typeof reason !== 'string' || reason === '') return
    this.#closeCalls(events)
    this.#finish = finishOf(reason)
  }

  #readCall(piece: Record<string, unknown>, events: ModelEvent[]): void {
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
      throw new StreamFault(
        'transient',
        `the arguments of a call are longer than ${ARGUMENT_CHARACTERS} characters`,
      )
    }
    if (text !== '') open.arguments.push(text)
    if (this.#detail === 'whole' || open.name === '') return
    // Its name may come in a later piece than the first.
    if (open.id === '') open.id = this.#newCallId()
    const place = this.#calls.indexOf(open) + this.#closed
    events.push({
      type: 'toolCallDelta',
      index: place,
      callId: open.id,
      name: open.name,
      arguments: open.told ? text : open.arguments.join(''),
    })
    open.told = true
  }

  #openCall(index: number | null): OpenCall {
    if (this.#calls.length >= CALLS)
      throw new StreamFault('transient', `more than ${CALLS} calls in one answer`)
    const call: OpenCall = { index, id: '', name: '', arguments: [], length: 0, told: false }
    this.#calls.push(call)
    return call
  }

  #closeCalls(events: ModelEvent[]): void {
    for (const { id, name, arguments: pieces } of this.#calls) {
      const call: ToolCall = { callId: id || this.#newCallId(), name, arguments: pieces.join('') || '{}' }
      if (name === '') throw new StreamFault('transient', 'a tool call without a name')
      events.push({ type: 'toolCall', call })
      this.#sawCall = true
    }
    this.#closed += this.#calls.length
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

/** A whole answer. Throws `StreamFault`. */
export function decodeChatAnswer(body: unknown, newCallId: () => string): ModelEvent[] {
  if (!isRecord(body) || !Array.isArray(body['choices']) || !body['choices'].some(isRecord)) {
    if (isRecord(body) && isRecord(body['error'])) {
      const { kind, message, declined } = errorOf(body)
      throw new StreamFault(kind, message, declined)
    }
    throw new StreamFault('transient', 'the answer is no chat completion')
  }
  const decoder = new ChatStreamDecoder({ newCallId, calls: 'streamed' })
  const events = [...decoder.read(body), ...decoder.end()]
  return events.filter(({ type }) => type !== 'toolCallDelta')
}

function parse(data: string): Record<string, unknown> {
  let chunk: unknown
  try {
    chunk = JSON.parse(data)
  } catch {
    throw new StreamFault('transient', 'the stream holds malformed JSON')
  }
  if (!isRecord(chunk)) throw new StreamFault('transient', 'a chunk of the stream is no object')
  return chunk
}

function finishOf(reason: string): FinishReason {
  switch (reason) {
    case 'length':
    case 'max_tokens':
    // Mistral: the model's own limit.
    case 'model_length':
      return 'length'
    case 'tool_calls':
    case 'function_call':
      return 'tool_calls'
    case 'content_filter':
      return 'content_filter'
    // Of Mistral and OpenRouter, and of DeepSeek: the answer was broken off by its server.
    case 'error':
    case 'insufficient_system_resource':
      throw new StreamFault('transient', `the stream ended with ${reason}`)
    default:
      return 'stop'
  }
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise
}
