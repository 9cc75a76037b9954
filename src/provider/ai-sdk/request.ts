/** A neutral request as the options of one call. Pure. */
import type {
  ToolChoice as Choice,
  ModelRequest,
  ResponseFormat,
  ToolDefinition,
} from '../../dialect/neutral.ts'
import { isRecord } from '../../dialect/openai-error.ts'
import { promptOf } from './prompt.ts'
import type { CallOptions, FunctionTool, Schema, SpecModel, ToolChoice } from './spec.ts'

/** Throws `RequestFault`. */
export function callOptionsOf(request: ModelRequest, model: SpecModel): CallOptions {
  const { specificationVersion: version, provider } = model
  const { tools = [], toolChoice, responseFormat, stop, reasoning, params } = request
  return {
    prompt: promptOf(request.messages, version),
    ...given('maxOutputTokens', request.maxTokens),
    ...given('temperature', request.temperature),
    ...given('topP', request.topP),
    ...given('topK', request.topK),
    ...(stop && { stopSequences: [...stop] }),
    ...given('seed', request.seed),
    ...given('presencePenalty', request.presencePenalty),
    ...given('frequencyPenalty', request.frequencyPenalty),
    ...(responseFormat && { responseFormat: formatOf(responseFormat) }),
    ...(tools.length > 0 && { tools: tools.map((tool) => toolOf(tool, version)) }),
    // Servers refuse a choice without tools.
    ...(tools.length > 0 && toolChoice !== undefined && { toolChoice: choiceOf(toolChoice) }),
    ...(version === 'v4' && given('reasoning', reasoning?.effort)),
    ...(params && { providerOptions: providerOptionsOf(params, provider) }),
  }
}

/**
 * What the specification has no word for, as `Encoded.dropped`. `version`: of the package, once it is loaded; before that, an effort is
 * taken to be one of them.
 */
export function omittedFrom(
  request: ModelRequest,
  version: SpecModel['specificationVersion'] | undefined,
): string[] {
  const { messages, tools = [], reasoning } = request
  const parts = messages.flatMap((one) => (one.role === 'assistant' ? [] : (one.parts ?? [])))
  const omitted: string[] = []
  const omit = (when: unknown, what: string) => void (when && omitted.push(what))
  omit(
    reasoning?.effort !== undefined && version !== 'v4',
    'reasoning.effort: by params of the package alone',
  )
  omit(reasoning?.maxTokens !== undefined, 'reasoning.maxTokens: by params of the package alone')
  omit(request.parallelToolCalls !== undefined, 'parallelToolCalls')
  omit(request.topLogprobs !== undefined, 'topLogprobs')
  omit(request.user !== undefined, 'user')
  omit(version === 'v2' && tools.some(({ strict }) => strict !== undefined), 'tools: strict')
  omit(
    request.responseFormat?.type === 'schema' && request.responseFormat.strict === false,
    'responseFormat.strict',
  )
  omit(tools.some(({ cache }) => cache) || parts.some((part) => 'cache' in part), 'cache hints')
  omit(
    parts.some((part) => part.type === 'image' && part.detail),
    'messages: detail of images',
  )
  omit(
    messages.some(
      (one) =>
        one.role === 'assistant' && one.reasoning?.some(({ signature, sealed }) => signature ?? sealed),
    ),
    'messages: signatures of thoughts',
  )
  return omitted
}

function given<N extends keyof CallOptions>(
  name: N,
  value: CallOptions[N] | undefined,
): Pick<CallOptions, N> | object {
  return value === undefined ? {} : { [name]: value }
}

function toolOf(tool: ToolDefinition, version: SpecModel['specificationVersion']): FunctionTool {
  const { name, description, parameters, strict } = tool
  return {
    type: 'function',
    name,
    ...(description !== undefined && { description }),
    inputSchema: (parameters ?? { type: 'object', properties: {} }) as Schema,
    ...(version !== 'v2' && strict !== undefined && { strict }),
  }
}

function choiceOf(choice: Choice): ToolChoice {
  return typeof choice === 'object' ? { type: 'tool', toolName: choice.name } : { type: choice }
}

function formatOf(format: ResponseFormat): NonNullable<CallOptions['responseFormat']> {
  if (format.type === 'json') return { type: 'json' }
  return { type: 'json', schema: format.schema as Schema, name: format.name }
}

/** By the package's own key, which is how its models call their provider; `providerOptions` as they are written. */
function providerOptionsOf(
  { providerOptions, ...own }: Readonly<Record<string, unknown>>,
  provider: string,
): NonNullable<CallOptions['providerOptions']> {
  const written = isRecord(providerOptions) ? providerOptions : {}
  const key = provider.replace(/\..*$/s, '')
  const mine = isRecord(written[key]) ? written[key] : {}
  return {
    ...written,
    ...(Object.keys(own).length > 0 && { [key]: { ...own, ...mine } }),
  } as NonNullable<CallOptions['providerOptions']>
}
