/**
 * One streamed message to a client: a provider's own events as they came, or events made of neutral ones, or first the one and then the
 * other, when somebody else goes on with the answer. Blocks are written one after the other, as clients expect them: what comes while
 * a call is still being written waits for its end. `message_stop` is held back until our record is in it.
 */
import type { AnswerHead, AnswerWriter, FailFacts, Frame, Trailer } from '../codec.ts'
import { withMember } from '../json-text.ts'
import type { ModelEvent, ModelUsage } from '../neutral.ts'
import { isRecord } from '../openai-error.ts'
import { sseEvent } from '../sse-text.ts'
import {
  callBlock,
  endingOf,
  type Finish,
  messageOf,
  type Seal,
  sealedBlock,
  textBlock,
  thinkingBlock,
} from './answer.ts'
import { errorBody } from './errors.ts'
import { markSeal } from './seal.ts'
import { writeUsage } from './usage.ts'

type OpenBlock =
  | { readonly type: 'text' | 'thinking' | 'passed' }
  | { readonly type: 'call'; readonly callId: string }

/** More than any answer has beside a call; a server that never ends one would have us keep all the rest. */
const WAITING_CHARACTERS = 1_000_000
const STOP = '{"type":"message_stop"}'

export class MessagesWriter implements AnswerWriter {
  readonly #head: AnswerHead
  #state: 'fresh' | 'begun' | 'ended' = 'fresh'
  /** The block that is being written, whose index is one less than `#index`. */
  #open: OpenBlock | null = null
  #index = 0
  /** What came while a call was being written. */
  #waiting: ModelEvent[] = []
  #waitingCharacters = 0
  /** Calls that are written whole. */
  readonly #called = new Set<string>()
  readonly #gaveUp = new Set<string>()
  #usage: ModelUsage | undefined
  #stop = STOP

  constructor(head: AnswerHead) {
    this.#head = head
  }

  pass({ raw: { event, data } }: Frame): string {
    if (data.trim() === '') return ''
    const name = event === 'message' ? typeOf(parse(data)) : event
    if (name === 'message_stop') {
      this.#stop = data
      return ''
    }
    if (name === 'message_start') this.#state = 'begun'
    else if (name === 'message_delta') this.#state = 'ended'
    else if (name === 'content_block_start') this.#notePassed(parse(data))
    else if (name === 'content_block_stop') this.#open = null
    return sseEvent(name, data)
  }

