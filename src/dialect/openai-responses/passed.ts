/** Items of an answer that is passed on, followed so far that another provider's words can go on where it breaks off. Pure. */
import { isRecord } from '../openai-error.ts'
import { Draft, type Json, type Part } from './draft.ts'

/** Changes `items`, by output index, as the event says. */
export function track(items: Map<number, Draft>, event: Json): void {
  const index = event['output_index']
  if (typeof index !== 'number') return
  const item = items.get(index)
  switch (event['type']) {
    case 'response.output_item.added':
      if (isRecord(event['item'])) items.set(index, draftOf(index, event['item']))
      return
    case 'response.output_item.done':
      if (isRecord(event['item'])) {
        const draft = item ?? draftOf(index, event['item'])
        draft.done = event['item']
        items.set(index, draft)
      }
      return
    case 'response.content_part.added':
    case 'response.reasoning_summary_part.added': {
      const type = isRecord(event['part'])
        ? PARTS.find((one) => one === (event['part'] as Json)['type'])
        : undefined
      if (type !== undefined) item?.addPart(type)
      return
    }
    case 'response.content_part.done':
    case 'response.reasoning_summary_part.done':
      if (item?.openPart) item.openPart.state = 'done'
      return
    case 'response.output_text.annotation.added':
      item?.openPart?.annotations.push(event['annotation'])
      return
    case 'response.function_call_arguments.delta':
      if (typeof event['delta'] === 'string') item?.arguments.push(event['delta'])
      return
    case 'response.output_text.delta':
    case 'response.refusal.delta':
    case 'response.reasoning_text.delta':
    case 'response.reasoning_summary_text.delta':
      if (typeof event['delta'] === 'string') item?.openPart?.pieces.push(event['delta'])
      if (Array.isArray(event['logprobs'])) item?.openPart?.logprobs.push(...event['logprobs'])
      return
  }
}

const PARTS: readonly Part['type'][] = ['output_text', 'refusal', 'summary_text', 'reasoning_text']

function draftOf(index: number, item: Json): Draft {
  const { type, id } = item
  const known = type === 'message' || type === 'reasoning' || type === 'function_call' ? type : 'other'
  const draft = new Draft(known, index, typeof id === 'string' ? id : '', item)
  if (known === 'function_call' && typeof item['arguments'] === 'string')
    draft.arguments.push(item['arguments'])
  if (known === 'reasoning' && typeof item['encrypted_content'] === 'string')
    draft.sealed = item['encrypted_content']
  return draft
}
