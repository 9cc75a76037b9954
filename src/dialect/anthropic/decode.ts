/**
 * What an `anthropic` provider answers, streamed or whole, as neutral events. Pure. Written from the types of `@anthropic-ai/sdk` 1.13, and
 * lenient where servers that call themselves compatible differ. Blocks of tools that the provider runs itself mean nothing to us.
 */
import type { DecoderOptions, StreamDecoder } from '../codec.ts'
import { StreamFault } from '../faults.ts'
import type { FinishReason, ModelEvent } from '../neutral.ts'
import { isRecord } from '../openai-error.ts'
import type { SseEvent } from '../sse.ts'
import { errorOfEvent } from './errors.ts'
import { usageOf } from './usage.ts'

type Json = Record<string, unknown>

type OpenBlock =
  | { readonly type: 'thinking'; signature: string }
  | {
      readonly type: 'call'
      readonly place: number
      readonly callId: string
      readonly name: string
      /** Given whole at the block's start, which the deltas replace. */
      readonly input: string
      readonly pieces: string[]
      length: number
    }
  | { readonly type: 'text' | 'other' }

const CALLS = 64
const ARGUMENT_CHARACTERS = 1_000_000
const OPEN_BLOCKS = 64

export class MessagesDecoder implements StreamDecoder {
  readonly #newCallId: () => string
  readonly #detail: DecoderOptions['calls']
  /** By the index of the event. */
  readonly #open = new Map<unknown, OpenBlock>()
  #calls = 0
  #firstUsage: unknown
  #lastUsage: unknown
  #finish: Extract<ModelEvent, { type: 'finish' }> | undefined
  #done = false

  constructor({ newCallId, calls }: DecoderOptions) {
    this.#newCallId = newCallId
    this.#detail = calls
  }

  get done(): boolean {
    return this.#done
  }

