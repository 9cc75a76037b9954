/** The words of a delta or a message, as servers variously have them: a text, or a list of chunks as Mistral's reasoning models send it. Pure. */
import type { ModelEvent } from '../neutral.ts'
import { isRecord } from '../openai-error.ts'

/** In order; nothing of what is empty or no text. */
export function wordsOf(delta: Readonly<Record<string, unknown>>): ModelEvent[] {
  const reasoning = delta['reasoning_content'] ?? delta['reasoning']
  return [
    ...event('reasoning', reasoning),
    ...(Array.isArray(delta['content']) ? chunks(delta['content']) : event('text', delta['content'])),
    ...event('text', delta['refusal']),
  ]
}

/** `{ type: text, text }` and `{ type: thinking, thinking: [{ type: text, text }] }`, from the types of `@mistralai/mistralai` 2.7. */
function chunks(content: readonly unknown[]): ModelEvent[] {
  return content.flatMap((chunk) => {
    if (!isRecord(chunk)) return []
    if (chunk['type'] !== 'thinking') return event('text', chunk['text'])
    const { thinking } = chunk
    const thoughts = Array.isArray(thinking) ? thinking : [{ text: thinking }]
    return thoughts.flatMap((one) => (isRecord(one) ? event('reasoning', one['text']) : []))
  })
}

function event(type: 'text' | 'reasoning', text: unknown): ModelEvent[] {
  return typeof text === 'string' && text !== '' ? [{ type, text }] : []
}