  write(event: ModelEvent): string {
    if (this.#open?.type === 'call' && !this.#concerns(this.#open, event)) {
      this.#waiting.push(event)
      this.#waitingCharacters += charactersOf(event)
      return this.#waitingCharacters > WAITING_CHARACTERS ? this.#giveUpCall(this.#open.callId) : ''
    }
    switch (event.type) {
      case 'begin':
      case 'logprobs':
        return ''
      case 'text':
        return this.#piece('text', textBlock(''), { type: 'text_delta', text: event.text })
      case 'reasoning':
        return this.#piece('thinking', thinkingBlock(''), { type: 'thinking_delta', thinking: event.text })
      case 'reasoningSeal':
        return this.#seal(event)
      case 'toolCallDelta': {
        const { callId, name, arguments: args } = event
        if (this.#called.has(callId)) return ''
        const starts = this.#open?.type === 'call' ? '' : this.#startCall(callId, name)
        return starts + this.#arguments(args)
      }
      case 'toolCall': {
        const { callId, name, arguments: args } = event.call
        if (this.#gaveUp.has(callId)) return ''
        const written =
          this.#open?.type === 'call' ? '' : this.#startCall(callId, name) + this.#arguments(args)
        this.#called.add(callId)
        return written + this.#close() + this.#release()
      }
      case 'usage':
        this.#usage = event.usage
        return ''
      case 'finish':
        return this.#finish(event)
      default: {
        const never: never = event
        return never
      }
    }
  }

  end(trailer: Trailer): string {
    const before = this.#state === 'ended' ? '' : this.#finish({ type: 'finish', reason: 'stop' })
    return before + sseEvent('message_stop', withMember(this.#stop, trailer))
  }

  fail(error: FailFacts, trailer: Trailer): string {
    return sseEvent('error', JSON.stringify({ ...errorBody(error), ...trailer }))
  }

  /** The end of the answer ends a call as well. */
  #concerns({ callId }: Extract<OpenBlock, { type: 'call' }>, event: ModelEvent): boolean {
    if (event.type === 'toolCallDelta') return event.callId === callId
    if (event.type === 'toolCall') return event.call.callId === callId
    return event.type === 'usage' || event.type === 'finish'
  }

  #notePassed({ index, content_block: block }: Record<string, unknown>): void {
    this.#index = typeof index === 'number' ? index + 1 : this.#index + 1
    const type = typeOf(block)
    this.#open = { type: type === 'text' || type === 'thinking' ? type : 'passed' }
  }

  #piece(type: 'text' | 'thinking', block: object, delta: object): string {
    return (this.#open?.type === type ? '' : this.#start({ type }, block)) + this.#delta(delta)
  }

  #seal(event: Seal): string {
    const { signature, sealed, by } = event
    let text = ''
    if (signature !== undefined) {
      if (this.#open?.type !== 'thinking') text += this.#start({ type: 'thinking' }, thinkingBlock(''))
      text += this.#delta({ type: 'signature_delta', signature: markSeal(signature, by) }) + this.#close()
    }
    if (sealed !== undefined) text += this.#start({ type: 'passed' }, sealedBlock(event)) + this.#close()
    return text
  }

  #startCall(callId: string, name: string): string {
    return this.#start({ type: 'call', callId }, callBlock(callId, name, {}))
  }

  #arguments(json: string): string {
    return json === '' ? '' : this.#delta({ type: 'input_json_delta', partial_json: json })
  }

  #start(open: OpenBlock, block: object): string {
    const before = this.#begin() + this.#close()
    this.#open = open
    const index = this.#index++
    return before + written('content_block_start', { index, content_block: block })
  }

  #delta(delta: object): string {
    return written('content_block_delta', { index: this.#index - 1, delta })
  }

  #close(): string {
    if (this.#open === null) return ''
    this.#open = null
    return written('content_block_stop', { index: this.#index - 1 })
  }

  /** What waited may open another call, behind which the rest waits again. */
  #release(): string {
    const waiting = this.#waiting
    this.#waiting = []
    this.#waitingCharacters = 0
    return waiting.map((event) => this.write(event)).join('')
  }

  #giveUpCall(callId: string): string {
    this.#called.add(callId)
    this.#gaveUp.add(callId)
    return this.#close() + this.#release()
  }

  #begin(): string {
    if (this.#state !== 'fresh') return ''
    this.#state = 'begun'
    return written('message_start', { message: messageOf(this.#head, undefined) })
  }

  #finish(finish: Finish): string {
    let before = this.#begin() + this.#close()
    while (this.#waiting.length > 0) before += this.#release() + this.#close()
    this.#state = 'ended'
    return before + written('message_delta', { delta: endingOf(finish), usage: writeUsage(this.#usage) })
  }
}

function charactersOf(event: ModelEvent): number {
  if (event.type === 'text' || event.type === 'reasoning') return event.text.length
  return event.type === 'toolCallDelta' ? event.arguments.length : 0
}

function written(type: string, members: object): string {
  return sseEvent(type, JSON.stringify({ type, ...members }))
}

/** The text was valid JSON when it was decoded. */
function parse(data: string): Record<string, unknown> {
  const parsed: unknown = JSON.parse(data)
  return isRecord(parsed) ? parsed : {}
}

function typeOf(value: unknown): string {
  return isRecord(value) && typeof value['type'] === 'string' ? value['type'] : 'message'
}
