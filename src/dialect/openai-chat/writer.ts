/**
 * One streamed chat completion to a client: a provider's own chunks as they came, or chunks made of neutral events, or first the one
 * and then the other, when somebody else goes on with the answer. The last chunk is held back until the end, when our record is in it.
 */
import type { AnswerHead, AnswerWriter, FailFacts, Frame, Trailer } from '../codec.ts'
import { withMember } from '../json-text.ts'
import type { ModelEvent, ModelUsage, ToolCall } from '../neutral.ts'
import { isRecord } from '../openai-error.ts'
import { sseData } from '../sse-text.ts'
import { writeCall } from './calls.ts'
import { writeUsage } from './usage.ts'

export class ChatWriter implements AnswerWriter {
  #head: AnswerHead
  readonly #wantsUsage: boolean
  #state: 'fresh' | 'begun' = 'fresh'
  /** JSON of the chunk that is sent with the record. */
  #held = ''
  #usage: ModelUsage | undefined
  /** Calls of which a delta was written, by their index. */
  readonly #begun = new Set<number>()
  #calls = 0

  constructor(head: AnswerHead, body: Readonly<Record<string, unknown>>) {
    this.#head = head
    const options = body['stream_options']
    this.#wantsUsage = isRecord(options) && options['include_usage'] === true
  }

  pass({ raw: { data }, events }: Frame): string {
    if (data === '[DONE]' || data.trim() === '') return ''
    let kept = 'none'
    for (const event of events) {
      if (event.type === 'begin') {
        const { id, model } = event
        this.#head = { ...this.#head, id: id ?? this.#head.id, model: model ?? this.#head.model }
      }
      if (event.type === 'finish' || event.type === 'usage') kept = event.type
      // Known only by whoever can go on after it.
      if (event.type === 'toolCallDelta') this.#begun.add(event.index)
    }
    this.#state = 'begun'
    // A chunk of usage alone, which the client may not have asked for.
    if (!this.#wantsUsage && kept !== 'none' && NO_CHOICES.test(data)) return ''
    const before = this.#held
    this.#held = ''
    if (before !== '' || FINISHED.test(data)) {
      this.#held = data
      return before === '' ? '' : sseData(before)
    }
    return sseData(data)
  }

  write(event: ModelEvent): string {
    switch (event.type) {
      case 'begin':
      case 'reasoningSeal':
        return ''
      case 'text':
        return this.#chunk({ content: event.text })
      case 'reasoning':
        return this.#chunk({ reasoning_content: event.text })
      case 'toolCallDelta':
        return this.#delta(event.index, event)
      case 'toolCall': {
        const index = this.#calls++
        return this.#begun.has(index) ? '' : this.#delta(index, event.call)
      }
      case 'logprobs':
        return this.#chunk({}, { logprobs: { content: event.content, refusal: null } })
      case 'usage':
        this.#usage = event.usage
        return ''
      case 'finish': {
        const before = this.#flush()
        this.#held = this.#json({}, { finish_reason: event.reason })
        return before
      }
      default: {
        const never: never = event
        return never
      }
    }
  }

  end(trailer: Trailer): string {
    let text = ''
    if (this.#usage && this.#wantsUsage) {
      text = this.#flush()
      this.#held = JSON.stringify({ ...this.#envelope(), choices: [], usage: writeUsage(this.#usage) })
    }
    const last = this.#held === '' ? JSON.stringify({ ...this.#envelope(), choices: [] }) : this.#held
    this.#held = ''
    return `${text}${sseData(withMember(last, trailer))}data: [DONE]\n\n`
  }

  fail({ message, type, code, param }: FailFacts, trailer: Trailer): string {
    this.#held = ''
    const choices = [{ index: 0, delta: {}, finish_reason: 'error' }]
    const chunk = { ...this.#envelope(), choices, error: { message, type, param, code }, ...trailer }
    return `${sseData(JSON.stringify(chunk))}data: [DONE]\n\n`
  }

  #delta(index: number, call: ToolCall): string {
    const starts = !this.#begun.has(index)
    this.#begun.add(index)
    const piece = starts ? { index, ...writeCall(call) } : { index, function: { arguments: call.arguments } }
    return this.#chunk({ tool_calls: [piece] })
  }

  #chunk(delta: Record<string, unknown>, more: Record<string, unknown> = {}): string {
    return this.#flush() + sseData(this.#json(delta, more))
  }

  #json(delta: Record<string, unknown>, more: Record<string, unknown>): string {
    const role = this.#state === 'fresh' ? { role: 'assistant' } : {}
    this.#state = 'begun'
    const choice = { index: 0, delta: { ...role, ...delta }, finish_reason: null, ...more }
    return JSON.stringify({ ...this.#envelope(), choices: [choice] })
  }

  #envelope(): Record<string, unknown> {
    const { id, model, createdS } = this.#head
    return { id, object: 'chat.completion.chunk', created: createdS, model }
  }

  #flush(): string {
    const held = this.#held
    this.#held = ''
    return held === '' ? '' : sseData(held)
  }
}

/** Cheaper than parsing again; the text was valid JSON. */
const NO_CHOICES = /"choices"\s*:\s*\[\s*\]/
const FINISHED = /"finish_reason"\s*:\s*"/
