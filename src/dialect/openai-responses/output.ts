/** Items written out of neutral events: one text or thought at a time, calls side by side. Pure. */
import type { ModelEvent, ReasoningSeal, ToolCall } from '../neutral.ts'
import { Draft, type Emit, type ItemStatus, type Json, type Part, partJson } from './draft.ts'
import { type ItemType, itemId } from './item-id.ts'
import { writeLogprobs } from './logprobs.ts'
import { track } from './passed.ts'
import { writeSeal } from './seal.ts'

export class Output {
  /** By output index. */
  readonly items = new Map<number, Draft>()
  readonly #emit: Emit
  /** Written, by their place among the calls. */
  readonly #calls = new Map<number, Draft>()
  #nextCall = 0
  #last: Draft | undefined

  constructor(emit: Emit) {
    this.#emit = emit
  }

  /** An event that is passed on. */
  track(event: Json): void {
    track(this.items, event)
    const index = event['output_index']
    if (typeof index === 'number' && index > (this.#last?.index ?? -1)) this.#last = this.items.get(index)
  }

  text(responseId: string, text: string): void {
    const [message, part] = this.#message(responseId)
    part.pieces.push(text)
    this.#delta(message, { delta: text, logprobs: [] })
  }

  /** They belong to a text that was written already. */
  logprobs(responseId: string, content: readonly unknown[]): void {
    const [message, part] = this.#message(responseId)
    const logprobs = writeLogprobs(content)
    part.logprobs.push(...logprobs)
    this.#delta(message, { delta: '', logprobs })
  }

  reasoning(responseId: string, text: string): void {
    const open = this.#current('reasoning')
    const grows = open && (open.openPart || open.parts.length === 0)
    const draft = grows ? open : this.#add('reasoning', responseId, { summary: [] })
    const at = { item_id: draft.id, output_index: draft.index }
    let part = draft.openPart
    if (!part) {
      part = draft.addPart('summary_text')
      const added = { ...at, summary_index: draft.parts.length - 1, part: partJson(part) }
      this.#emit('response.reasoning_summary_part.added', added)
    }
    part.pieces.push(text)
    const place = draft.parts.length - 1
    if (part.type === 'reasoning_text')
      this.#emit('response.reasoning_text.delta', { ...at, content_index: place, delta: text })
    else this.#emit('response.reasoning_summary_text.delta', { ...at, summary_index: place, delta: text })
  }

  seal(responseId: string, seal: ReasoningSeal): void {
    const sealed = writeSeal(seal)
    const open = this.#current('reasoning')
    if (!open && sealed === undefined) return
    const draft = open ?? this.#add('reasoning', responseId, { summary: [] })
    draft.sealed = sealed ?? draft.sealed
    draft.close('completed', this.#emit)
  }

  callDelta(
    responseId: string,
    { index, callId, name, arguments: text }: ModelEvent & { type: 'toolCallDelta' },
  ): void {
    const call = this.#calls.get(index) ?? this.#addCall(responseId, index, { callId, name })
    this.#grow(call, text)
  }

  call(responseId: string, { callId, name, arguments: whole }: ToolCall): void {
    const place = this.#nextCall++
    const call = this.#calls.get(place) ?? this.#addCall(responseId, place, { callId, name })
    const told = call.arguments.join('')
    // What the pieces did not say yet; where they said something else, the whole counts, and clients take that too.
    if (whole.startsWith(told)) this.#grow(call, whole.slice(told.length))
    else call.arguments.splice(0, call.arguments.length, whole)
    call.close('completed', this.#emit)
  }

  closeAll(status: ItemStatus): void {
    for (const draft of this.#sorted()) draft.close(status, this.#emit)
  }

  /** Items that are not over are `status`. */
  json(status: ItemStatus): Json[] {
    return this.#sorted().map((draft) => draft.item(status))
  }

  #message(responseId: string): readonly [Draft, Part] {
    let draft = this.#current('message')
    // A refusal is not gone on with.
    if (draft?.openPart && draft.openPart.type !== 'output_text') {
      draft.close('completed', this.#emit)
      draft = undefined
    }
    draft ??= this.#add('message', responseId, { role: 'assistant', content: [] })
    let part = draft.openPart
    if (!part) {
      part = draft.addPart('output_text')
      this.#emit('response.content_part.added', {
        item_id: draft.id,
        output_index: draft.index,
        content_index: draft.parts.length - 1,
        part: partJson(part),
      })
    }
    return [draft, part]
  }

  #delta(draft: Draft, members: Json): void {
    this.#emit('response.output_text.delta', {
      item_id: draft.id,
      output_index: draft.index,
      content_index: draft.parts.length - 1,
      ...members,
    })
  }

  #addCall(responseId: string, place: number, { callId, name }: Pick<ToolCall, 'callId' | 'name'>): Draft {
    const call = this.#add('function_call', responseId, { call_id: callId, name, arguments: '' })
    this.#calls.set(place, call)
    return call
  }

  #grow(call: Draft, text: string): void {
    if (text === '' || call.done) return
    call.arguments.push(text)
    this.#emit('response.function_call_arguments.delta', {
      item_id: call.id,
      output_index: call.index,
      delta: text,
    })
  }

  /** The last item, if it is of this type and still open. */
  #current(type: ItemType): Draft | undefined {
    const last = this.#last
    return last?.type === type && !last.done ? last : undefined
  }

  #add(type: ItemType, responseId: string, members: Json): Draft {
    const before = this.#last
    // Only calls grow side by side.
    if (before && before.type !== 'function_call') before.close('completed', this.#emit)
    const index = before ? before.index + 1 : 0
    const id = itemId(type, responseId, index)
    const item = { id, type, status: 'in_progress', ...members }
    const draft = new Draft(type, index, id, item)
    this.items.set(index, draft)
    this.#last = draft
    this.#emit('response.output_item.added', { output_index: index, item })
    return draft
  }

  #sorted(): Draft[] {
    return [...this.items.values()].sort((a, b) => a.index - b.index)
  }
}
