/**
 * A client's messages as neutral ones. Pure. One message of theirs may be several of ours: each result of a tool is one, before the
 * words that came with it.
 */
import { RequestFault } from '../faults.ts'
import { asFlag, asList, asOneOf, asRecord, asText, type Json, optional, required } from '../json-path.ts'
import type { ContentPart, ModelMessage, ReasoningPart, ToolCall } from '../neutral.ts'
import { cacheOf, partOf, partsOf, textOf } from './content.ts'
import { readSeal } from './seal.ts'

/** Throws `RequestFault`. */
export function neutralMessages(messages: readonly unknown[]): ModelMessage[] {
  return messages.flatMap((one, i) => {
    const at = `messages[${i}]`
    const message = asRecord(one, at)
    const role = required(message, `${at}.`, 'role', asOneOf(['user', 'assistant', 'system']))
    if (role === 'assistant') return [assistantOf(message, at)]
    if (role === 'user') return userMessages(message, at)
    return [spokenOf('system', partsOf(message['content'], `${at}.content`))]
  })
}

/** Of the member `system`. Throws `RequestFault`. */
export function systemMessages(system: unknown): ModelMessage[] {
  const parts = partsOf(system, 'system')
  return parts.length === 0 ? [] : [spokenOf('system', parts)]
}

/** Parts are kept only where text alone would lose something. */
function spokenOf(role: 'system' | 'user', parts: readonly ContentPart[]): ModelMessage {
  const plain = parts.length === 1 && parts[0]?.type === 'text' && parts[0].cache === undefined
  return { role, text: textOf(parts), ...(!plain && parts.length > 0 && { parts }) }
}

function userMessages(message: Json, at: string): ModelMessage[] {
  const { content } = message
  if (!Array.isArray(content)) return [spokenOf('user', partsOf(content, `${at}.content`))]
  const results: ModelMessage[] = []
  const parts: ContentPart[] = []
  for (const [i, one] of content.entries()) {
    const path = `${at}.content[${i}]`
    const block = asRecord(one, path)
    if (block['type'] === 'tool_result') results.push(resultOf(block, path))
    else parts.push(...partOf(block, path))
  }
  return parts.length > 0 || results.length === 0 ? [...results, spokenOf('user', parts)] : results
}

function resultOf(block: Json, at: string): ModelMessage {
  refuseToolset(block, at)
  const parts = partsOf(block['content'], `${at}.content`)
  const { cache } = cacheOf(block)
  const last = parts.at(-1)
  // The mark of the whole result is that of its last part.
  if (cache !== undefined && last && last.type !== 'audio') parts[parts.length - 1] = { ...last, cache }
  const text = textOf(parts)
  const plain = parts.every((part) => part.type === 'text' && part.cache === undefined)
  return {
    role: 'tool',
    callId: required(block, `${at}.`, 'tool_use_id', asText),
    text,
    ...(!plain && { parts }),
    ...(optional(block, `${at}.`, 'is_error', asFlag) && { failed: true as const }),
  }
}

function assistantOf(message: Json, at: string): ModelMessage {
  const { content } = message
  if (typeof content === 'string') return { role: 'assistant', text: content }
  let text = ''
  const toolCalls: ToolCall[] = []
  const reasoning: ReasoningPart[] = []
  for (const [i, one] of asList(content ?? [], `${at}.content`).entries()) {
    const path = `${at}.content[${i}]`
    const block = asRecord(one, path)
    switch (block['type']) {
      case 'text':
        text += required(block, `${path}.`, 'text', asText)
        break
      case 'thinking': {
        const thought = required(block, `${path}.`, 'thinking', asText)
        reasoning.push({ text: thought, ...sealOf('signature', block['signature']) })
        break
      }
      case 'redacted_thinking':
        reasoning.push({ text: '', ...sealOf('sealed', block['data']) })
        break
      case 'tool_use':
        toolCalls.push(callOf(block, path))
        break
      default:
        throw new RequestFault(
          `${path}.type`,
          "What Anthropic's own tools did cannot be sent to this target.",
          'unsupported_value',
        )
    }
  }
  return {
    role: 'assistant',
    text,
    ...(toolCalls.length > 0 && { toolCalls }),
    ...(reasoning.length > 0 && { reasoning }),
  }
}

function sealOf(name: 'signature' | 'sealed', value: unknown): Partial<ReasoningPart> {
  if (typeof value !== 'string' || value === '') return {}
  const { seal, by } = readSeal(value)
  return { [name]: seal, ...(by !== undefined && { by }) }
}

function callOf(block: Json, at: string): ToolCall {
  refuseToolset(block, at)
  return {
    callId: required(block, `${at}.`, 'id', asText),
    name: required(block, `${at}.`, 'name', asText),
    arguments: JSON.stringify(block['input'] ?? {}),
  }
}

function refuseToolset(block: Json, at: string): void {
  if (block['toolset_name'] === undefined || block['toolset_name'] === null) return
  throw new RequestFault(
    `${at}.toolset_name`,
    'Toolsets of Anthropic cannot be used with this target.',
    'unsupported_value',
  )
}
