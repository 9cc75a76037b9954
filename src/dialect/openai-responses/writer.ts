/**
 * One streamed response to a client: a provider's own events as they came, or events made of neutral ones, or first the one and then the
 * other, when somebody else goes on with the answer. The last event is held back until the end, when our record is in it.
 */
import type { AnswerHead, AnswerWriter, FailFacts, Frame, Trailer } from '../codec.ts'
import type { FinishReason, ModelEvent, ModelUsage } from '../neutral.ts'
import { isRecord } from '../openai-error.ts'
import { sseData, sseEvent } from '../sse-text.ts'
import type { ItemStatus, Json } from './draft.ts'
import { Output } from './output.ts'
import { responseError, responseShell } from './response-object.ts'
import { writeUsage } from './usage.ts'

export class ResponsesWriter implements AnswerWriter {
  readonly #output: Output
  /** What stays of the response object. */
  #shell: Json
  /** Of ours, from which ids of items are made. */
  readonly #id: string
  #state: 'fresh' | 'begun' = 'fresh'
  /** The next `sequence_number`. */
  #sequence = 0
  #text = ''
  /** A provider's own last event, and its name. */
  #held: { readonly name: string; readonly event: Json } | undefined
  #finish: FinishReason = 'stop'
  #usage: ModelUsage | undefined

  constructor(head: AnswerHead, body: Json) {
    this.#shell = responseShell(head, body)
    this.#id = head.id
    this.#output = new Output((type, members) => this.#emit(type, members))
  }

  pass({ raw: { event: name, data } }: Frame): string {
    // Some servers end every stream as chat completions do; this protocol has no such event.
    if (data.trim() === '' || data.trim() === '[DONE]') return ''
    const event: unknown = JSON.parse(data)
    if (!isRecord(event)) return ''
    this.#sequence = numberOr(event['sequence_number'], this.#sequence) + 1
    const { type, response } = event
    if (isRecord(response)) {
      if (type === 'response.completed' || type === 'response.incomplete') {
        this.#held = { name, event }
        return ''
      }
      this.#shell = response
    }
    this.#state = 'begun'
    this.#output.track(event)
    return name === 'message' ? sseData(data) : sseEvent(name, data)
  }

  write(event: ModelEvent): string {
    if (event.type !== 'begin') this.#begin()
    const id = this.#id
    switch (event.type) {
      case 'begin':
        break
      case 'text':
        if (event.text !== '') this.#output.text(id, event.text)
        break
      case 'reasoning':
        if (event.text !== '') this.#output.reasoning(id, event.text)
        break
      case 'reasoningSeal':
        this.#output.seal(id, event)
        break
      case 'toolCallDelta':
        this.#output.callDelta(id, event)
        break
      case 'toolCall':
        this.#output.call(id, event.call)
        break
      case 'logprobs':
        this.#output.logprobs(id, event.content)
        break
      case 'usage':
        this.#usage = event.usage
        break
      case 'finish':
        this.#finish = event.reason
        this.#output.closeAll(this.#status())
        break
      default: {
        const never: never = event
        return never
      }
    }
    return this.#flush()
  }

  end(trailer: Trailer): string {
    if (this.#held) {
      const { name, event } = this.#held
      const response = withTrailer(event['response'] as Json, trailer)
      const data = JSON.stringify({ ...event, response })
      return name === 'message' ? sseData(data) : sseEvent(name, data)
    }
    this.#begin()
    const status = this.#status()
    this.#output.closeAll(status)
    this.#emit(`response.${status}`, { response: withTrailer(this.response(), trailer) })
    return this.#flush()
  }

  /** `response.failed` is the end by the types; many clients take notice of `error` only, which comes after it. */
  fail(error: FailFacts, trailer: Trailer): string {
    if (this.#state === 'begun') {
      const output = this.#output.json('incomplete')
      const failed = { ...this.#shell, status: 'failed', error: responseError(error), output }
      this.#emit('response.failed', { response: withTrailer(failed, trailer) })
    }
    const { code, message, param } = error
    this.#emit('error', { code, message, param, ...trailer })
    return this.#flush()
  }

  /** Of all that was written; also the whole answer of a request that was not streamed. */
  response(): Record<string, unknown> {
    const status = this.#status()
    const reason = this.#finish === 'content_filter' ? 'content_filter' : 'max_output_tokens'
    return {
      ...this.#shell,
      status,
      error: null,
      incomplete_details: status === 'incomplete' ? { reason } : null,
      output: this.#output.json(status),
      ...(this.#usage && { usage: writeUsage(this.#usage) }),
    }
  }

  #status(): ItemStatus {
    return this.#finish === 'length' || this.#finish === 'content_filter' ? 'incomplete' : 'completed'
  }

  #begin(): void {
    if (this.#state === 'begun') return
    this.#state = 'begun'
    const response = {
      ...this.#shell,
      status: 'in_progress',
      error: null,
      incomplete_details: null,
      output: [],
      usage: null,
    }
    this.#emit('response.created', { response })
    this.#emit('response.in_progress', { response })
  }

  #emit(type: string, members: Json): void {
    this.#text += sseEvent(type, JSON.stringify({ type, sequence_number: this.#sequence++, ...members }))
  }

  #flush(): string {
    const text = this.#text
    this.#text = ''
    return text
  }
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise
}

/** The response has `metadata` of its own, which stays. */
function withTrailer(response: Json, trailer: Trailer): Json {
  const [own, more] = [response['metadata'], trailer['metadata']]
  const metadata = isRecord(own) && isRecord(more) ? { metadata: { ...own, ...more } } : {}
  return { ...response, ...trailer, ...metadata }
}
