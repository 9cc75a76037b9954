/**
 * What `generateContent` answers, streamed or whole, as neutral events: a stream's event is a whole answer's shape with the next parts in
 * it. Pure. Written from the types of `@google/genai` 2.32. A call comes whole, in one part.
 */
import type { DecoderOptions, StreamDecoder } from '../codec.ts'
import { StreamFault } from '../faults.ts'
import type { FinishReason, ModelEvent, ModelUsage, ToolCall } from '../neutral.ts'
import { isRecord } from '../openai-error.ts'
import type { SseEvent } from '../sse.ts'
import { geminiStreamError } from './errors.ts'
import { geminiLogprobs } from './logprobs.ts'
import { geminiUsage } from './usage.ts'

const CALLS = 64

export class GeminiStreamDecoder implements StreamDecoder {
  readonly #newCallId: () => string
  readonly #detail: DecoderOptions['calls']
  #began = false
  #calls = 0
  /** Thoughts came, and nothing after them. */
  #thinking = false
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
  push({ data }: SseEvent): ModelEvent[] {
    if (this.#done || data.trim() === '') return []
    return this.read(parse(data))
  }

  /** One event, or a whole answer. Throws `StreamFault`. */
  read(body: Record<string, unknown>): ModelEvent[] {
    if (isRecord(body['error'])) {
      const { kind, message } = geminiStreamError(body)
      throw new StreamFault(kind, message)
    }
    const events: ModelEvent[] = []
    if (this.#detail === 'streamed' && !this.#began) {
      this.#began = true
      events.push({ type: 'begin', id: nameIn(body, 'responseId'), model: nameIn(body, 'modelVersion') })
    }
    this.#usage = geminiUsage(body['usageMetadata']) ?? this.#usage
    const candidates: readonly unknown[] = Array.isArray(body['candidates']) ? body['candidates'] : []
    for (const one of candidates) {
      if (isRecord(one) && (one['index'] ?? 0) === 0) this.#readCandidate(one, events)
    }
    const feedback = body['promptFeedback']
    // The prompt itself was refused: there is no candidate, and none will come.
    if (isRecord(feedback) && typeof feedback['blockReason'] === 'string') this.#finish = 'content_filter'
    if (this.#finish !== undefined && this.#usage !== undefined) events.push(...this.#ended(this.#finish))
    return events
  }

  /** Throws `StreamFault` when the answer had not ended. */
  end(): ModelEvent[] {
    if (this.#done) return []
    if (this.#finish === undefined) throw new StreamFault('transient', 'the stream broke off before its end')
    return this.#ended(this.#finish)
  }

  #readCandidate(candidate: Record<string, unknown>, events: ModelEvent[]): void {
    const content = candidate['content']
    const parts: readonly unknown[] =
      isRecord(content) && Array.isArray(content['parts']) ? content['parts'] : []
    for (const part of parts) if (isRecord(part)) this.#readPart(part, events)
    const logprobs = geminiLogprobs(candidate['logprobsResult'])
    if (logprobs.length > 0) events.push({ type: 'logprobs', content: logprobs })
    const reason = candidate['finishReason']
    if (typeof reason === 'string') this.#finish = finishOf(reason) ?? this.#finish
  }

  #readPart(part: Record<string, unknown>, events: ModelEvent[]): void {
    const { text, thought, functionCall } = part
    const signature = nameIn(part, 'thoughtSignature')
    if (thought === true && typeof text === 'string' && text !== '') {
      events.push({ type: 'reasoning', text })
      this.#thinking = true
    }
    // Signed is what follows the thoughts; where nobody was shown any, nothing is sealed.
    if (this.#thinking && signature !== null) {
      this.#thinking = false
      events.push({ type: 'reasoningSeal', signature, by: 'gemini' })
    }
    if (thought !== true && typeof text === 'string' && text !== '') {
      events.push({ type: 'text', text })
      this.#thinking = false
    }
    if (isRecord(functionCall)) this.#readCall(functionCall, signature, events)
  }

  #readCall(made: Record<string, unknown>, signature: string | null, events: ModelEvent[]): void {
    const name = nameIn(made, 'name')
    if (name === null) throw new StreamFault('transient', 'a tool call without a name')
    if (this.#calls >= CALLS) throw new StreamFault('transient', `more than ${CALLS} calls in one answer`)
    const call: ToolCall = {
      callId: nameIn(made, 'id') ?? this.#newCallId(),
      name,
      arguments: JSON.stringify(made['args'] ?? {}),
      ...(signature !== null && { thoughtSignature: signature }),
    }
    const index = this.#calls++
    if (this.#detail === 'streamed') events.push({ type: 'toolCallDelta', index, ...call })
    events.push({ type: 'toolCall', call })
  }

  #ended(reason: FinishReason): ModelEvent[] {
    this.#done = true
    return [
      ...(this.#usage ? [{ type: 'usage', usage: this.#usage } as const] : []),
      { type: 'finish', reason: reason === 'stop' && this.#calls > 0 ? 'tool_calls' : reason },
    ]
  }
}

/** Throws `StreamFault`. */
export function decodeGeminiAnswer(body: unknown, newCallId: () => string): ModelEvent[] {
  if (!isRecord(body)) throw new StreamFault('transient', 'the answer is no object')
  const decoder = new GeminiStreamDecoder({ newCallId, calls: 'streamed' })
  const events = [...decoder.read(body), ...decoder.end()]
  return events.filter(({ type }) => type !== 'toolCallDelta')
}

function parse(data: string): Record<string, unknown> {
  let event: unknown
  try {
    event = JSON.parse(data)
  } catch {
    throw new StreamFault('transient', 'the stream holds malformed JSON')
  }
  if (!isRecord(event)) throw new StreamFault('transient', 'an event of the stream is no object')
  return event
}

/** Undefined: it goes on. Throws `StreamFault` where the model failed at its own answer. */
function finishOf(reason: string): FinishReason | undefined {
  switch (reason) {
    case 'FINISH_REASON_UNSPECIFIED':
      return undefined
    case 'MAX_TOKENS':
      return 'length'
    case 'SAFETY':
    case 'RECITATION':
    case 'LANGUAGE':
    case 'BLOCKLIST':
    case 'PROHIBITED_CONTENT':
    case 'SPII':
    case 'IMAGE_SAFETY':
    case 'IMAGE_PROHIBITED_CONTENT':
    case 'IMAGE_RECITATION':
      return 'content_filter'
    case 'MALFORMED_FUNCTION_CALL':
    case 'UNEXPECTED_TOOL_CALL':
    case 'TOO_MANY_TOOL_CALLS':
    case 'OTHER':
      throw new StreamFault('transient', `the model gave up (${reason})`)
    default:
      return 'stop'
  }
}

function nameIn(fields: Record<string, unknown>, name: string): string | null {
  const value = fields[name]
  return typeof value === 'string' && value !== '' ? value : null
}
