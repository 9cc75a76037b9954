/**
 * The events of ConverseStream as neutral ones. The framing gives each with the name of its event and its payload as JSON; exceptions come
 * under their own names. Pure. Types of `@aws-sdk/client-bedrock-runtime` 3.1164.
 */
import type { DecoderOptions, StreamDecoder } from '../codec.ts'
import { StreamFault } from '../faults.ts'
import type { FinishReason, ModelEvent, ModelUsage } from '../neutral.ts'
import { isRecord } from '../openai-error.ts'
import type { SseEvent } from '../sse.ts'
import { bedrockStreamError } from './errors.ts'
import { finishOf } from './finish.ts'
import { bedrockUsage } from './usage.ts'

type Fields = Record<string, unknown>

interface OpenCall {
  readonly index: number
  readonly callId: string
  readonly name: string
  readonly pieces: string[]
  length: number
}

const CALLS = 64
const BLOCKS_OPEN = 64
const ARGUMENT_CHARACTERS = 1_000_000

export class ConverseStreamDecoder implements StreamDecoder {
  readonly #newCallId: () => string
  readonly #detail: DecoderOptions['calls']
  readonly #open = new Map<number, OpenCall>()
  #calls = 0
  /** Of the thoughts that are coming. */
  #signature = ''
  #finish: FinishReason | undefined
  #usage: ModelUsage | undefined
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
    if (this.#done) return []
    if (/exception$/i.test(event) || event === 'error') {
      const { kind, message } = bedrockStreamError(event)
      throw new StreamFault(kind, message)
    }
    const payload = parse(data)
    const block = typeof payload['contentBlockIndex'] === 'number' ? payload['contentBlockIndex'] : 0
    switch (event) {
      case 'contentBlockStart':
        return this.#starts(block, fieldsIn(payload, 'start'))
      case 'contentBlockDelta':
        return this.#goesOn(block, fieldsIn(payload, 'delta'))
      case 'contentBlockStop':
        return [...this.#sealed(), ...this.#closed(block)]
      case 'messageStop': {
        const events = [...this.#sealed(), ...[...this.#open.keys()].flatMap((index) => this.#closed(index))]
        this.#finish = finishOf(payload['stopReason'])
        return events
      }
      case 'metadata':
        this.#usage = bedrockUsage(payload['usage']) ?? this.#usage
        return this.#finish === undefined ? [] : this.#ended(this.#finish)
      default:
        return []
    }
  }

  /** Throws `StreamFault` when the answer had not ended. */
  end(): ModelEvent[] {
    if (this.#done) return []
    if (this.#finish === undefined) throw new StreamFault('transient', 'the stream broke off before its end')
    return this.#ended(this.#finish)
  }

  #starts(block: number, start: Fields): ModelEvent[] {
    const use = start['toolUse']
    // What the provider runs itself is nobody else's to answer.
    if (!isRecord(use) || use['type'] === 'server_tool_use') return []
    const { toolUseId, name } = use
    if (typeof name !== 'string' || name === '')
      throw new StreamFault('transient', 'a tool call without a name')
    if (this.#calls >= CALLS || this.#open.size >= BLOCKS_OPEN)
      throw new StreamFault('transient', `more than ${CALLS} calls in one answer`)
    const callId = typeof toolUseId === 'string' && toolUseId !== '' ? toolUseId : this.#newCallId()
    const replaced = this.#closed(block)
    const call: OpenCall = { index: this.#calls++, callId, name, pieces: [], length: 0 }
    this.#open.set(block, call)
    return [...replaced, ...this.#delta(call, '')]
  }

  #goesOn(block: number, delta: Fields): ModelEvent[] {
    const { text, toolUse, reasoningContent } = delta
    if (typeof text === 'string') return text === '' ? [] : [{ type: 'text', text }]
    if (isRecord(reasoningContent)) return this.#thinks(reasoningContent)
    const piece = isRecord(toolUse) ? toolUse['input'] : undefined
    const call = this.#open.get(block)
    if (!call || typeof piece !== 'string' || piece === '') return []
    call.length += piece.length
    if (call.length > ARGUMENT_CHARACTERS)
      throw new StreamFault(
        'transient',
        `the arguments of a call are longer than ${ARGUMENT_CHARACTERS} characters`,
      )
    call.pieces.push(piece)
    return this.#delta(call, piece)
  }

  #thinks({ text, signature, redactedContent }: Fields): ModelEvent[] {
    if (typeof text === 'string') return text === '' ? [] : [{ type: 'reasoning', text }]
    if (typeof redactedContent === 'string' && redactedContent !== '')
      return [{ type: 'reasoningSeal', sealed: redactedContent, by: 'bedrock' }]
    if (typeof signature !== 'string') return []
    this.#signature += signature
    if (this.#signature.length > ARGUMENT_CHARACTERS)
      throw new StreamFault('transient', `a signature is longer than ${ARGUMENT_CHARACTERS} characters`)
    return []
  }

  #sealed(): ModelEvent[] {
    const signature = this.#signature
    this.#signature = ''
    return signature === '' ? [] : [{ type: 'reasoningSeal', signature, by: 'bedrock' }]
  }

  #delta({ index, callId, name }: OpenCall, piece: string): ModelEvent[] {
    if (this.#detail === 'whole') return []
    return [{ type: 'toolCallDelta', index, callId, name, arguments: piece }]
  }

  #closed(block: number): ModelEvent[] {
    const call = this.#open.get(block)
    if (!call) return []
    this.#open.delete(block)
    const { callId, name, pieces } = call
    return [{ type: 'toolCall', call: { callId, name, arguments: pieces.join('') || '{}' } }]
  }

  #ended(reason: FinishReason): ModelEvent[] {
    this.#done = true
    return [
      ...(this.#usage ? [{ type: 'usage', usage: this.#usage } as const] : []),
      { type: 'finish', reason: reason === 'stop' && this.#calls > 0 ? 'tool_calls' : reason },
    ]
  }
}

function parse(data: string): Fields {
  let payload: unknown
  try {
    payload = JSON.parse(data)
  } catch {
    throw new StreamFault('transient', 'the stream holds malformed JSON')
  }
  if (!isRecord(payload)) throw new StreamFault('transient', 'an event of the stream is no object')
  return payload
}

function fieldsIn(payload: Fields, name: string): Fields {
  const value = payload[name]
  return isRecord(value) ? value : {}
}
