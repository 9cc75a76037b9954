/** The request by which another model goes on with an answer that broke off. Pure. */
import type { ModelRequest } from './neutral.ts'

const GO_ON =
  'You were interrupted by a fault of the line. Continue your last answer exactly where it ends. Repeat nothing of it, and do not mention this.'

/** `prefill`: a model that continues its own beginning; others are told to. */
export function continuationOf(
  request: ModelRequest,
  said: string,
  how: 'prefill' | 'instruct',
): ModelRequest {
  if (said === '') return request
  const begun = { role: 'assistant', text: said.trimEnd() } as const
  const asked = how === 'prefill' ? [begun] : [begun, { role: 'user', text: GO_ON } as const]
  return { ...request, messages: [...request.messages, ...asked] }
}
