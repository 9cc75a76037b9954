/** A client's chat completions request. Pure. Written from the types of the `openai` package 7.57. */
import type { ClientRequest, PassOptions } from '../codec.ts'
import { asCount, asFlag, asList, asText, type Json, optional, required } from '../json-path.ts'
import { isRecord } from '../openai-error.ts'
import { neutralChatRequest } from './neutral.ts'

/** Throws `RequestFault`. What only the answer depends on is left to its provider to judge. */
export function readChatRequest(body: Json): ClientRequest {
  const model = required(body, '', 'model', asText)
  required(body, '', 'messages', asList)
  const stream = optional(body, '', 'stream', asFlag) ?? false
  const tools = optional(body, '', 'tools', asList) ?? []
  let made: ReturnType<typeof neutralChatRequest> | undefined
  const neutral = () => {
    made ??= neutralChatRequest(body)
    return made
  }
  return {
    model,
    delivery: stream ? 'stream' : 'whole',
    maxTokens: maxTokensOf(body),
    user: optional(body, '', 'user', asText) ?? null,
    toolNames: tools.flatMap((one) => nameOf(one)),
    neutral: () => neutral().request,
    ignored: () => neutral().ignored,
  }
}

export function maxTokensOf(body: Json): number | null {
  return (
    optional(body, '', 'max_completion_tokens', asCount) ?? optional(body, '', 'max_tokens', asCount) ?? null
  )
}

/** Usage is always asked for: what it costs is always told. */
export function passChatBody(body: Json, { model, params, delivery }: PassOptions): Record<string, unknown> {
  const passed: Record<string, unknown> = {}
  for (const name in body) if (name !== '__proto__') passed[name] = body[name]
  // OpenAI refuses it where nothing is stored; for routes it was read already.
  if (body['store'] !== true) delete passed['metadata']
  passed['model'] = model
  if (delivery === 'stream') {
    const options = body['stream_options']
    passed['stream'] = true
    passed['stream_options'] = { ...(isRecord(options) ? options : {}), include_usage: true }
  }
  for (const name in params) passed[name] = params[name]
  return passed
}

function nameOf(tool: unknown): string[] {
  if (!isRecord(tool)) return []
  const named = tool['function'] ?? tool['custom']
  const name = isRecord(named) ? named['name'] : undefined
  return typeof name === 'string' ? [name] : []
}
