/** Neutral messages as `instructions` and items of `input`. Pure. Written from the types of the `openai` package 7.57. */
import { RequestFault } from '../faults.ts'
import type { ContentPart, ModelMessage, ReasoningPart } from '../neutral.ts'

export interface EncodedInput {
  readonly instructions: string | undefined
  readonly input: readonly Record<string, unknown>[]
  /** Whether thoughts are given back. */
  readonly sealed: 'none' | 'some'
  readonly dropped: string[]
}

/** Throws `RequestFault`. */
export function encodeInput(messages: readonly ModelMessage[]): EncodedInput {
  const dropped: string[] = []
  const first = messages[0]
  // A request of instructions alone would have no input, which is refused.
  const apart = messages.length > 1 && first?.role === 'system' && isText(first.parts)
  const instructions = apart ? first.text : undefined
  const input = messages.flatMap((message, i) =>
    i === 0 && instructions !== undefined ? [] : itemsOf(message, i, dropped),
  )
  if (messages.some((one) => one.role !== 'assistant' && one.parts?.some((part) => 'cache' in part)))
    dropped.push('cache hints: it caches by itself')
  const sealed = input.some(({ type }) => type === 'reasoning') ? 'some' : 'none'
  return { instructions, input, sealed, dropped }
}

function itemsOf(message: ModelMessage, i: number, dropped: string[]): Record<string, unknown>[] {
  switch (message.role) {
    case 'system':
    case 'user':
      return [{ role: message.role, content: contentOf(message.text, message.parts, i) }]
    case 'assistant': {
      const { text, toolCalls = [], reasoning = [] } = message
      const thoughts = reasoning.flatMap((part) => thoughtOf(part, dropped))
      const calls = toolCalls.map(({ callId, name, arguments: args }) => ({
        type: 'function_call',
        call_id: callId,
        name,
        arguments: args === '' ? '{}' : args,
      }))
      // Neither text nor call: a turn that said nothing keeps its place.
      const said = text !== '' || calls.length === 0 ? [{ role: 'assistant', content: text }] : []
      return [...thoughts, ...said, ...calls]
    }
    case 'tool': {
      // There is no member for it; what went wrong is in the text.
      if (message.failed) dropped.push('messages: failed')
      const output = contentOf(message.text, message.parts, i)
      return [{ type: 'function_call_output', call_id: message.callId, output }]
    }
    default: {
      const never: never = message
      return never
    }
  }
}

/**
 * Only with its seal: nothing else of it is believed. Without an id, though the types demand one: the server would look for it among
 * what it stored, and nothing was stored.
 */
function thoughtOf({ text, sealed, by }: ReasoningPart, dropped: string[]): Record<string, unknown>[] {
  if (sealed === undefined || by !== 'openai-responses') {
    dropped.push('messages: reasoning')
    return []
  }
  const summary = text === '' ? [] : [{ type: 'summary_text', text }]
  return [{ type: 'reasoning', summary, encrypted_content: sealed }]
}

function contentOf(text: string, parts: readonly ContentPart[] | undefined, i: number): unknown {
  return isText(parts) ? text : parts?.map((part, j) => encodePart(part, `messages[${i}].content[${j}].type`))
}

function isText(parts: readonly ContentPart[] = []): boolean {
  return parts.every(({ type }) => type === 'text')
}

function encodePart(part: ContentPart, at: string): Record<string, unknown> {
  switch (part.type) {
    case 'text':
      return { type: 'input_text', text: part.text }
    case 'image': {
      const { source, detail = 'auto' } = part
      const url = source.type === 'url' ? source.url : `data:${source.mediaType};base64,${source.data}`
      return { type: 'input_image', image_url: url, detail }
    }
    case 'audio':
      throw new RequestFault(at, 'This target takes no audio in a message.', 'unsupported_value')
    case 'file': {
      const { source, mediaType, name } = part
      if (source.type === 'url') return { type: 'input_file', file_url: source.url }
      return {
        type: 'input_file',
        filename: name ?? 'file',
        file_data: `data:${mediaType};base64,${source.data}`,
      }
    }
    default: {
      const never: never = part
      return never
    }
  }
}
