/** A client's Messages request. Pure. Written from the types of `@anthropic-ai/sdk` 1.13. */
import type { ClientRequest, PassOptions } from '../codec.ts'
import { asCount, asFlag, asList, asText, type Json, optional, required } from '../json-path.ts'
import { isRecord } from '../openai-error.ts'
import { neutralMessagesRequest, userOf } from './neutral.ts'
import { withoutForeignThoughts } from './seal.ts'

/** Throws `RequestFault`. What only the answer depends on is left to its provider to judge. */
export function readMessagesRequest(body: Json): ClientRequest {
  const model = required(body, '', 'model', asText)
  required(body, '', 'messages', asList)
  const stream = optional(body, '', 'stream', asFlag) ?? false
  const tools = optional(body, '', 'tools', asList) ?? []
  let made: ReturnType<typeof neutralMessagesRequest> | undefined
  const neutral = () => {
    made ??= neutralMessagesRequest(body)
    return made
  }
  return {
    model,
    delivery: stream ? 'stream' : 'whole',
    maxTokens: optional(body, '', 'max_tokens', asCount) ?? null,
    user: userOf(body) ?? null,
    toolNames: tools.flatMap((tool) =>
      isRecord(tool) && typeof tool['name'] === 'string' ? [tool['name']] : [],
    ),
    neutral: () => neutral().request,
    ignored: () => neutral().ignored,
  }
}

/** Anthropic knows one member of `metadata` and refuses others, which clients send for our routes. */
export function passMessagesBody(
  body: Json,
  { model, params, delivery }: PassOptions,
): Record<string, unknown> {
  const passed: Record<string, unknown> = {}
  for (const name in body) if (name !== '__proto__') passed[name] = body[name]
  passed['model'] = model
  passed['messages'] = withoutForeignThoughts(body['messages'])
  const { metadata } = body
  if (isRecord(metadata)) {
    delete passed['metadata']
    if (metadata['user_id'] !== undefined) passed['metadata'] = { user_id: metadata['user_id'] }
  }
  delete passed['stream']
  if (delivery === 'stream') passed['stream'] = true
  for (const name in params) passed[name === 'maxTokens' ? 'max_tokens' : name] = params[name]
  return passed
}
