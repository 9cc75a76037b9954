/** One item of an answer while it grows, passed on or written: what it holds so far, and the events that end it. Pure. */
import type { ItemType } from './item-id.ts'

export type Json = Readonly<Record<string, unknown>>
export type Emit = (type: string, members: Json) => void

/** `incomplete`: the answer ended in the middle of it. */
export type ItemStatus = 'completed' | 'incomplete'

export interface Part {
  readonly type: 'output_text' | 'refusal' | 'summary_text' | 'reasoning_text'
  readonly pieces: string[]
  readonly logprobs: unknown[]
  readonly annotations: unknown[]
  state: 'open' | 'done'
}

export class Draft {
  readonly type: ItemType | 'other'
  readonly index: number
  readonly id: string
  /** As it was when it was added. */
  readonly #added: Json
  /** Of a reasoning item either its summary or its content. */
  readonly parts: Part[] = []
  /** Of a call. */
  readonly arguments: string[] = []
  sealed: string | undefined
  /** Whole, once it is over. */
  done: Json | undefined

  constructor(type: ItemType | 'other', index: number, id: string, added: Json) {
    this.type = type
    this.index = index
    this.id = id
    this.#added = added
  }

  addPart(type: Part['type']): Part {
    const part: Part = { type, pieces: [], logprobs: [], annotations: [], state: 'open' }
    this.parts.push(part)
    return part
  }

  /** What text is added to now. */
  get openPart(): Part | undefined {
    const last = this.parts.at(-1)
    return last?.state === 'open' ? last : undefined
  }

  /** As it is now. */
  item(status: ItemStatus): Json {
    if (this.done) return this.done
    const added = { ...this.#added, status }
    switch (this.type) {
      case 'message':
        return { ...added, content: this.parts.map(partJson) }
      case 'function_call':
        return { ...added, arguments: this.arguments.join('') }
      case 'reasoning': {
        const content = this.parts.filter(({ type }) => type === 'reasoning_text')
        return {
          ...added,
          summary: this.parts.filter(({ type }) => type === 'summary_text').map(partJson),
          ...(content.length > 0 && { content: content.map(partJson) }),
          ...(this.sealed !== undefined && { encrypted_content: this.sealed }),
        }
      }
      case 'other':
        return added
      default: {
        const never: never = this.type
        return never
      }
    }
  }

  /** What is sent of it after it was added. Nothing, once it is over. */
  close(status: ItemStatus, emit: Emit): void {
    if (this.done) return
    this.closePart(emit)
    if (this.type === 'function_call') {
      emit('response.function_call_arguments.done', {
        item_id: this.id,
        output_index: this.index,
        arguments: this.arguments.join(''),
      })
    }
    this.done = this.item(status)
    emit('response.output_item.done', { output_index: this.index, item: this.done })
  }

  closePart(emit: Emit): void {
    const part = this.openPart
    if (!part) return
    part.state = 'done'
    const place = this.parts.length - 1
    const at = { item_id: this.id, output_index: this.index }
    const text = part.pieces.join('')
    switch (part.type) {
      case 'output_text':
        emit('response.output_text.done', { ...at, content_index: place, text, logprobs: part.logprobs })
        return emit('response.content_part.done', { ...at, content_index: place, part: partJson(part) })
      case 'refusal':
        emit('response.refusal.done', { ...at, content_index: place, refusal: text })
        return emit('response.content_part.done', { ...at, content_index: place, part: partJson(part) })
      case 'reasoning_text':
        emit('response.reasoning_text.done', { ...at, content_index: place, text })
        return emit('response.content_part.done', { ...at, content_index: place, part: partJson(part) })
      case 'summary_text':
        emit('response.reasoning_summary_text.done', { ...at, summary_index: place, text })
        return emit('response.reasoning_summary_part.done', {
          ...at,
          summary_index: place,
          part: partJson(part),
        })
      default: {
        const never: never = part.type
        return never
      }
    }
  }
}

export function partJson({ type, pieces, annotations, logprobs }: Part): Json {
  const text = pieces.join('')
  switch (type) {
    case 'output_text':
      return { type, text, annotations, logprobs }
    case 'refusal':
      return { type, refusal: text }
    default:
      return { type, text }
  }
}
