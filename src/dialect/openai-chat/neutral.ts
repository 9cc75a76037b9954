/** The body of a chat completions request as a neutral request, for providers that speak another dialect. Pure. */
import { RequestFault } from '../faults.ts'
import {
  asCount,
  asFlag,
  asList,
  asNumber,
  asOneOf,
  asRecord,
  asText,
  type Json,
  optional,
  required,
} from '../json-path.ts'
import type { ModelRequest, ResponseFormat, ToolChoice, ToolDefinition } from '../neutral.ts'
import { neutralMessages } from './messages.ts'

const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh'] as const

/** What changes nothing that another provider could do: left out without a word. */
const SILENT = new Set([
  'model',
  'stream',
  'stream_options',
  'messages',
  'tools',
  'user',
  'metadata',
  'store',
  'n',
])
const KNOWN = new Set([
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'top_k',
  'stop',
  'seed',
  'frequency_penalty',
  'presence_penalty',
  'tool_choice',
  'parallel_tool_calls',
  'reasoning_effort',
  'response_format',
  'logprobs',
  'top_logprobs',
])

export interface NeutralChat {
  readonly request: ModelRequest
  /** Names of members that have no neutral form. */
  readonly ignored: readonly string[]
}

/** Throws `RequestFault`. */
export function neutralChatRequest(body: Json): NeutralChat {
  const n = optional(body, '', 'n', asCount)
  if (n !== undefined && n !== 1) {
    throw new RequestFault(
      'n',
      'More than one choice is served by targets that speak chat completions only.',
      'unsupported_value',
    )
  }
  const set = <T>(name: string, value: T | undefined) => (value === undefined ? {} : { [name]: value })
  const maxTokens =
    optional(body, '', 'max_completion_tokens', asCount) ?? optional(body, '', 'max_tokens', asCount)
  const effort = optional(body, '', 'reasoning_effort', asOneOf(EFFORTS))
  const tools = optional(body, '', 'tools', asList)
  const request: ModelRequest = {
    messages: neutralMessages(required(body, '', 'messages', asList)),
    ...(tools && { tools: tools.map(toolOf) }),
    ...set('toolChoice', optional(body, '', 'tool_choice', choiceOf)),
    ...set('parallelToolCalls', optional(body, '', 'parallel_tool_calls', asFlag)),
    ...set('maxTokens', maxTokens),
    ...set('temperature', optional(body, '', 'temperature', asNumber)),
    ...set('topP', optional(body, '', 'top_p', asNumber)),
    ...set('topK', optional(body, '', 'top_k', asCount)),
    ...set('stop', optional(body, '', 'stop', stopOf)),
    ...set('seed', optional(body, '', 'seed', asNumber)),
    ...set('frequencyPenalty', optional(body, '', 'frequency_penalty', asNumber)),
    ...set('presencePenalty', optional(body, '', 'presence_penalty', asNumber)),
    ...(effort && { reasoning: { effort } }),
    ...set('responseFormat', optional(body, '', 'response_format', formatOf)),
    ...(body['logprobs'] === true && { topLogprobs: optional(body, '', 'top_logprobs', asCount) ?? 0 }),
    ...set('user', optional(body, '', 'user', asText)),
  }
  return { request, ignored: Object.keys(body).filter((name) => !SILENT.has(name) && !KNOWN.has(name)) }
}

function toolOf(value: unknown, i: number): ToolDefinition {
  const at = `tools[${i}]`
  const tool = asRecord(value, at)
  if (tool['type'] !== 'function') {
    throw new RequestFault(
      `${at}.type`,
      'Only function tools can be offered to this target.',
      'unsupported_value',
    )
  }
  const fn = required(tool, `${at}.`, 'function', asRecord)
  const path = `${at}.function.`
  const description = optional(fn, path, 'description', asText)
  const parameters = optional(fn, path, 'parameters', asRecord)
  const strict = optional(fn, path, 'strict', asFlag)
  return {
    name: required(fn, path, 'name', asText),
    ...(description !== undefined && { description }),
    ...(parameters && { parameters }),
    ...(strict !== undefined && { strict }),
  }
}

function choiceOf(value: unknown, at: string): ToolChoice {
  if (typeof value === 'string') return asOneOf(['auto', 'none', 'required'])(value, at)
  const choice = asRecord(value, at)
  if (choice['type'] !== 'function') {
    throw new RequestFault(
      `${at}.type`,
      'This target can be made to call a function only.',
      'unsupported_value',
    )
  }
  const fn = required(choice, `${at}.`, 'function', asRecord)
  return { name: required(fn, `${at}.function.`, 'name', asText) }
}

function stopOf(value: unknown, at: string): readonly string[] {
  return typeof value === 'string' ? [value] : asList(value, at).map((one, i) => asText(one, `${at}[${i}]`))
}

function formatOf(value: unknown, at: string): ResponseFormat | undefined {
  const format = asRecord(value, at)
  const type = required(format, `${at}.`, 'type', asOneOf(['text', 'json_object', 'json_schema']))
  if (type === 'text') return undefined
  if (type === 'json_object') return { type: 'json' }
  const given = required(format, `${at}.`, 'json_schema', asRecord)
  const path = `${at}.json_schema.`
  const strict = optional(given, path, 'strict', asFlag)
  return {
    type: 'schema',
    name: required(given, path, 'name', asText),
    schema: required(given, path, 'schema', asRecord),
    ...(strict !== undefined && { strict }),
  }
}
