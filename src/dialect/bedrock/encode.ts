/** A neutral request as a body of Converse. Pure. Types of `@aws-sdk/client-bedrock-runtime` 3.1164; blobs are base64 in its JSON. */
import type { Encoded } from '../codec.ts'
import type { ModelRequest, ResponseFormat } from '../neutral.ts'
import { isRecord } from '../openai-error.ts'
import { type ModelTraits, traitsOf } from './models.ts'
import { type Thinking, thinkingOf } from './thinking.ts'
import { toolConfigOf } from './tools.ts'
import { conversationOf } from './turns.ts'

/** Members of `params` that are put together with ours instead of in their place. */
const MERGED = ['inferenceConfig', 'additionalModelRequestFields', 'outputConfig'] as const

/** Throws `RequestFault`. The model and whether it is streamed are said by the address. */
export function encodeConverse(request: ModelRequest, model: string): Encoded {
  const dropped = new Set<string>()
  const traits = traitsOf(model)
  const options = { traits, dropped }
  const { system, turns, called, begun } = conversationOf(request.messages, options)
  const thinking = thinkingOf(request, { traits, begun })
  if (thinking.dropped !== undefined) dropped.add(thinking.dropped)
  nameUnsaid(request, dropped)
  const toolConfig = toolConfigOf(request, called, options)
  const parts: Record<(typeof MERGED)[number], Record<string, unknown>> = {
    inferenceConfig: inferenceOf(request, thinking, traits, dropped),
    additionalModelRequestFields: { ...thinking.fields, ...topKOf(request, thinking, traits, dropped) },
    outputConfig: {
      ...(request.responseFormat && formatOf(request.responseFormat, dropped)),
      ...(thinking.effort !== undefined && { effort: thinking.effort }),
    },
  }
  const body: Record<string, unknown> = {
    messages: turns,
    ...(system.length > 0 && { system }),
    ...(toolConfig && { toolConfig }),
    ...request.params,
  }
  for (const name of MERGED) {
    const own = request.params?.[name]
    const merged = { ...parts[name], ...(isRecord(own) && own) }
    if (Object.keys(merged).length > 0) body[name] = merged
  }
  return { body, dropped: [...dropped] }
}

function nameUnsaid(request: ModelRequest, dropped: Set<string>): void {
  const { seed, frequencyPenalty, presencePenalty, topLogprobs, user } = request
  const unsaid = { seed, frequencyPenalty, presencePenalty, topLogprobs, user }
  for (const [name, value] of Object.entries(unsaid)) if (value !== undefined) dropped.add(name)
}

function inferenceOf(
  request: ModelRequest,
  { state }: Thinking,
  { maker, sampling }: ModelTraits,
  dropped: Set<string>,
): Record<string, unknown> {
  const { maxTokens, stop } = request
  let { temperature, topP } = request
  const bound = maker === 'claude' && state === 'thinks'
  if (sampling === 'none' || bound) {
    if (temperature !== undefined || topP !== undefined)
      dropped.add('temperature and topP: not while it thinks')
    temperature = topP = undefined
  } else if (sampling === 'one' && temperature !== undefined && topP !== undefined) {
    dropped.add('topP: not beside temperature')
    topP = undefined
  }
  return {
    ...(maxTokens !== undefined && { maxTokens }),
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { topP }),
    ...(stop && stop.length > 0 && { stopSequences: stop }),
  }
}

function topKOf(
  { topK }: ModelRequest,
  { state }: Thinking,
  { maker, sampling }: ModelTraits,
  dropped: Set<string>,
): Record<string, unknown> {
  if (topK === undefined) return {}
  if (maker === 'claude' && state !== 'thinks' && sampling !== 'none') return { top_k: topK }
  if (maker === 'nova') return { inferenceConfig: { topK } }
  dropped.add('topK')
  return {}
}

function formatOf(format: ResponseFormat, dropped: Set<string>): Record<string, unknown> {
  if (format.type === 'json') {
    dropped.add('responseFormat: JSON without a schema')
    return {}
  }
  const { name, schema } = format
  return {
    textFormat: { type: 'json_schema', structure: { jsonSchema: { name, schema: JSON.stringify(schema) } } },
  }
}
