/**
 * A neutral request as the body of a Messages request. Pure. Written from the types of `@anthropic-ai/sdk` 1.13, and of API version
 * 2023-06-01, which still has sampling for the models that have it.
 */
import type { Encoded, EncodeOptions } from '../codec.ts'
import type { ModelRequest, ResponseFormat, ToolDefinition } from '../neutral.ts'
import { isRecord } from '../openai-error.ts'
import { type Block, cacheOf } from './blocks.ts'
import type { ModelTraits } from './models.ts'
import { fitSchema } from './schema.ts'
import { thinkingOf } from './thinking.ts'
import { conversationOf } from './turns.ts'

export interface MessagesEncodeOptions extends EncodeOptions {
  readonly traits: ModelTraits
  /** Of a request that has none: Anthropic wants one always. */
  readonly maxTokens: number
}

const USER_CHARACTERS = 256
/** What has no word here. */
const UNSAID = ['seed', 'frequencyPenalty', 'presencePenalty', 'topLogprobs'] as const

/** Throws `RequestFault` for content that this dialect cannot carry. */
export function encodeMessages(request: ModelRequest, options: MessagesEncodeOptions): Encoded {
  const { model, delivery, traits } = options
  const dropped = new Set<string>(UNSAID.filter((name) => request[name] !== undefined))
  const { system, turns, called, unthought } = conversationOf(request.messages, dropped)
  const { toolChoice, responseFormat, user, params = {} } = request
  const forced = toolChoice === 'required' || typeof toolChoice === 'object'
  const thought = thinkingOf(request, { traits, maxTokens: options.maxTokens, forced, unthought })
  for (const name of thought.dropped) dropped.add(name)
  const format = responseFormat && formatOf(responseFormat, dropped)
  const config = {
    ...(thought.effort && { effort: thought.effort }),
    ...(format && { format }),
    ...(isRecord(params['output_config']) ? params['output_config'] : {}),
  }
  const stop = (request.stop ?? []).filter((one) => one.trim() !== '')
  if (stop.length < (request.stop?.length ?? 0)) dropped.add('stop: white space alone')
  if (user !== undefined && user.length > USER_CHARACTERS) dropped.add('user: too long')
  const body = {
    model,
    max_tokens: thought.maxTokens,
    ...(system && { system }),
    messages: turns.map(({ role, content }) => ({ role, content: shortened(content) })),
    ...(delivery === 'stream' && { stream: true }),
    ...toolsOf(request, called),
    ...(thought.thinking && { thinking: thought.thinking }),
    ...samplingOf(request, traits, thought.on, dropped),
    ...(stop.length > 0 && { stop_sequences: stop }),
    ...(user !== undefined && user.length <= USER_CHARACTERS && { metadata: { user_id: user } }),
    ...params,
    ...(Object.keys(config).length > 0 && { output_config: config }),
  }
  return { body, dropped: [...dropped] }
}

function shortened(content: readonly Block[]): string | readonly Block[] {
  const [first, ...more] = content
  const plain = first?.['type'] === 'text' && more.length === 0 && !('cache_control' in first)
  return plain ? String(first['text']) : content
}

function toolsOf(request: ModelRequest, called: ReadonlySet<string>): Block {
  const { tools = [], toolChoice, parallelToolCalls } = request
  if (tools.length === 0) {
    // Calls in the history want their tools declared, though none is offered any more.
    const tools = [...called].map((name) => ({ name, input_schema: { type: 'object' } }))
    return called.size === 0 ? {} : { tools, tool_choice: { type: 'none' } }
  }
  const single = parallelToolCalls === false ? { disable_parallel_tool_use: true } : {}
  const choice = choiceOf(toolChoice ?? (parallelToolCalls === false ? 'auto' : undefined))
  return {
    tools: tools.map(toolOf),
    ...(choice && { tool_choice: choice['type'] === 'none' ? choice : { ...choice, ...single } }),
  }
}

function choiceOf(choice: ModelRequest['toolChoice']): Block | undefined {
  if (choice === undefined) return undefined
  if (typeof choice === 'object') return { type: 'tool', name: choice.name }
  return { type: choice === 'required' ? 'any' : choice }
}

function toolOf({ name, description, parameters = {}, strict, cache }: ToolDefinition): Block {
  const schema = { type: 'object', ...parameters }
  return {
    name,
    ...(description !== undefined && description !== '' && { description }),
    input_schema: strict ? fitSchema(schema) : schema,
    ...(strict && { strict: true }),
    ...cacheOf(cache === undefined ? {} : { cache }),
  }
}

function formatOf(format: ResponseFormat, dropped: Set<string>): Block | undefined {
  if (format.type === 'schema') return { type: 'json_schema', schema: fitSchema(format.schema) }
  // Any object at all is no schema here; who asks for this says so in words too, as OpenAI demands.
  dropped.add('responseFormat: JSON without a schema')
  return undefined
}

function samplingOf(
  request: ModelRequest,
  traits: ModelTraits,
  thinks: boolean,
  dropped: Set<string>,
): Block {
  const { temperature, topP, topK } = request
  const sampling: Block = {}
  const say = (name: string, member: string, value: number | undefined, not: string | undefined) => {
    if (value === undefined) return
    if (not === undefined) sampling[member] = value
    else dropped.add(`${name}: ${not}`)
  }
  const never = traits.sampling === 'none' ? 'it takes none' : undefined
  const thinking = thinks ? 'not while it thinks' : undefined
  const warm = temperature !== undefined && temperature > 1
  if (warm && !never && !thinking) dropped.add('temperature: above 1')
  say(
    'temperature',
    'temperature',
    warm ? 1 : temperature,
    never ?? (temperature === 1 ? undefined : thinking),
  )
  const both = traits.sampling === 'one' && 'temperature' in sampling ? 'not beside temperature' : undefined
  say('topP', 'top_p', topP, never ?? both ?? ((topP ?? 1) < 0.95 ? thinking : undefined))
  say('topK', 'top_k', topK, never ?? thinking)
  return sampling
}
