/** Items of `input` as neutral messages. Pure. Written from the types of the `openai` package 7.57. */
import { RequestFault } from '../faults.ts'
import { asList, asOneOf, asRecord, asText, type Json, optional, required } from '../json-path.ts'
import type { ModelMessage, ReasoningPart, ToolCall } from '../neutral.ts'
import { contentOf } from './input-content.ts'
import { readSeal } from './seal.ts'

/** An assistant's turn, which is several items here. */
interface Turn {
  text: string
  readonly calls: ToolCall[]
  readonly reasoning: ReasoningPart[]
}

/** Throws `RequestFault`. */
export function neutralInput(input: string | readonly unknown[]): ModelMessage[] {
  if (typeof input === 'string') return [{ role: 'user', text: input }]
  const messages: ModelMessage[] = []
  let turn: Turn | undefined
  const close = () => {
    if (turn) messages.push(messageOf(turn))
    turn = undefined
  }
  /** What follows a text begins another message, unless a call waits for its result, which must come next. */
  const open = (): Turn => {
    if (turn && turn.text !== '' && turn.calls.length === 0) close()
    turn ??= { text: '', calls: [], reasoning: [] }
    return turn
  }
  for (const [i, one] of input.entries()) {
    const at = `input[${i}]`
    const item = asRecord(one, at)
    const type = item['type'] ?? (item['role'] === undefined ? 'item_reference' : 'message')
    switch (type) {
      case 'message': {
        const role = required(item, `${at}.`, 'role', asOneOf(ROLES))
        const { text, parts } = contentOf(
          required(item, `${at}.`, 'content', (value) => value),
          `${at}.content`,
        )
        if (role === 'assistant') {
          if (parts?.some((part) => part.type !== 'text')) throw unsupported(`${at}.content`)
          const into = open()
          into.text = into.text === '' ? text : `${into.text}\n\n${text}`
          break
        }
        close()
        messages.push({ role: role === 'user' ? 'user' : 'system', text, ...(parts && { parts }) })
        break
      }
      case 'reasoning':
        open().reasoning.push(thoughtOf(item, at))
        break
      case 'function_call': {
        // Beside the text before it: one turn says something and calls.
        turn ??= { text: '', calls: [], reasoning: [] }
        turn.calls.push(callOf(item, at))
        break
      }
      case 'function_call_output': {
        close()
        const callId = required(item, `${at}.`, 'call_id', asText)
        const output = required(item, `${at}.`, 'output', (value) => value)
        messages.push({ role: 'tool', callId, ...contentOf(output, `${at}.output`) })
        break
      }
      default:
        throw unsupported(`${at}.type`)
    }
  }
  close()
  return messages
}

const ROLES = ['user', 'assistant', 'system', 'developer'] as const

/** What lies with a provider, or only its own tools made. */
function unsupported(at: string): RequestFault {
  return new RequestFault(
    at,
    'This item cannot be sent to a target that does not speak /v1/responses.',
    'unsupported_value',
  )
}

function messageOf({ text, calls, reasoning }: Turn): ModelMessage {
  return {
    role: 'assistant',
    text,
    ...(calls.length > 0 && { toolCalls: calls }),
    ...(reasoning.length > 0 && { reasoning }),
  }
}

function callOf(item: Json, at: string): ToolCall {
  return {
    callId: required(item, `${at}.`, 'call_id', asText),
    name: required(item, `${at}.`, 'name', asText),
    arguments: optional(item, `${at}.`, 'arguments', asText) ?? '',
  }
}

function thoughtOf(item: Json, at: string): ReasoningPart {
  const texts = (name: string) =>
    (optional(item, `${at}.`, name, asList) ?? []).map((one, i) =>
      required(asRecord(one, `${at}.${name}[${i}]`), `${at}.${name}[${i}].`, 'text', asText),
    )
  const summary = texts('summary')
  const text = (summary.length > 0 ? summary : texts('content')).join('\n\n')
  const sealed = optional(item, `${at}.`, 'encrypted_content', asText)
  return { text, ...(sealed !== undefined && sealed !== '' && readSeal(sealed)) }
}
