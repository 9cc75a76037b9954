/** A neutral request as a body of `generateContent`. Pure. Written from the types of `@google/genai` 2.32. */
import type { Encoded } from '../codec.ts'
import type { ModelRequest, ResponseFormat, ToolChoice, ToolDefinition } from '../neutral.ts'
import { isRecord } from '../openai-error.ts'
import { conversationOf } from './contents.ts'
import { generationOf, thinkingOf } from './thinking.ts'

/** Google's own word for a call that another model made: it is not held against a history. */
const UNSIGNED = 'skip_thought_signature_validator'

/** Throws `RequestFault`. */
export function encodeGeminiRequest(request: ModelRequest, model: string): Encoded {
  const { tools = [], toolChoice, params = {} } = request
  const dropped = new Set<string>()
  const unsigned = generationOf(model).signs ? UNSIGNED : null
  const { system, contents } = conversationOf(request.messages, { unsigned, dropped })
  if (tools.some(({ cache }) => cache)) dropped.add('cache hints: it caches by itself')
  if (tools.some(({ strict }) => strict)) dropped.add('tools: strict')
  if (request.parallelToolCalls === false) dropped.add('parallelToolCalls')
  if (request.user !== undefined) dropped.add('user')
  const { generationConfig: own, ...rest } = params
  const config = { ...configOf(request, model, dropped), ...(isRecord(own) && own) }
  const body = {
    ...(system.length > 0 && { systemInstruction: { parts: system } }),
    contents,
    ...(tools.length > 0 && { tools: [{ functionDeclarations: tools.map(declarationOf) }] }),
    ...(tools.length > 0 &&
      toolChoice !== undefined && { toolConfig: { functionCallingConfig: choiceOf(toolChoice) } }),
    ...(Object.keys(config).length > 0 && { generationConfig: config }),
    ...rest,
  }
  return { body, dropped: [...dropped] }
}

function configOf(request: ModelRequest, model: string, dropped: Set<string>): Record<string, unknown> {
  const { responseFormat, topLogprobs } = request
  const thinking = thinkingOf(request.reasoning, model)
  if (thinking.dropped !== undefined) dropped.add(thinking.dropped)
  return {
    ...given('temperature', request.temperature),
    ...given('topP', request.topP),
    ...given('topK', request.topK),
    ...given('maxOutputTokens', request.maxTokens),
    ...given('stopSequences', request.stop),
    ...given('seed', request.seed),
    ...given('frequencyPenalty', request.frequencyPenalty),
    ...given('presencePenalty', request.presencePenalty),
    ...(responseFormat && formatOf(responseFormat)),
    ...given('thinkingConfig', thinking.config),
    ...(topLogprobs !== undefined && {
      responseLogprobs: true,
      ...(topLogprobs > 0 && { logprobs: topLogprobs }),
    }),
  }
}

function given(name: string, value: unknown): Record<string, unknown> {
  return value === undefined ? {} : { [name]: value }
}

function declarationOf({ name, description, parameters }: ToolDefinition): Record<string, unknown> {
  return { name, ...given('description', description), ...given('parametersJsonSchema', parameters) }
}

function choiceOf(choice: ToolChoice): Record<string, unknown> {
  if (typeof choice === 'object') return { mode: 'ANY', allowedFunctionNames: [choice.name] }
  return { mode: choice === 'required' ? 'ANY' : choice === 'none' ? 'NONE' : 'AUTO' }
}

function formatOf(format: ResponseFormat): Record<string, unknown> {
  const type = { responseMimeType: 'application/json' }
  return format.type === 'json' ? type : { ...type, responseJsonSchema: format.schema }
}
