/**
 * A neutral request as the body of `POST /v1/responses`, for a provider. Pure. Written from the types of the `openai` package 7.57.
 * Members that were not asked for are left out.
 */
import type { Encoded, EncodeOptions } from '../codec.ts'
import { RequestFault } from '../faults.ts'
import type { ModelRequest, ResponseFormat, ToolDefinition } from '../neutral.ts'
import { encodeInput } from './input-encode.ts'

/** Throws `RequestFault` for what would change the answer if it were left out. */
export function encodeResponsesRequest(request: ModelRequest, { model, delivery }: EncodeOptions): Encoded {
  const {
    tools = [],
    toolChoice,
    parallelToolCalls,
    maxTokens,
    reasoning,
    responseFormat,
    topLogprobs,
  } = request
  const { instructions, input, sealed, dropped } = encodeInput(request.messages)
  if (request.stop && request.stop.length > 0) {
    throw new RequestFault(
      'stop',
      'This target knows no stop sequences, and its answer would not end where it was asked to.',
      'unsupported_value',
    )
  }
  for (const name of ['topK', 'seed', 'frequencyPenalty', 'presencePenalty'] as const)
    if (request[name] !== undefined) dropped.push(name)
  if (reasoning?.maxTokens !== undefined) dropped.push('reasoning.maxTokens')
  if (tools.some(({ cache }) => cache)) dropped.push('cache hints: it caches by itself')
  if (maxTokens !== undefined && maxTokens < LEAST_TOKENS)
    dropped.push(`maxTokens: raised to ${LEAST_TOKENS}, the least there is`)
  const userFits = request.user === undefined || request.user.length <= USER_CHARACTERS
  if (!userFits) dropped.push(`user: longer than ${USER_CHARACTERS} characters`)
  const effort = reasoning?.effort
  const include = [
    // Thoughts can be given back only as their seal, since nothing is stored. Models without thoughts refuse to be asked for it.
    ...(sealed === 'some' || (effort !== undefined && effort !== 'none')
      ? ['reasoning.encrypted_content']
      : []),
    ...(topLogprobs !== undefined ? ['message.output_text.logprobs'] : []),
  ]
  const body = {
    model,
    ...given('instructions', instructions),
    input,
    // Otherwise it keeps every word for a month, for requests that name it; ours bring their whole history.
    store: false,
    ...(delivery === 'stream' && { stream: true }),
    ...(tools.length > 0 && { tools: tools.map(encodeTool) }),
    ...(tools.length > 0 &&
      toolChoice !== undefined && {
        tool_choice:
          typeof toolChoice === 'object' ? { type: 'function', name: toolChoice.name } : toolChoice,
      }),
    ...(tools.length > 0 && given('parallel_tool_calls', parallelToolCalls)),
    ...given('max_output_tokens', maxTokens === undefined ? undefined : Math.max(maxTokens, LEAST_TOKENS)),
    ...given('temperature', request.temperature),
    ...given('top_p', request.topP),
    ...(effort !== undefined && { reasoning: { effort } }),
    ...(responseFormat && { text: { format: encodeFormat(responseFormat) } }),
    ...(topLogprobs !== undefined && topLogprobs > 0 && { top_logprobs: topLogprobs }),
    ...(include.length > 0 && { include }),
    ...(userFits && given('safety_identifier', request.user)),
    ...request.params,
  }
  return { body, dropped: [...new Set(dropped)] }
}

/** A request for fewer is refused (read in errors that users of OpenAI report). */
const LEAST_TOKENS = 16
/** The longest `safety_identifier`, by the SDK's comments. */
const USER_CHARACTERS = 128

function given(name: string, value: unknown): Record<string, unknown> {
  return value === undefined ? {} : { [name]: value }
}

function encodeTool({ name, description, parameters, strict }: ToolDefinition): Record<string, unknown> {
  return {
    type: 'function',
    name,
    ...given('description', description),
    parameters: parameters ?? { type: 'object', properties: {} },
    // Unlike elsewhere, a function is strict here when nothing is said, and a schema that is not meant to be would be refused.
    strict: strict ?? false,
  }
}

function encodeFormat(format: ResponseFormat): Record<string, unknown> {
  if (format.type === 'json') return { type: 'json_object' }
  const { name, schema, strict } = format
  return { type: 'json_schema', name, schema, ...given('strict', strict) }
}
