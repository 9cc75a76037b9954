/** A whole answer of Converse as neutral events. Pure. */
import { StreamFault } from '../faults.ts'
import type { ModelEvent } from '../neutral.ts'
import { isRecord } from '../openai-error.ts'
import { finishOf } from './finish.ts'
import { bedrockUsage } from './usage.ts'

/** Throws `StreamFault`. */
export function decodeConverse(body: unknown, newCallId: () => string): ModelEvent[] {
  const output = isRecord(body) ? body['output'] : undefined
  const message = isRecord(output) ? output['message'] : undefined
  if (!isRecord(body) || !isRecord(message) || !Array.isArray(message['content']))
    throw new StreamFault('transient', 'the answer is no answer of Converse')
  const events = message['content'].flatMap((block: unknown) =>
    isRecord(block) ? eventsOf(block, newCallId) : [],
  )
  const called = events.some(({ type }) => type === 'toolCall')
  const reason = finishOf(body['stopReason'])
  const usage = bedrockUsage(body['usage'])
  return [
    ...events,
    ...(usage ? [{ type: 'usage', usage } as const] : []),
    { type: 'finish', reason: reason === 'stop' && called ? 'tool_calls' : reason },
  ]
}

function eventsOf(block: Record<string, unknown>, newCallId: () => string): ModelEvent[] {
  const { text, toolUse, reasoningContent, citationsContent } = block
  if (typeof text === 'string') return text === '' ? [] : [{ type: 'text', text }]
  if (isRecord(reasoningContent)) return thoughtsIn(reasoningContent)
  if (isRecord(citationsContent) && Array.isArray(citationsContent['content']))
    return citationsContent['content'].flatMap((one: unknown) =>
      isRecord(one) && typeof one['text'] === 'string' ? [{ type: 'text' as const, text: one['text'] }] : [],
    )
  if (!isRecord(toolUse) || toolUse['type'] === 'server_tool_use') return []
  const { toolUseId, name, input } = toolUse
  if (typeof name !== 'string' || name === '')
    throw new StreamFault('transient', 'a tool call without a name')
  const callId = typeof toolUseId === 'string' && toolUseId !== '' ? toolUseId : newCallId()
  return [{ type: 'toolCall', call: { callId, name, arguments: JSON.stringify(input ?? {}) } }]
}

function thoughtsIn({ reasoningText, redactedContent }: Record<string, unknown>): ModelEvent[] {
  if (typeof redactedContent === 'string')
    return [{ type: 'reasoningSeal', sealed: redactedContent, by: 'bedrock' }]
  if (!isRecord(reasoningText)) return []
  const { text, signature } = reasoningText
  return [
    ...(typeof text === 'string' && text !== '' ? [{ type: 'reasoning', text } as const] : []),
    ...(typeof signature === 'string' ? [{ type: 'reasoningSeal', signature, by: 'bedrock' } as const] : []),
  ]
}
