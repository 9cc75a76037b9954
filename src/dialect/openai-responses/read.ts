/** A client's request to `/v1/responses`. Pure. Written from the types of the `openai` package 7.57. */
import type { ClientRequest, PassOptions } from '../codec.ts'
import { asCount, asFlag, asList, asText, type Json, optional, required } from '../json-path.ts'
import { isRecord } from '../openai-error.ts'
import { isOurItem } from './item-id.ts'
import { inputOf, neutralResponsesRequest, userOf } from './neutral.ts'
import { isForeignSeal } from './seal.ts'
import { toolNames } from './tools.ts'

/** Throws `RequestFault`. What only the answer depends on is left to its provider to judge. */
export function readResponsesRequest(body: Json): ClientRequest {
  const model = required(body, '', 'model', asText)
  optional(body, '', 'input', inputOf)
  const stream = optional(body, '', 'stream', asFlag) ?? false
  let made: ReturnType<typeof neutralResponsesRequest> | undefined
  const neutral = () => {
    made ??= neutralResponsesRequest(body)
    return made
  }
  return {
    model,
    delivery: stream ? 'stream' : 'whole',
    maxTokens: optional(body, '', 'max_output_tokens', asCount) ?? null,
    user: userOf(body) ?? null,
    toolNames: toolNames(optional(body, '', 'tools', asList) ?? []),
    neutral: () => neutral().request,
    ignored: () => neutral().ignored,
  }
}

export function passResponsesBody(
  body: Json,
  { model, params, delivery }: PassOptions,
): Record<string, unknown> {
  const passed: Record<string, unknown> = {}
  for (const name in body) if (name !== '__proto__') passed[name] = body[name]
  passed['model'] = model
  if (delivery === 'stream') passed['stream'] = true
  if (Array.isArray(body['input'])) passed['input'] = passInput(body['input'])
  for (const name in params) passed[name] = params[name]
  return passed
}

/**
 * Parts of answers that were made here, of a provider of another dialect, and come back as history: their provider's thoughts, which
 * this one would refuse as forged, and ids of ours, which it would look for.
 */
function passInput(input: readonly unknown[]): readonly unknown[] {
  if (!input.some(isOurs)) return input
  return input.flatMap((item) => {
    if (!isOurs(item)) return [item]
    const { id, encrypted_content: sealed } = item
    // Without a seal of its own they are of no use to it.
    if (item['type'] === 'reasoning' && (typeof sealed !== 'string' || isForeignSeal(sealed))) return []
    if (!isOurItem(id)) return [item]
    const { id: _, ...rest } = item
    return [rest]
  })
}

function isOurs(item: unknown): item is Record<string, unknown> {
  return isRecord(item) && (isOurItem(item['id']) || isForeignSeal(item['encrypted_content']))
}
