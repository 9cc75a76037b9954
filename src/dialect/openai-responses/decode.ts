/**
 * What `/v1/responses` answers, streamed or whole, as neutral events. Pure. Written from the types of the `openai` package 7.57, and
 * lenient where other servers differ: what came without deltas, without `added`, or only in the last event, is told all the same.
 *
 *     created ─► item added ─► part added ─► deltas ─► part done ─► item done ─► … ─► completed | incomplete | failed
 */
import type { DecoderOptions, OwnOutput, StreamDecoder } from '../codec.ts'
import { StreamFault } from '../faults.ts'
import type { FinishReason, ModelEvent } from '../neutral.ts'
import { isRecord } from '../openai-error.ts'
import type { SseEvent } from '../sse.ts'
import { ItemDecoder } from './decode-items.ts'
import { faultOf } from './fault.ts'
import { ownOutputOf } from './own-output.ts'
import { usageOf } from './usage.ts'

/** One stream's events into neutral ones. Each method throws `StreamFault`. */
export class ResponsesStreamDecoder implements StreamDecoder {
  readonly #detail: DecoderOptions['calls']
  readonly #items: ItemDecoder
  #began = false
  #done = false
  #own: OwnOutput | undefined

  constructor(options: DecoderOptions) {
    this.#detail = options.calls
    this.#items = new ItemDecoder(options)
  }

  get done(): boolean {
    return this.#done
  }

  get own(): OwnOutput | undefined {
    return this.#own
  }

  push({ data }: SseEvent): ModelEvent[] {
    this.#own = undefined
    // Some servers end every stream as chat completions do.
    if (this.#done || data.trim() === '' || data.trim() === '[DONE]') return []
    const event = parse(data)
    this.#own = ownOutputOf(event)
    switch (event['type']) {
      case 'response.created':
      case 'response.in_progress':
      case 'response.queued':
        return this.#begin(event['response'])
      case 'response.completed':
      case 'response.incomplete':
        return this.finish(event['response'])
      case 'response.failed': {
        const response = isRecord(event['response']) ? event['response'] : {}
        throw faultOf(response['error'])
      }
      case 'error':
        throw faultOf(event)
      default:
        return this.#items.read(event)
    }
  }

  end(): ModelEvent[] {
    if (!this.#done) throw new StreamFault('transient', 'the stream broke off before its end')
    return []
  }

  /** Of a response that is over. */
  finish(response: unknown): ModelEvent[] {
    if (!isRecord(response)) throw new StreamFault('transient', 'the end of the stream holds no response')
    const events = this.#begin(response)
    const { output } = response
    events.push(...this.#items.rest(Array.isArray(output) ? output : []))
    const usage = usageOf(response['usage'])
    if (usage) events.push({ type: 'usage', usage })
    events.push({ type: 'finish', reason: finishOf(response, this.#items.calls) })
    this.#done = true
    return events
  }

  #begin(response: unknown): ModelEvent[] {
    if (this.#detail === 'whole' || this.#began) return []
    this.#began = true
    const { id, model } = isRecord(response) ? response : {}
    return [{ type: 'begin', id: textOrNull(id), model: textOrNull(model) }]
  }
}

/** A whole answer. Throws `StreamFault`. */
export function decodeResponsesAnswer(body: unknown, newCallId: () => string): ModelEvent[] {
  if (!isRecord(body)) throw new StreamFault('transient', 'the answer is no response')
  const { status, error } = body
  if (status === 'failed' || (error !== undefined && error !== null)) throw faultOf(error)
  if (status === 'cancelled') throw new StreamFault('transient', 'the response was cancelled')
  if (!Array.isArray(body['output'])) throw new StreamFault('transient', 'the answer is no response')
  const decoder = new ResponsesStreamDecoder({ newCallId, calls: 'streamed' })
  // One that runs in the background has no more to say here, and that is no failure.
  return decoder.finish(body).filter(({ type }) => type !== 'toolCallDelta')
}

function finishOf(response: Record<string, unknown>, calls: number): FinishReason {
  if (response['status'] === 'incomplete') {
    const details = isRecord(response['incomplete_details']) ? response['incomplete_details'] : {}
    if (details['reason'] === 'content_filter') return 'content_filter'
    if (details['reason'] !== 'steered') return 'length'
  }
  return calls > 0 ? 'tool_calls' : 'stop'
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

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