  /** Throws `StreamFault`. */
  push({ event, data }: SseEvent): ModelEvent[] {
    if (this.#done || event === 'ping' || data.trim() === '') return []
    let parsed: unknown
    try {
      parsed = JSON.parse(data)
    } catch {
      throw new StreamFault('transient', 'the stream holds malformed JSON')
    }
    if (!isRecord(parsed)) throw new StreamFault('transient', 'an event of the stream is no object')
    return this.read(parsed)
  }

  /** Throws `StreamFault`. What it does not know is nothing. */
  read(event: Json): ModelEvent[] {
    const { type, index } = event
    switch (type) {
      case 'message_start':
        return this.#begin(isRecord(event['message']) ? event['message'] : {})
      case 'content_block_start':
        return this.#start(index, isRecord(event['content_block']) ? event['content_block'] : {})
      case 'content_block_delta':
        return this.#delta(index, isRecord(event['delta']) ? event['delta'] : {})
      case 'content_block_stop':
        return this.#stop(index)
      case 'message_delta':
        this.#noteFinish(isRecord(event['delta']) ? event['delta'] : {})
        this.#lastUsage = event['usage'] ?? this.#lastUsage
        return []
      case 'message_stop':
        return this.#ended(this.#finish ?? { type: 'finish', reason: 'stop' })
      case 'error': {
        const { kind, message, declined } = errorOfEvent(event)
        throw new StreamFault(kind, message, declined)
      }
      default:
        return []
    }
  }

  /** The connection ended. Throws `StreamFault` when the answer had not. */
  end(): ModelEvent[] {
    if (this.#done) return []
    if (!this.#finish) throw new StreamFault('transient', 'the stream broke off before its end')
    return this.#ended(this.#finish)
  }

  #begin(message: Json): ModelEvent[] {
    this.#firstUsage = message['usage']
    this.#noteFinish(message)
    if (this.#detail === 'whole') return []
    return [{ type: 'begin', id: textOr(message['id']) || null, model: textOr(message['model']) || null }]
  }

  #start(index: unknown, block: Json): ModelEvent[] {
    if (this.#open.size >= OPEN_BLOCKS)
      throw new StreamFault('transient', `more than ${OPEN_BLOCKS} blocks of an answer at once`)
    switch (block['type']) {
      case 'text':
        this.#open.set(index, { type: 'text' })
        return textOf('text', block['text'])
      case 'thinking':
        this.#open.set(index, { type: 'thinking', signature: textOr(block['signature']) })
        return textOf('reasoning', block['thinking'])
      case 'redacted_thinking':
        this.#open.set(index, { type: 'other' })
        return [{ type: 'reasoningSeal', sealed: textOr(block['data']), by: 'anthropic' }]
      case 'tool_use':
        return this.#startCall(index, block)
      default:
        this.#open.set(index, { type: 'other' })
        return []
    }
  }

  #startCall(index: unknown, { id, name, input }: Json): ModelEvent[] {
    if (this.#calls >= CALLS) throw new StreamFault('transient', `more than ${CALLS} calls in one answer`)
    if (textOr(name) === '') throw new StreamFault('transient', 'a tool call without a name')
    const given = isRecord(input) && Object.keys(input).length > 0 ? JSON.stringify(input) : ''
    const call = {
      type: 'call' as const,
      place: this.#calls++,
      callId: textOr(id) || this.#newCallId(),
      name: textOr(name),
      input: given,
      pieces: [],
      length: 0,
    }
    this.#open.set(index, call)
    return this.#callDelta(call, '')
  }

  #delta(index: unknown, delta: Json): ModelEvent[] {
    const block = this.#open.get(index)
    switch (delta['type']) {
      case 'text_delta':
        return textOf('text', delta['text'])
      case 'thinking_delta':
        return textOf('reasoning', delta['thinking'])
      case 'signature_delta':
        if (block?.type === 'thinking') block.signature = textOr(delta['signature'])
        return []
      case 'input_json_delta': {
        const piece = textOr(delta['partial_json'])
        if (block?.type !== 'call' || piece === '') return []
        block.length += piece.length
        if (block.length > ARGUMENT_CHARACTERS) {
          const most = `longer than ${ARGUMENT_CHARACTERS} characters`
          throw new StreamFault('transient', `the arguments of a call are ${most}`)
        }
        block.pieces.push(piece)
        return this.#callDelta(block, piece)
      }
      default:
        return []
    }
  }

  #callDelta(block: Extract<OpenBlock, { type: 'call' }>, piece: string): ModelEvent[] {
    if (this.#detail === 'whole') return []
    const { place, callId, name } = block
    return [{ type: 'toolCallDelta', index: place, callId, name, arguments: piece }]
  }

  #stop(index: unknown): ModelEvent[] {
    const block = this.#open.get(index)
    this.#open.delete(index)
    if (block?.type === 'thinking' && block.signature !== '') {
      return [{ type: 'reasoningSeal', signature: block.signature, by: 'anthropic' }]
    }
    if (block?.type !== 'call') return []
    const { callId, name, pieces, input } = block
    const whole = pieces.join('')
    const events = whole === '' && input !== '' ? this.#callDelta(block, input) : []
    return [...events, { type: 'toolCall', call: { callId, name, arguments: whole || input || '{}' } }]
  }

  #noteFinish({ stop_reason: reason, stop_sequence: sequence }: Json): void {
    if (typeof reason !== 'string' || reason === '') return
    this.#finish = {
      type: 'finish',
      reason: finishOf(reason),
      ...(reason === 'stop_sequence' && typeof sequence === 'string' && { stopSequence: sequence }),
    }
  }

  #ended(finish: Extract<ModelEvent, { type: 'finish' }>): ModelEvent[] {
    const events = [...this.#open.keys()].flatMap((index) => this.#stop(index))
    const usage = usageOf(this.#firstUsage, this.#lastUsage)
    if (usage) events.push({ type: 'usage', usage })
    const called = finish.reason === 'stop' && finish.stopSequence === undefined && this.#calls > 0
    events.push(called ? { type: 'finish', reason: 'tool_calls' } : finish)
    this.#done = true
    return events
  }
}

/** A whole answer. Throws `StreamFault`. */
export function decodeMessage(body: unknown, newCallId: () => string): ModelEvent[] {
  if (isRecord(body) && body['type'] === 'error') {
    const { kind, message, declined } = errorOfEvent(body)
    throw new StreamFault(kind, message, declined)
  }
  if (!isRecord(body) || !Array.isArray(body['content'])) {
    throw new StreamFault('transient', 'the answer is no message')
  }
  const decoder = new MessagesDecoder({ newCallId, calls: 'streamed' })
  const events = decoder.read({ type: 'message_start', message: body })
  for (const [index, block] of body['content'].entries()) {
    events.push(...decoder.read({ type: 'content_block_start', index, content_block: block }))
    events.push(...decoder.read({ type: 'content_block_stop', index }))
  }
  events.push(...decoder.read({ type: 'message_stop' }))
  return events.filter(({ type }) => type !== 'toolCallDelta')
}

function finishOf(reason: string): FinishReason {
  switch (reason) {
    case 'max_tokens':
    case 'model_context_window_exceeded':
      return 'length'
    case 'tool_use':
      return 'tool_calls'
    case 'refusal':
      return 'content_filter'
    default:
      return 'stop'
  }
}

function textOf(type: 'text' | 'reasoning', text: unknown): ModelEvent[] {
  return typeof text === 'string' && text !== '' ? [{ type, text }] : []
}

function textOr(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
