/** A whole chat completion out of neutral events. Pure. */
import type { AnswerHead } from '../codec.ts'
import type { FinishReason, ModelEvent, ToolCall } from '../neutral.ts'
import { writeCall } from './calls.ts'
import { writeUsage } from './usage.ts'

export function encodeChatAnswer(
  events: readonly ModelEvent[],
  { id, model, createdS }: AnswerHead,
): Record<string, unknown> {
  let text = ''
  let reasoning = ''
  let finish: FinishReason = 'stop'
  let usage: Record<string, unknown> | undefined
  const calls: ToolCall[] = []
  const logprobs: unknown[] = []
  for (const event of events) {
    if (event.type === 'text') text += event.text
    else if (event.type === 'reasoning') reasoning += event.text
    else if (event.type === 'toolCall') calls.push(event.call)
    else if (event.type === 'logprobs') logprobs.push(...event.content)
    else if (event.type === 'usage') usage = writeUsage(event.usage)
    else if (event.type === 'finish') finish = event.reason
  }
  const message = {
    role: 'assistant',
    content: text === '' && calls.length > 0 ? null : text,
    refusal: null,
    ...(reasoning !== '' && { reasoning_content: reasoning }),
    ...(calls.length > 0 && {
      tool_calls: calls.map(writeCall),
    }),
  }
  const content = logprobs.length > 0 ? { content: logprobs, refusal: null } : null
  return {
    id,
    object: 'chat.completion',
    created: createdS,
    model,
    choices: [{ index: 0, message, logprobs: content, finish_reason: finish }],
    ...(usage && { usage }),
  }
}
